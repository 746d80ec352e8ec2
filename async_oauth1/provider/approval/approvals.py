"""Approvals that are on record: the user and the verifier that temporary credentials are bound to (section 2.2).

A user who clicks twice, reloads the page or goes back gives the same answer again, and gets the same verifier again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

from async_oauth1.protocol.callbacks import OUT_OF_BAND
from async_oauth1.provider.hooks import call_hook, optional

__all__ = ["approved_verifier", "identifier_of", "is_undecided", "may_be_repeated", "verifier_spellings"]

# Blanks and hyphens of every kind: phones replace them, and a copied text may have invisible ones.
_SEPARATORS = re.compile("[\\s\u00ad\u200b-\u200d\u2010-\u2015\u2060\u2212\ufeff-]+")


async def approved_verifier(credential: Any, grant_user: Any) -> str | None:
    """The verifier of an approval, if this user has given it.

    Args:
        credential: temporary credentials, or ``None``.
        grant_user: a user's identifier, or an object with ``get_user_id()`` or ``id``.

    Returns:
        ``None`` if they are not approved, if another user has approved them, or if their model does not tell.
    """
    user_id, verifier = await _approval(credential)
    return verifier if user_id is not None and user_id == await identifier_of(grant_user) else None


async def may_be_repeated(credential: Any, grant_user: Any) -> bool:
    """Whether this user may approve again what is approved already.

    Args:
        credential: temporary credentials that are decided.
        grant_user: as for `approved_verifier`; ``None`` if it is not known yet which user asks.
    """
    if grant_user is None:
        return (await _approval(credential))[0] is not None
    return await approved_verifier(credential, grant_user) is not None


async def is_undecided(credential: Any) -> bool:
    """Whether temporary credentials wait for the resource owner; ``False`` if their model does not tell."""
    is_decided = await optional(credential, "is_decided")
    if is_decided is not None:
        return is_decided is False
    keeps_verifier = any(_has(credential, name) for name in ("get_verifier", "oauth_verifier"))
    return keeps_verifier and not await _read(credential, "get_verifier", "oauth_verifier")


async def identifier_of(user: Any) -> str | None:
    """The identifier of a user.

    Args:
        user: the identifier itself, or an object with ``get_user_id()`` or ``id``; a model of Django is known by its
            ``pk``, which need not be its ``id``. Numbers and UUIDs become text.

    Returns:
        ``None`` if there is none.
    """
    value = user if isinstance(user, (str, int, UUID)) else await _read(user, "get_user_id", _key_of(user))
    return None if isinstance(value, bool) or not isinstance(value, (str, int, UUID)) else str(value)


def _key_of(user: Any) -> str:
    return "pk" if hasattr(cast("Any", type(user)), "_meta") and _has(user, "pk") else "id"


async def verifier_spellings(credential: Any, verifier: str) -> list[str]:
    """What to compare with the verifier that was issued.

    A code that a person types (callback ``oob``) may have blanks, hyphens and capital letters. Every other verifier is
    compared exactly.

    Args:
        credential: the temporary credentials.
        verifier: ``oauth_verifier`` as it was sent.

    Returns:
        The verifier first, and then other spellings; none of them is empty.
    """
    if await call_hook(credential.get_redirect_uri) != OUT_OF_BAND:
        return [verifier]
    compact = _SEPARATORS.sub("", verifier)
    return [spelling for spelling in dict.fromkeys((verifier, compact, compact.lower())) if spelling]


async def _approval(credential: Any) -> tuple[str | None, str | None]:
    """The user and the verifier; ``None`` for both unless the model tells both."""
    user_id = await identifier_of(await _read(credential, "get_user_id", "user_id"))
    verifier = await _read(credential, "get_verifier", "oauth_verifier")
    if not user_id or not isinstance(verifier, str) or not verifier:
        return None, None
    # What it keeps may be a hash of the verifier.
    is_verifier = await call_hook(credential.check_verifier, verifier) is True
    return (user_id, verifier) if is_verifier else (None, None)


def _has(model: Any, name: str) -> bool:
    """Whether a model has an attribute, or a key; an ORM's attribute is not loaded for that."""
    kind = cast("Any", type(model))
    keys = cast("Mapping[str, Any]", model if isinstance(model, Mapping) else getattr(model, "__dict__", {}))
    return name in keys or hasattr(kind, name)


async def _read(model: Any, method: str, attribute: str) -> Any:
    """Ask a model by method, or else by attribute or key; ``None`` if it has none of them."""
    func = getattr(model, method, None)
    if callable(func):
        return await call_hook(func)
    if isinstance(model, Mapping):
        return cast("Mapping[str, Any]", model).get(attribute)
    loaded: dict[str, Any] = getattr(model, "__dict__", {})
    if attribute in loaded:
        return loaded[attribute]
    kind = cast("Any", type(model))
    if not hasattr(kind, attribute):
        return None
    return await call_hook(getattr, model, attribute, None)  # of an ORM, it may have to load it
