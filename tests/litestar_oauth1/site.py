"""A Litestar application to protect, and its protector."""

from __future__ import annotations

import logging
from typing import Any, cast

import pytest
from litestar import Litestar, Request, get, route
from litestar.status_codes import HTTP_200_OK

from async_oauth1 import Policy, ResourceProtector, TemporaryCredential
from async_oauth1.litestar import OAuth1Auth, current_client, current_credential
from async_oauth1.stores import MemoryStore
from tests.asgi.test_cors import make_store
from tests.attacks.provider import Recording
from tests.attacks.signer import Message

HOST = (b"host", b"provider.example")


async def make_protector(policy: Policy | None = None) -> tuple[ResourceProtector, Recording]:
    """A protector, and its store: the token ``tok`` has no scope, ``wide`` has ``photos.read``."""
    store = await make_store()
    approved = TemporaryCredential(
        oauth_token="t2", oauth_token_secret="s", client_id="client", oauth_callback="oob", user_id="jane"
    )
    secrets = {"oauth_token": "wide", "oauth_token_secret": "toksecret", "scope": "photos.read albums.read"}
    await store.create_token_credential(secrets, approved)
    recording = Recording(store)
    protector = ResourceProtector(policy=policy)
    protector.register_hooks(cast("MemoryStore", recording))  # it delegates
    return protector, recording


@get("/photos", sync_to_thread=True)
def photos(request: Request[Any, Any, Any]) -> dict[str, Any]:
    """What the request says about its user, in a thread."""
    return {
        "identity": request.user.identity,
        "auth": getattr(request.auth, "oauth_token", None) or request.auth.client_id,
        "client": current_client.client_id,
        "token": current_credential.oauth_token if current_credential else None,
    }


@route("/any", http_method=["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"], status_code=HTTP_200_OK)
async def anything() -> str:
    """Take every method."""
    return "any"


async def protected_site(*handlers: Any, policy: Policy | None = None, **how: Any) -> Litestar:
    """An application of which everything is protected."""
    protector, _ = await make_protector(policy)
    oauth1 = OAuth1Auth(protector, **how)
    return Litestar([*(handlers or [photos, anything])], on_app_init=[oauth1.on_app_init])


def unsigned(method: str, target: str, *headers: tuple[bytes, bytes], body: bytes = b"") -> Message:
    """A request without OAuth."""
    return Message(method=method, target=target.encode(), headers=(HOST, *headers), body=body)


def listen(caplog: pytest.LogCaptureFixture) -> None:
    """Capture the log of the package: making an application of Litestar removes the handlers of the root."""
    log = logging.getLogger("async_oauth1")
    log.addHandler(caplog.handler)
