"""New clients, checked as ``async-oauth1 client add`` checks them."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from async_oauth1.credentials import RSA_METHODS, Client, ClientChanges, NoncePolicy
from async_oauth1.protocol.signature import SIGNATURE_METHODS
from async_oauth1.stores import check_text

__all__ = ["checked_changes", "checked_name", "new_client"]

#: The methods of a client for which none is chosen.
DEFAULT_METHOD, DEFAULT_RSA_METHOD = "HMAC-SHA1", "RSA-SHA1"
_MAX_NAME_LENGTH = 200


def new_client(
    name: str,
    *,
    client_id: str | None = None,
    callbacks: Sequence[str] = (),
    signature_methods: Sequence[str] = (),
    rsa_public_key: str | None = None,
    nonce_policy: NoncePolicy = "strict",
    callback_query_may_differ: bool = False,
    tolerances: Sequence[str] = (),
) -> Client:
    """A new client with a secret of 256 random bits; nothing is stored.

    Args:
        name: what the resource owner reads on the consent page.
        client_id: ``None`` for a random one.
        callbacks: as in `Client`.
        signature_methods: as in `Client`; by default HMAC-SHA1, or RSA-SHA1 with a key.
        rsa_public_key: as in `Client`.
        nonce_policy: as in `Client`.
        callback_query_may_differ: as in `Client`.
        tolerances: as in `Client`.

    Raises:
        ValueError: says which value is wrong, and why.
        InvalidRequestError: a callback that the first step would refuse.
    """
    client = Client(
        client_id=secrets.token_hex(16) if client_id is None else client_id,
        client_secret=secrets.token_urlsafe(32),
        name=checked_name(name),
        callbacks=tuple(dict.fromkeys(callbacks)),
        signature_methods=_checked_methods(signature_methods, has_key=rsa_public_key is not None),
        rsa_public_key=rsa_public_key,
        nonce_policy=nonce_policy,
        callback_query_may_differ=callback_query_may_differ,
        tolerances=tuple(tolerances),
    )
    check_text(client)
    return client


def checked_changes(client: Client, changes: ClientChanges) -> ClientChanges:
    """The changes, whose name, signature methods and key must be such that a new client would be registered with them.

    Args:
        client: as it is.
        changes: the new values.

    Raises:
        ValueError: says which value is wrong, and why.
    """
    changes = changes.copy()
    if "name" in changes:
        changes["name"] = checked_name(changes["name"])
    if "signature_methods" in changes:
        changes["signature_methods"] = tuple(dict.fromkeys(changes["signature_methods"]))
    if "signature_methods" in changes or "rsa_public_key" in changes:
        key = changes.get("rsa_public_key", client.rsa_public_key)
        _check_methods(changes.get("signature_methods", client.signature_methods), has_key=key is not None)
    return changes


def checked_name(name: str) -> str:
    """A client's name, without white space around it.

    Raises:
        ValueError: it is empty, too long, or has control characters.
    """
    if not name.strip() or not name.isprintable() or len(name) > _MAX_NAME_LENGTH:
        raise ValueError(f"name is 1 to {_MAX_NAME_LENGTH} printable characters on one line")
    return name.strip()


def _checked_methods(names: Sequence[str], *, has_key: bool) -> tuple[str, ...]:
    methods = tuple(dict.fromkeys(names)) or ((DEFAULT_RSA_METHOD,) if has_key else (DEFAULT_METHOD,))
    _check_methods(methods, has_key=has_key)
    return methods


def _check_methods(methods: Sequence[str], *, has_key: bool) -> None:
    for name in methods:
        if name not in SIGNATURE_METHODS:
            raise ValueError(f"signature_methods: {name[:100]!a} is unknown; known are {', '.join(SIGNATURE_METHODS)}")
    rsa = [name for name in methods if name in RSA_METHODS]
    if rsa and not has_key:
        raise ValueError(f"signature_methods: {rsa[0]} needs rsa_public_key")
    if has_key and methods and not rsa:
        raise ValueError("rsa_public_key needs one of the signature_methods that use it, such as RSA-SHA256")
