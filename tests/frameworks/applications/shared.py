"""What the applications under test have in common."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

from async_oauth1 import Client, ResourceProtector, StoreUnavailableError, TemporaryCredential
from async_oauth1.asgi import current_client, current_credential, current_oauth1_request
from async_oauth1.stores import MemoryStore

#: The calls of protected handlers.
calls: list[str] = []


def called() -> None:
    """Count a call of a protected handler."""
    calls.append(current_oauth1_request.raw_path.decode())


def whom() -> dict[str, Any]:
    """Count a call, and say what the request is signed with; a helper that is given nothing."""
    called()
    return {
        "client": current_client.client_id,
        "user": current_credential.user_id if current_credential else None,
        "query": [list(pair) for pair in current_oauth1_request.query_params],
    }


def pairs(form: Iterable[tuple[str, Any]]) -> list[list[str]]:
    """The fields of a form, as JSON has them."""
    called()
    return [[name, str(value)] for name, value in form]


class Digest:
    """Takes a body in pieces."""

    def __init__(self) -> None:
        """Count a call."""
        called()
        self._hashed = hashlib.sha256()
        self._length = 0

    def add(self, piece: bytes) -> None:
        """Add a piece."""
        self._hashed.update(piece)
        self._length += len(piece)

    def as_json(self) -> dict[str, Any]:
        """The length and the hash."""
        return {"length": self._length, "sha256": self._hashed.hexdigest()}


async def add_credentials(store: MemoryStore) -> None:
    """One client with two tokens: ``tok`` for ``photos.read``, and ``wide`` for ``albums.read``, too."""
    await store.add_client(Client(client_id="client", client_secret="secret", callbacks=("oob",)))
    for token, scope in (("tok", "photos.read"), ("wide", "photos.read albums.read")):
        pending = TemporaryCredential(
            oauth_token=f"t-{token}", oauth_token_secret="s", client_id="client", oauth_callback="oob", user_id="jane"
        )
        issued = {"oauth_token": token, "oauth_token_secret": "toksecret", "scope": scope}
        await store.create_token_credential(issued, pending)


def run_now(work: Any) -> None:
    """Finish a coroutine that awaits nothing."""
    try:
        work.send(None)
    except StopIteration:
        return
    raise RuntimeError("the coroutine awaits something")


def make_store() -> MemoryStore:
    """A store with the credentials, made without an event loop."""
    store = MemoryStore()
    run_now(add_credentials(store))
    return store


def unavailable(*_: Any) -> Any:
    """A hook whose store is down."""
    raise StoreUnavailableError


def failing(*_: Any) -> Any:
    """A hook with a mistake."""
    raise ZeroDivisionError


def protect(protector: Any, hook: Callable[..., Any] | None = None) -> Any:
    """Give a protector a store, or hooks that all fail."""
    if hook is None:
        protector.register_hooks(make_store())
    else:
        for name in ("query_client", "query_token", "exists_nonce"):
            protector.register_hook(name, hook)
    return protector


#: The protectors of every framework but Quart, which has its own class.
protector: ResourceProtector = protect(ResourceProtector())
down: ResourceProtector = protect(ResourceProtector(), unavailable)
broken: ResourceProtector = protect(ResourceProtector(), failing)
