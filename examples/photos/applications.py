"""The applications that Jane has let in, and the one that waits for her answer, as the pages show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

from async_oauth1 import Client, TokenCredential
from async_oauth1.stores import Store, TransientStore

__all__ = ["Application", "destination", "let_in_by", "name_of", "waiting_for_answer", "waiting_for_sign_in"]


@dataclass(frozen=True, slots=True)
class Application:
    """An application with access to her photos.

    Attributes:
        client_id: the client's identifier.
        name: its name, or else the identifier.
        hosts: where its callbacks lead; without any, the schemes that open it as an app.
        since: when she let it in first.
        scopes: all that she has granted to it.
    """

    client_id: str
    name: str
    hosts: tuple[str, ...]
    since: datetime
    scopes: tuple[str, ...]


async def let_in_by(user: str, store: Store) -> list[Application]:
    """The applications that a user has let in, in the order in which they came."""
    tokens: dict[str, list[TokenCredential]] = {}
    for token in await store.list_token_credentials(user_id=user):
        tokens.setdefault(token.client_id, []).append(token)
    return [_application(client_id, await store.query_client(client_id), tokens[client_id]) for client_id in tokens]


def _application(client_id: str, client: Client | None, tokens: Sequence[TokenCredential]) -> Application:
    return Application(
        client_id,
        name_of(client) or client_id,
        _hosts(client.callbacks) if client else (),
        datetime.fromtimestamp(min(token.created_at for token in tokens), UTC),
        tuple(dict.fromkeys(scope for token in tokens for scope in token.scope.split())),
    )


def _hosts(callbacks: Sequence[str]) -> tuple[str, ...]:
    found = dict.fromkeys(destination(callback) for callback in callbacks if callback != "oob")
    return tuple(name for name in found if not name.endswith(":")) or tuple(name.rstrip(":") for name in found)


async def waiting_for_answer(oauth_token: str, store: Store, nonces: TransientStore) -> str | None:
    """The name of the application that asks with a temporary token; ``None`` if the token is unknown."""
    credential = await nonces.get_temporary_credential(oauth_token)
    return name_of(await store.query_client(credential.client_id)) if credential else None


async def waiting_for_sign_in(target: str, store: Store, nonces: TransientStore) -> str | None:
    """The name of the application that asks on the page that follows the sign-in page; ``None`` on other pages."""
    page = urlsplit(target)
    tokens = parse_qs(page.query).get("oauth_token", [])
    if page.path != "/authorize" or len(tokens) != 1:
        return None
    return await waiting_for_answer(tokens[0], store, nonces)


def name_of(client: Client | None) -> str | None:
    """A client's name, or else its identifier; ``None`` without a client."""
    return (client.name or client.client_id) if client else None


def destination(callback: str) -> str:
    """The host that the browser returns to, or the scheme if it opens an app."""
    parts = urlsplit(callback)
    return parts.netloc if parts.scheme in ("http", "https") else f"{parts.scheme}:"
