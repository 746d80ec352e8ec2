"""Checks what `Store.update_client` is given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

from async_oauth1.credentials import Client, ClientChanges

from .base import check_text

__all__ = ["check_changes"]

_LISTS = ("callbacks", "tolerances", "signature_methods")


def check_changes(changes: Mapping[str, object]) -> ClientChanges:
    """Refuse changes with which a client could not work.

    Args:
        changes: the arguments of `Store.update_client`, which callers without a type checker may get wrong.

    Raises:
        TypeError: a name that is not in `ClientChanges`, or a value of the wrong type.
        ValueError: an unknown nonce policy or tolerance, or text that cannot be stored.
        InvalidRequestError: a callback that the first step would refuse.
    """
    known = ClientChanges.__annotations__
    for name in changes:
        if name not in known:
            raise TypeError(f"update_client cannot change {name!r}; it can change {', '.join(known)}")
    if not isinstance(changes.get("callback_query_may_differ", False), bool):
        raise TypeError(f"callback_query_may_differ is True or False, not {changes['callback_query_may_differ']!r}")
    for name, kinds in (("name", str), ("rsa_public_key", (str, type(None)))):
        if not isinstance(changes.get(name, ""), kinds):
            raise TypeError(f"{name} is a string, not {type(changes[name]).__name__}")
    if changes.get("rsa_public_key") == "":
        raise ValueError("rsa_public_key is PEM, or None for no key")
    check_text(Client(client_id="-", **cast("ClientChanges", changes)))
    # Also from a list.
    lists = {name: tuple(cast("Iterable[str]", changes[name])) for name in _LISTS if name in changes}
    return cast("ClientChanges", {**changes, **lists})
