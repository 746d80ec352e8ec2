"""Reads what a JSON document says of a client."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from async_oauth1.admin.descriptions import describe_client
from async_oauth1.admin.registration import checked_changes, new_client
from async_oauth1.credentials import Client, ClientChanges
from async_oauth1.errors import OAuth1Error

from .problems import ProblemError

__all__ = [
    "changes_between",
    "client_from",
    "invalid",
    "typed_members",
]

#: What a client is made from, and the type of each.
CREATED: Mapping[str, type] = {
    "client_id": str,
    "name": str,
    "callbacks": list,
    "signature_methods": list,
    "rsa_public_key": str,
    "nonce_policy": str,
    "callback_query_may_differ": bool,
    "tolerances": list,
}
#: What of it can be changed afterwards, besides ``disabled``.
CHANGED = tuple(ClientChanges.__annotations__)
_DEFAULTS: dict[str, Any] = {
    "callbacks": [],
    "callback_query_may_differ": False,
    "nonce_policy": "strict",
    "tolerances": [],
}


def client_from(value: Any) -> Client:
    """The new client that a document describes, with a new secret.

    Raises:
        ProblemError: 400; the detail names the member that is wrong.
    """
    members = typed_members(value, CREATED)
    if "name" not in members:
        raise ProblemError(400, '"name" is missing: it is what users read on the consent page.')
    if members.get("client_id") in (".", ".."):  # which HTTP clients remove from paths, also if they are encoded
        raise ProblemError(400, '"client_id" must not be "." or "..": no request could name the client.')
    try:
        return new_client(**members)
    except (TypeError, ValueError, OAuth1Error) as error:
        raise invalid(error) from None


def changes_between(client: Client, value: Any, *, replaced: bool) -> tuple[ClientChanges, bool | None]:
    """What a document changes of a client.

    A public key that is ``null`` is removed, and so is one that a patch removes. A PUT without the members ``name``,
    ``signature_methods`` and ``rsa_public_key`` keeps them, and ``disabled``, too: a program that does not know of them
    must not change how a client signs.

    Args:
        client: as it is.
        value: as it should be. Members that cannot be changed may be left out, or have the present value.
        replaced: whether members that have a default get it if they are left out.

    Returns:
        The changes, and whether the client should be disabled, if that changes.

    Raises:
        ProblemError: 400; the detail names the member that is wrong.
    """
    present = describe_client(client)
    value, removed = _without_key(value, replaced=replaced)
    members = typed_members(value, {**CREATED, "disabled": bool}, also=present)
    wanted = {**(_DEFAULTS if replaced else {}), **members, **removed}
    different = {name: new for name, new in wanted.items() if new != present.get(name)}
    fixed = [name for name in different if name not in (*CHANGED, "disabled")]
    if fixed:
        raise ProblemError(400, f'"{fixed[0]}" cannot be changed; register a new client instead.')
    disabled: bool | None = different.pop("disabled", None)
    try:
        return checked_changes(client, cast("ClientChanges", different)), disabled
    except ValueError as error:
        raise invalid(error) from None


def _without_key(value: Any, *, replaced: bool) -> tuple[Any, dict[str, None]]:
    """A document without the member ``rsa_public_key`` if that is ``null``, and the change that this stands for."""
    if not isinstance(value, dict):
        return value, {}
    members = cast("dict[str, Any]", value)
    if members.get("rsa_public_key") is not None or (replaced and "rsa_public_key" not in members):
        return members, {}
    rest = {name: member for name, member in members.items() if name != "rsa_public_key"}
    return rest, {"rsa_public_key": None}


def typed_members(value: Any, types: Mapping[str, type], also: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The members of an object, of the right types.

    Args:
        value: a JSON value.
        types: of the members that there may be.
        also: members that may be there with exactly these values, such as those of an answer; they are left out.

    Raises:
        ProblemError: 400; the detail names the member that is wrong.
    """
    if not isinstance(value, dict):
        raise ProblemError(400, "The body must be a JSON object.")
    known = also or {}
    members: dict[str, Any] = {}
    for name, member in cast("dict[str, Any]", value).items():
        if name in types and not (member is None and name in known and known[name] is None):
            members[name] = _typed(name, member, types[name])
        elif name not in known and name not in types:
            raise ProblemError(400, f"{name[:100]!a} is not a member; there are {', '.join({**types, **known})}.")
        elif name not in types and name != "last_used_at" and member != known[name]:
            raise ProblemError(400, f'"{name}" cannot be changed here.')
    return members


def _typed(name: str, value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise ProblemError(400, f'"{name}" must be {_KINDS[kind]}.')
    if kind is list and not all(isinstance(item, str) for item in cast("list[Any]", value)):
        raise ProblemError(400, f'"{name}" must be an array of strings.')
    return value


def invalid(error: Exception) -> ProblemError:
    """The problem of a value that the store or a record has refused."""
    text = error.description if isinstance(error, OAuth1Error) else str(error)
    return ProblemError(400, f"{text or 'The values are not valid'}".rstrip(".") + ".")


_KINDS = {str: "a string", list: "an array of strings", bool: "true or false", int: "a whole number"}
