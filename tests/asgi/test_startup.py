"""Missing hooks are named before the first request, all together, by everything that sees the start."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from async_oauth1 import AuthorizationServer, Policy, ResourceProtector
from async_oauth1.asgi import OAuth1Middleware, authorization_endpoints, check_hooks
from async_oauth1.errors import MissingHookError
from async_oauth1.stores import MemoryStore
from tests.attacks.signer import Keys, sign
from tests.attacks.wire import call


async def start(app: Any) -> list[Any]:
    """Start and stop an application as a server does, and return what it says. Our error says the same."""
    said: list[Any] = []
    events = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])

    async def receive() -> Any:
        return next(events)

    async def send(event: Any) -> None:
        said.append(event)

    raised = None
    try:
        await app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, receive, send)
    except (MissingHookError, ValueError) as error:
        raised = {"type": "lifespan.startup.failed", "message": str(error)}
    assert raised is None or said == [raised]
    return said


def protector(**how: Any) -> ResourceProtector:
    """A protector without hooks."""
    return ResourceProtector(**how)


def complete(server: Any) -> Any:
    """A server with hooks."""
    server.register_hooks(MemoryStore())
    return server


COMPLETE = ["lifespan.startup.complete", "lifespan.shutdown.complete"]


async def test_a_complete_application_starts_and_stops() -> None:
    """The application's own start and stop are passed on."""
    app = OAuth1Middleware(Starlette(), complete(ResourceProtector()), ["/"])
    assert [event["type"] for event in await start(app)] == COMPLETE
    assert [
        event["type"] for event in await start(authorization_endpoints(complete(AuthorizationServer())))
    ] == COMPLETE


async def test_all_missing_hooks_are_named_together() -> None:
    """Several layers over one application give one message with the hooks of each; the application then stops."""
    stopped: list[str] = []

    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        yield
        stopped.append("stopped")

    inner = OAuth1Middleware(Starlette(lifespan=lifespan), protector(), ["/a"])
    exists = {"exists_nonce": MemoryStore().exists_nonce}
    (said,) = await start(OAuth1Middleware(inner, protector(**exists), ["/b"]))
    assert said["type"] == "lifespan.startup.failed"
    assert said["message"].count("query_client") == 2
    assert said["message"].count("exists_nonce") == 1
    assert stopped == ["stopped"]


async def test_the_endpoints_name_theirs() -> None:
    """An application of endpoints alone does not start without hooks."""
    (said,) = await start(authorization_endpoints(AuthorizationServer()))
    assert said["type"] == "lifespan.startup.failed"
    assert "create_token_credential" in said["message"]


async def test_the_application_may_register_hooks_while_it_starts() -> None:
    """They are checked when it has started."""
    late = protector()

    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        late.register_hooks(MemoryStore())
        yield

    app = OAuth1Middleware(Starlette(lifespan=lifespan), late, ["/"])
    assert [event["type"] for event in await start(app)] == COMPLETE


async def test_an_unknown_signature_method_is_named() -> None:
    """A policy that no request could fulfil is found at the start, too."""
    (said,) = await start(
        OAuth1Middleware(Starlette(), complete(protector(policy=Policy(signature_methods=("HMAC-MD5",)))), ["/"])
    )
    assert (said["type"], "HMAC-MD5" in said["message"]) == ("lifespan.startup.failed", True)


@pytest.mark.parametrize("raises", [True, False])
async def test_an_application_without_lifespan_events(raises: bool) -> None:
    """Its hooks are checked all the same; if none is missing, the server learns what it would without us."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if raises:
            raise RuntimeError("no lifespan here")

    (said,) = await start(OAuth1Middleware(app, protector(), ["/"]))
    assert said["type"] == "lifespan.startup.failed"
    if raises:
        with pytest.raises(RuntimeError, match="no lifespan"):
            await start(OAuth1Middleware(app, complete(protector()), ["/"]))
    else:
        assert await start(OAuth1Middleware(app, complete(protector()), ["/"])) == []


async def test_an_application_that_fails_to_start() -> None:
    """Its own error is what the server gets, not ours."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    assert await start(OAuth1Middleware(app, protector(), ["/"])) == [
        {"type": "lifespan.startup.failed", "message": "no database"}
    ]


def test_check_hooks_names_everything() -> None:
    """An application's own lifespan can check several servers at once."""
    with pytest.raises(MissingHookError, match=r"query_token.*create_authorization_verifier"):
        check_hooks(protector(), AuthorizationServer())
    check_hooks(complete(protector()), complete(AuthorizationServer()))


async def test_mounted_endpoints_name_theirs_at_the_first_request() -> None:
    """A mounted application sees no start, so the first request fails with an error that names them."""
    app = Starlette(routes=[Mount("/oauth", authorization_endpoints(AuthorizationServer()))])
    assert [event["type"] for event in await start(app)] == COMPLETE
    message = sign(Keys(client_id="c", client_secret="s"), "POST", "/oauth/initiate", oauth={"callback": "oob"})
    with pytest.raises(MissingHookError, match="create_temporary_credential"):
        await call(app, message)
