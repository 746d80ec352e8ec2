"""New clients, checked as ``async-oauth1 client add`` checks them."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from async_oauth1.credentials import RSA_METHODS, Client, ClientChanges, NoncePolicy
from async_oauth1.protocol.callbacks import callback_fault
from async_oauth1.protocol.signature import SIGNATURE_METHODS
from async_oauth1.stores import check_text

__all__ = [
    "DEFAULT_METHOD",
    "DEFAULT_RSA_METHOD",
    "FieldError",
    "checked_callbacks",
    "checked_changes",
    "checked_methods",
    "checked_name",
    "new_client",
]

#: The methods of a client for which none is chosen.
DEFAULT_METHOD, DEFAULT_RSA_METHOD = "HMAC-SHA1", "RSA-SHA1"
_MAX_NAME_LENGTH = 200


class FieldError(ValueError):
    """A value that a new client cannot have.

    Attributes:
        field: name of the attribute of `Client`.
        reason: what is wrong with the value, or what to write instead.
    """

    def __init__(self, field: str, reason: str) -> None:
        """Make the message of both."""
        super().__init__(f"{field}: {reason}")
        self.field, self.reason = field, reason


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
    """
    client = Client(
        client_id=secrets.token_hex(16) if client_id is None else client_id,
        client_secret=secrets.token_urlsafe(32),
        name=checked_name(name),
        callbacks=checked_callbacks(callbacks),
        signature_methods=checked_methods(signature_methods, has_key=rsa_public_key is not None),
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
        FieldError: says which value is wrong, and why.
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
        FieldError: it is empty, too long, or has control characters.
    """
    if not name.strip() or not name.isprintable() or len(name) > _MAX_NAME_LENGTH:
        raise FieldError("name", f"write 1 to {_MAX_NAME_LENGTH} printable characters on one line")
    return name.strip()


def checked_callbacks(callbacks: Sequence[str]) -> tuple[str, ...]:
    """A client's callbacks, each once.

    Raises:
        FieldError: the first step would refuse one of them.
    """
    for callback in callbacks:
        if fault := callback_fault(callback):
            raise FieldError("callbacks", f"{callback[:100]!a} {fault}")
    return tuple(dict.fromkeys(callbacks))


def checked_methods(names: Sequence[str], *, has_key: bool) -> tuple[str, ...]:
    """A new client's signature methods, each once, or the default.

    Args:
        names: in the order of preference; empty for the default.
        has_key: the client has an RSA public key.

    Raises:
        FieldError: one is unknown, or they do not go with the key.
    """
    methods = tuple(dict.fromkeys(names)) or ((DEFAULT_RSA_METHOD,) if has_key else (DEFAULT_METHOD,))
    _check_methods(methods, has_key=has_key)
    return methods


def _check_methods(methods: Sequence[str], *, has_key: bool) -> None:
    for name in methods:
        if name not in SIGNATURE_METHODS:
            known = ", ".join(SIGNATURE_METHODS)
            raise FieldError("signature_methods", f"{name[:100]!a} is unknown; choose from {known}")
    rsa = [name for name in methods if name in RSA_METHODS]
    if rsa and not has_key:
        raise FieldError("signature_methods", f"{rsa[0]} needs the client's public key")
    if has_key and methods and not rsa:
        raise FieldError(
            "signature_methods",
            "none of these uses the public key; choose one that does, such as RSA-SHA256, or leave the key out",
        )
