"""The keys and signature methods of a client, from a record or from a provider's models.

Records are read directly. The methods of models are called like hooks, since each may be a coroutine function.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from typing import Any

from async_oauth1.credentials import Client, TemporaryCredential, TokenCredential
from async_oauth1.protocol.encoding import as_text
from async_oauth1.protocol.signature import SigningKeys
from async_oauth1.tolerances import EMPTY_CLIENT_SECRET

from .hooks import call_hook, optional

log = logging.getLogger("async_oauth1")

_NO_KEYS = (SigningKeys(),)
# Subclasses are excluded, because they may override a method with a coroutine function.
_CREDENTIALS = (TokenCredential, TemporaryCredential, type(None))

#: The keys of a client, any of which may verify, and the names of the signature methods that are enabled for it, or
#: ``None`` for all of the server's methods. There is at least one key; without any secret it is one that never matches.
KeysAndMethods = tuple[Sequence[SigningKeys], Collection[str] | None]


def keys_of_records(
    client: Any, credential: Any, *, rsa: bool, tolerances: Collection[str] = ()
) -> KeysAndMethods | None:
    """Return the keys and methods of records, or ``None`` if client or credential is a model (see `keys_of_models`).

    Args:
        client: the client that signed the request.
        credential: the temporary or token credentials, or ``None``.
        rsa: whether the signature method uses the client's RSA key instead of shared secrets.
        tolerances: the tolerances of the client.
    """
    if type(client) is not Client or type(credential) not in _CREDENTIALS:
        return None
    methods = client.get_signature_methods()
    if rsa:
        return (SigningKeys(rsa_key=client.rsa_public_key),), methods
    token_secret = "" if credential is None else credential.oauth_token_secret
    keys = [SigningKeys(secret, token_secret) for secret in client.get_client_secrets()]
    return keys or _keys_without_client_secret(token_secret, tolerances), methods


async def keys_of_models(
    client: Any, credential: Any, *, rsa: bool, tolerances: Collection[str] = ()
) -> KeysAndMethods:
    """Return the keys and methods of models; see `keys_of_records` for the arguments."""
    if rsa:
        keys: Sequence[SigningKeys] = (SigningKeys(rsa_key=await _ask_for_key(client.get_rsa_public_key)),)
    else:
        secret = await call_hook(credential.get_oauth_token_secret) if credential is not None else None
        token_secret = as_text(secret or "")
        keys = [SigningKeys(as_text(secret), token_secret) for secret in await _client_secrets(client)]
        keys = keys or _keys_without_client_secret(token_secret, tolerances)
    return keys, await optional(client, "get_signature_methods")


def _keys_without_client_secret(token_secret: str, tolerances: Collection[str]) -> Sequence[SigningKeys]:
    if token_secret and EMPTY_CLIENT_SECRET in tolerances:
        return (SigningKeys("", token_secret, token_secret_suffices=True),)
    return _NO_KEYS


async def _client_secrets(client: Any) -> list[Any]:
    if hasattr(client, "get_client_secrets"):
        secrets = await call_hook(client.get_client_secrets)
        if isinstance(secrets, str | bytes):  # otherwise each letter would be a secret
            secrets = [secrets]
    else:
        secrets = [await _ask_for_key(client.get_client_secret)]
    return [secret for secret in secrets if secret]


async def _ask_for_key(method: Callable[..., Any]) -> Any:
    try:
        return await call_hook(method)
    except NotImplementedError:  # from Authlib's mixins; the client chooses which key is needed
        log.warning("%s is not implemented, so the client has no such key.", getattr(method, "__qualname__", method))
        return None
