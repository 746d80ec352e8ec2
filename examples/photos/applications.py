"""The applications that Jane has let in, and the one that waits for her answer, as the pages show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

from async_oauth1 import Client, TokenCredential
from async_oauth1.stores import RecordsUses, Store, TransientStore

__all__ = ["Application", "destination", "let_in_by", "name_of", "waiting_for_answer", "waiting_for_sign_in"]


@dataclass(frozen=True, slots=True)
class Application:
    """An application with access to her photos.

    Attributes:
        client_id: the client's identifier.
        name: its name, or else the identifier.
        hosts: where its callbacks lead; without any, the schemes that open it as an app.
        since: when she let it in first.
        last_used: when it last made a request for her, up to a minute earlier; ``None`` if it has made none.
        scopes: all that she has granted to it.
    """

    client_id: str
    name: str
    hosts: tuple[str, ...]
    since: datetime
    last_used: datetime | None
    scopes: tuple[str, ...]


async def let_in_by(user: str, store: Store, client_id: str | None = None) -> list[Application]:
    """The applications that a user has let in, in the order in which they came.

    Args:
        user: the user.
        store: keeps clients and token credentials.
        client_id: only this application.
    """
    tokens: dict[str, list[TokenCredential]] = {}
    for token in await store.list_token_credentials(user_id=user, client_id=client_id):
        tokens.setdefault(token.client_id, []).append(token)
    used = await _last_uses(user, store) if tokens else {}
    return [_application(name, await store.query_client(name), tokens[name], used) for name in tokens]


async def _last_uses(user: str, store: Store) -> dict[str | None, float]:
    if not isinstance(store, RecordsUses):
        return {}
    return {use.oauth_token: use.used_at for use in await store.last_uses(user_id=user)}


def _application(
    client_id: str, client: Client | None, tokens: Sequence[TokenCredential], used: Mapping[str | None, float]
) -> Application:
    uses = [used[token.oauth_token] for token in tokens if token.oauth_token in used]
    return Application(
        client_id,
        name_of(client) or client_id,
        _hosts(client.callbacks) if client else (),
        datetime.fromtimestamp(min(token.created_at for token in tokens), UTC),
        datetime.fromtimestamp(max(uses), UTC) if uses else None,
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
