"""What is made for a request is freed when the response has been sent, and does not wait for the garbage collector."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import pytest

from async_oauth1 import OAuth1Request
from tests.attacks.provider import JANE
from tests.attacks.signer import Message, body_hash, sign
from tests.frameworks.registry import FRAMEWORKS

ORIGIN = "http://127.0.0.1:8000"


@contextmanager
def keeping_garbage() -> Iterator[list[Any]]:
    """The unreachable objects that the garbage collector has to find are kept."""
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        yield gc.garbage
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


async def serve(app: Any, message: Message) -> int:
    """Call an application as a server does, and return the status."""
    path, _, query = message.target.partition(b"?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": message.method,
        "scheme": "http",
        "path": path.decode(),
        "raw_path": path,
        "query_string": query,
        "root_path": "",
        "headers": [*message.headers],
        "client": ("127.0.0.1", 1234),
        "server": ("127.0.0.1", 8000),
        "extensions": {},
        "state": {},
    }
    received = [{"type": "http.disconnect"}, {"type": "http.request", "body": message.body, "more_body": False}]
    statuses = []

    async def receive() -> Any:
        return received.pop()

    async def send(event: Any) -> None:
        statuses.append(event.get("status"))

    await app(scope, receive, send)
    return statuses[0]


@pytest.mark.parametrize("path", ["/photos", "/json"])
async def test_a_request_is_freed(path: str) -> None:
    """On no framework is a verified request in a cycle of references, nor is it referred to by one."""
    apps = {name: import_module(f"tests.frameworks.applications.{name}").app for name in FRAMEWORKS.values()}
    for name, app in apps.items():
        for _ in range(3):
            assert await serve(app, message_to(path, name)) == 200, name
    with keeping_garbage() as garbage:  # for all of them at once, because a collection takes long
        for name, app in apps.items():
            await serve(app, message_to(path, name))
        gc.collect()
        assert not [found.uri for found in garbage if isinstance(found, OAuth1Request)]


def message_to(path: str, name: str) -> Message:
    """A signed request that names the application in its URL; with a body and its hash for ``/json``."""
    target = f"{path}?{name}"
    if path == "/photos":
        return sign(JANE, "GET", target, origin=ORIGIN)
    hashed = {"oauth_body_hash": body_hash(b"{}")}
    return sign(JANE, "PUT", target, origin=ORIGIN, body=b"{}", content_type=b"application/json", oauth=hashed)
