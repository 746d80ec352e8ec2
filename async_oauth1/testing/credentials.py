"""Credentials for tests, in any store."""

from __future__ import annotations

import secrets
from typing import Any

from async_oauth1.credentials import Client, TemporaryCredential, TokenCredential
from async_oauth1.stores import Store, TransientStore

__all__ = ["approve_dance", "issue_token", "register_client"]

#: The callbacks that a client may use unless a test names others.
CALLBACKS = ("https://client.example/ready", "oob")


async def register_client(store: Store, **attributes: Any) -> Client:
    """Register a client with random credentials.

    Args:
        store: open.
        attributes: of `Client`, instead of the usual ones.

    Raises:
        ValueError: the identifier is taken.
    """
    usual: dict[str, Any] = {
        "client_id": f"client-{secrets.token_hex(4)}",
        "client_secret": secrets.token_urlsafe(24),
        "name": "Test client",
        "callbacks": CALLBACKS,
    }
    client = Client(**(usual | attributes))
    await store.add_client(client)
    return client


async def issue_token(store: Store, client: Client, user_id: str = "alice", *, scope: str = "") -> TokenCredential:
    """Issue token credentials without the three legs.

    Args:
        store: open.
        client: registered in it.
        user_id: the resource owner.
        scope: separated by spaces.

    Raises:
        ValueError: there is no such client.
    """
    return await store.issue_token_credential(client.client_id, user_id, scope=scope)


async def approve_dance(
    store: TransientStore, client: Client, user_id: str = "alice", *, callback: str = "", scope: str = ""
) -> TemporaryCredential:
    """Make temporary credentials that the resource owner has approved (RFC 5849 sections 2.1 and 2.2).

    Args:
        store: open.
        client: asks for them.
        user_id: the resource owner.
        callback: by default the first one of the client.
        scope: asked for and granted.

    Returns:
        The credentials; ``oauth_verifier`` is what the client sends to exchange them.
    """
    token = {"oauth_token": secrets.token_urlsafe(16), "oauth_token_secret": secrets.token_urlsafe(24)}
    to = callback or next(iter(client.callbacks), "oob")
    made = await store.create_temporary_credential(token, client.client_id, to, scope=scope)
    await store.create_authorization_verifier(made, user_id, secrets.token_urlsafe(16), scope=scope)
    found = await store.get_temporary_credential(made.oauth_token)
    if found is None or not found.is_decided():
        raise AssertionError(f"{store.url} has lost an approval.")
    return found
