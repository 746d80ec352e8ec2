"""What `OAuth1Middleware` leaves out, what it demands, and what several of them share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, cast

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from async_oauth1 import ResourceProtector, TemporaryCredential
from async_oauth1.asgi import OAuth1Middleware
from async_oauth1.stores import MemoryStore
from tests.asgi.test_cors import make_store
from tests.attacks.provider import CLIENT, JANE, Recording
from tests.attacks.signer import Message, sign
from tests.attacks.wire import call

HOST = (b"host", b"provider.example")
PREFIXES, EXCLUDED = ("/api",), ("/api/health",)


async def open_view(scope: Any, receive: Any, send: Any) -> None:
    """Answer everything."""
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


@pytest.fixture
async def store() -> Recording:
    """A store that counts its calls."""
    return Recording(await make_store())


@pytest.fixture
def protector(store: Recording) -> ResourceProtector:
    """A protector with that store."""
    protector = ResourceProtector()
    protector.register_hooks(cast("MemoryStore", store))  # it delegates
    return protector


async def ask(app: Any, target: str, **changes: Any) -> int:
    """The status of an unsigned request."""
    return (await call(app, Message(method="GET", target=target.encode(), headers=(HOST,)), **changes)).status


@pytest.mark.parametrize("target", ["/api/health", "/api/health/", "/api/health/live", "/api/health?x=/../photos"])
async def test_an_excluded_path_needs_no_signature(protector: ResourceProtector, target: str) -> None:
    """Neither does what is below it; all else still does."""
    app = OAuth1Middleware(open_view, protector, PREFIXES, exclude=EXCLUDED)
    assert await ask(app, target) == 204
    assert await ask(app, f"/v1{target}", root_path="/v1") == 204
    assert await ask(app, "/api/photos") == 401


@pytest.mark.parametrize(
    "target",
    [
        "/api/healthy",
        "/api/health/../photos",
        "/api/health/%2e%2e/photos",
        "/api/health/..%2fphotos",
        "/api/health\\..\\photos",
        "/api/health;/../photos",
        "/api/health/.;/../photos",
        "/api/Health",
        "/api//health",
        "/api/%68ealth",
        "/api/health%0a",
        "/api/health%00/photos",
        "/api/health%3f",
        "/api/health%23",
        "//api/health",
        "/api/health//x",
        "/api/health/./photos",
        "/api/health/x.",
        "/API/health",
        "/apihealth",
    ],
)
async def test_any_other_spelling_needs_one(protector: ResourceProtector, target: str) -> None:
    """Some framework would route it elsewhere, so it is not excluded."""
    app = OAuth1Middleware(open_view, protector, ["/"], exclude=EXCLUDED)
    assert await ask(app, target) == 401
    assert await ask(app, f"/v1{target}", root_path="/v1") == 401


@pytest.mark.parametrize(
    ("target", "root_path"),
    [
        ("/health/api/photos", "/api"),  # Litestar takes the root path off wherever it stands
        ("/api/health", "/health"),
        ("/apihealth", "/api"),
        ("/health/x/api", "/api"),
    ],
)
async def test_a_root_path_moves_no_protected_path_into_an_excluded_one(
    protector: ResourceProtector, target: str, root_path: str
) -> None:
    """Every reading of the path must be excluded."""
    app = OAuth1Middleware(open_view, protector, ["/"], exclude=["/health"])
    assert await ask(app, target, root_path=root_path) == 401


async def test_a_raw_path_that_differs(protector: ResourceProtector) -> None:
    """A framework may route either of them."""
    app = OAuth1Middleware(open_view, protector, ["/"], exclude=["/health"])
    assert await ask(app, "/health", raw_path=b"/photos") == 401
    assert await ask(app, "/photos", raw_path=b"/health") == 401
    assert await ask(app, "/health", raw_path=None) == 204


async def test_a_mount_that_needs_no_slash(protector: ResourceProtector) -> None:
    """A mount of Litestar at ``/heal`` would take ``/health`` for its ``/th``."""
    app = OAuth1Middleware(open_view, protector, ["/"], exclude=["/health"], mounts=["/heal"])
    assert await ask(app, "/health") == 401
    app = OAuth1Middleware(open_view, protector, ["/"], exclude=["/health"], mounts=["/health"])
    assert await ask(app, "/health/live") == 204


@pytest.mark.parametrize(
    ("prefixes", "exclude", "error"),
    [
        (["/api"], "/api/health", TypeError),
        (["/api"], ["api"], ValueError),
        (["/api"], ["/"], ValueError),
        (["/api"], ["/a/../b"], ValueError),
        (["/api"], ["/api/*"], None),
        (["/api"], ["/api/^health$"], ValueError),
        (["/api/health/private"], ["/api/health"], ValueError),
        (["/api"], ["/api"], ValueError),
    ],
)
def test_what_can_be_excluded(
    protector: ResourceProtector, prefixes: list[str], exclude: Iterable[str], error: type[Exception] | None
) -> None:
    """Plain paths; an exclusion that leaves a prefix without protection is an error."""
    if error is None:
        OAuth1Middleware(open_view, protector, prefixes, exclude=[*exclude])
        return
    with pytest.raises(error, match="exclude"):
        OAuth1Middleware(open_view, protector, prefixes, exclude=exclude)  # type: ignore[arg-type]


async def test_an_excluded_path_is_no_pattern(protector: ResourceProtector) -> None:
    """A star is a star."""
    app = OAuth1Middleware(open_view, protector, PREFIXES, exclude=["/api/*"])
    assert await ask(app, "/api/photos") == 401
    assert await ask(app, "/api/*") == 204


async def test_demands_and_what_is_shared(protector: ResourceProtector, store: Recording) -> None:
    """Of three middlewares with one protector the first verifies, and each checks what it demands more."""
    app: Any = OAuth1Middleware(open_view, protector, ["/photos"], scope="photos.read")
    app = OAuth1Middleware(app, protector, ["/photos", "/albums"])
    app = OAuth1Middleware(app, protector, ["/"], two_legged=True)
    approved = TemporaryCredential(
        oauth_token="t2", oauth_token_secret="s", client_id="client", oauth_callback="oob", user_id="jane"
    )
    for token, scope in (("wide", "photos.read albums.read"), ("narrow", "albums.read")):
        secrets = {"oauth_token": token, "oauth_token_secret": "toksecret", "scope": scope}
        await store.store.create_token_credential(secrets, approved)
    wide, narrow = replace(JANE, token="wide"), replace(JANE, token="narrow")
    expected = {
        ("/", CLIENT): 204, ("/albums", CLIENT): 400, ("/photos", CLIENT): 400,
        ("/albums", narrow): 204, ("/photos", narrow): 403, ("/photos", wide): 204,
    }  # fmt: skip
    for count, ((target, keys), status) in enumerate(expected.items(), start=1):
        answer = await call(app, sign(keys, "GET", target))
        assert (answer.status, store.calls["exists_nonce"]) == (status, count), (target, keys)


async def test_inside_a_mount_of_starlette(protector: ResourceProtector) -> None:
    """A mounted middleware sees the mount in its root path, and the signature is over the whole path."""
    inner = OAuth1Middleware(
        Starlette(routes=[Route("/photos", lambda _: PlainTextResponse("photos"))]), protector, ["/photos"]
    )
    app = Starlette(routes=[Mount("/api", inner)])
    assert await ask(app, "/api/photos") == 401
    assert (await call(app, sign(JANE, "GET", "/api/photos"))).body == b"photos"


async def test_a_form_that_was_read_before(protector: ResourceProtector) -> None:
    """What other middleware has kept is not taken for an empty form."""
    app = OAuth1Middleware(open_view, protector, ["/"])
    answer = await call(app, sign(JANE, "POST", "/", body=b"a=1"), pieces=[b""])
    assert (answer.status, "Content-Length" in answer.json["error_description"]) == (400, True)
