"""What is signed is the path that the client used, whatever servers and mounts do with a prefix."""

from __future__ import annotations

from typing import Any

import pytest

from async_oauth1 import Policy, ResourceProtector
from async_oauth1.asgi import OAuth1Middleware
from tests.asgi.serving import serving
from tests.asgi.test_cors import make_store
from tests.asgi.test_exclusions import open_view
from tests.attacks.provider import JANE
from tests.attacks.signer import sign
from tests.attacks.sockets import request_octets, talk
from tests.attacks.wire import call


async def guarded(**how: Any) -> OAuth1Middleware:
    """An application whose photos are protected."""
    protector = ResourceProtector(policy=Policy(**how))
    protector.register_hooks(await make_store())
    return OAuth1Middleware(open_view, protector, ["/photos"])


@pytest.mark.parametrize(
    ("path", "root_path"), [("/api/photos", "/api"), ("/photos", "/api"), ("/photos", ""), ("/api/photos", "/api/")]
)
async def test_a_prefix_that_the_proxy_removes_is_signed_once(path: str, root_path: str) -> None:
    """uvicorn puts its root path in front of the path, other servers do not; the client used it once."""
    app = await guarded(external_base_url="https://provider.example/api")
    message = sign(JANE, "GET", path, signed_target="/api/photos")
    assert (await call(app, message, root_path=root_path)).status == 204
    message = sign(JANE, "GET", path, signed_target="/api/api/photos")
    assert (await call(app, message, root_path=root_path)).status == 401


async def test_another_prefix_stays() -> None:
    """Only the server's own root path counts: a path of the application may begin like the prefix."""
    app = await guarded(external_base_url="https://provider.example/photos")
    message = sign(JANE, "GET", "/photos/1", signed_target="/photos/photos/1")
    assert (await call(app, message)).status == 204
    message = sign(JANE, "GET", "/photos/1", signed_target="/photos/1")
    assert (await call(app, message)).status == 401


async def test_under_uvicorn_with_a_root_path() -> None:
    """The proxy has removed the prefix, and uvicorn knows it, too."""
    app = await guarded(external_base_url="http://127.0.0.1/api")
    async with serving(app, "uvicorn-h11", root_path="/api") as port:
        message = sign(JANE, "GET", "/photos", origin="http://127.0.0.1", signed_target="/api/photos")
        assert (await talk(port, request_octets(message))).status == 204
        message = sign(JANE, "GET", "/photos", origin="http://127.0.0.1", signed_target="/api/api/photos")
        assert (await talk(port, request_octets(message))).status == 401
