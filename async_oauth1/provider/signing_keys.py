"""What verification asks of the client and the credential that the hooks have found.

The shipped records are values, and are read. A provider's own models are asked as hooks are called: each of their
methods may be a coroutine function.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from typing import Any

from async_oauth1.credentials import Client, TemporaryCredential, TokenCredential
from async_oauth1.protocol.encoding import as_text
from async_oauth1.protocol.request import OAuth1Request
from async_oauth1.protocol.signature import SIGNATURE_METHODS, SigningKeys

from .hooks import call_hook, optional

log = logging.getLogger("async_oauth1")

_NO_KEYS = (SigningKeys(),)
# An unknown client costs what a known one does: these keys make the same computation, and match nothing.
_DUMMY_KEYS = SigningKeys(client_secret="0" * 48, token_secret="0" * 48)
# Exactly these: a subclass may have made a coroutine function of a method.
_CREDENTIALS = (TokenCredential, TemporaryCredential, type(None))

#: What a client may sign with: keys, each of which verifies, and the names of the signature methods enabled for it, or
#: ``None`` for all of the server's. There is always one key, if only one that matches nothing.
SigningMeans = tuple[Sequence[SigningKeys], Collection[str] | None]


def recorded_means(client: Any, credential: Any, *, rsa: bool) -> SigningMeans | None:
    """What the shipped records say; ``None`` if one of the two is a model, which `asked_means` asks.

    Args:
        client: the client that signed.
        credential: the temporary or token credentials.
        rsa: the signature is made with the client's RSA key, not with shared secrets.
    """
    if type(client) is not Client or type(credential) not in _CREDENTIALS:
        return None
    methods = client.get_signature_methods()
    if rsa:
        return (SigningKeys(rsa_key=client.rsa_public_key),), methods
    token_secret = "" if credential is None else credential.oauth_token_secret
    return [SigningKeys(secret, token_secret) for secret in client.get_client_secrets()] or _NO_KEYS, methods


async def asked_means(client: Any, credential: Any, *, rsa: bool) -> SigningMeans:
    """What models say; see `recorded_means`."""
    if rsa:
        keys: Sequence[SigningKeys] = (SigningKeys(rsa_key=await _ask_for_key(client.get_rsa_public_key)),)
    else:
        secret = await call_hook(credential.get_oauth_token_secret) if credential is not None else None
        token_secret = as_text(secret or "")
        keys = [SigningKeys(as_text(secret), token_secret) for secret in await _client_secrets(client)] or _NO_KEYS
    return keys, await optional(client, "get_signature_methods")


async def _client_secrets(client: Any) -> list[Any]:
    if hasattr(client, "get_client_secrets"):
        secrets = await call_hook(client.get_client_secrets)
        if isinstance(secrets, str | bytes):  # its letters would be the secrets
            secrets = [secrets]
    else:
        secrets = [await _ask_for_key(client.get_client_secret)]
    return [secret for secret in secrets if secret]


async def _ask_for_key(method: Callable[..., Any]) -> Any:
    try:
        return await call_hook(method)
    except NotImplementedError:  # Authlib's mixins raise it, and the client chooses which of the two it comes to
        log.warning("%s is not implemented, so the client has no such key.", getattr(method, "__qualname__", method))
        return None


def verify_in_vain(request: OAuth1Request) -> None:
    """Compute what a known client's request costs, with keys that match nothing."""
    method = SIGNATURE_METHODS.get(request.signature_method or "")
    if method is None or method.key_kind == "RSA key":
        method = SIGNATURE_METHODS["HMAC-SHA512"]
    method.verify(request.signature_base_string, request.signature or "", _DUMMY_KEYS)
