"""Scopes on their way from the client's request to the token credentials (RFC 5849 section 2 has none).

A client asks for a scope when it requests temporary credentials, in a parameter that it signs. The resource owner is
shown what it asks for. What the view passes to `AuthorizationServer.authorize` is granted, and nothing else.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from functools import partial
from typing import Any

from async_oauth1.errors import InvalidRequestError
from async_oauth1.protocol.request import OAuth1Request
from async_oauth1.provider.hooks import resolve

__all__ = [
    "MAX_SCOPE_LENGTH",
    "checked_scope",
    "granted_scope_of",
    "scope_in",
    "takes_scope",
    "with_scope",
]

#: Characters of a scope, all names together.
MAX_SCOPE_LENGTH = 1_000

#: The parameters in which a client asks for a scope.
_PARAMETERS = frozenset({"scope", "x_oauth_scope"})
_PRINTABLE = re.compile(r"[\x20-\x7e]*")


def checked_scope(scope: Any) -> str:
    """The names in a scope, each once, separated by one space.

    Args:
        scope: names separated by spaces, printable ASCII, at most `MAX_SCOPE_LENGTH` characters; ``None`` for no names.

    Raises:
        InvalidRequestError: it is too long, or has other characters. A browser or a client may have sent them.
        TypeError: it is not text.
    """
    if scope is None:
        return ""
    if not isinstance(scope, str):
        raise TypeError(f"a scope is one string, with spaces between its names, not {type(scope).__name__}")
    if len(scope) > MAX_SCOPE_LENGTH or not _PRINTABLE.fullmatch(scope):
        raise InvalidRequestError(
            f"A scope is names separated by spaces, in printable ASCII, of at most {MAX_SCOPE_LENGTH} characters."
        )
    return " ".join(dict.fromkeys(scope.split()))


def scope_in(request: OAuth1Request) -> str:
    """The scope that a client asks for, in ``scope`` or ``x_oauth_scope`` in the query or the form.

    Args:
        request: a request whose signature holds; it covers both places.

    Raises:
        InvalidRequestError: the request names a scope twice, or the scope is malformed.
    """
    named = [value for name, value in request.params if name in _PARAMETERS]
    if len(named) > 1:
        raise InvalidRequestError('The request names its scope twice. Send one "scope" or one "x_oauth_scope".')
    return checked_scope(named[0] if named else None)


async def granted_scope_of(temporary_credential: Any) -> str:
    """The scope that temporary credentials of any model were granted; empty if the model has no ``get_scope()``."""
    get_scope = getattr(temporary_credential, "get_scope", None)
    scope: Any = await resolve(get_scope()) if callable(get_scope) else None
    return scope or ""


def takes_scope(func: Callable[..., Any] | None) -> bool:
    """Whether a hook has a parameter with the name ``scope``.

    A wrapper that takes any keyword does not count: what it wraps may not take this one.
    """
    if func is None:
        return False
    try:
        parameter = inspect.signature(func).parameters.get("scope")
    except (TypeError, ValueError):  # it has no signature, like some functions in C
        return False
    return parameter is not None and parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)


def with_scope(func: Callable[..., Any], scope: str) -> Callable[..., Any]:
    """The hook with its ``scope`` filled in, if it has a parameter of that name."""
    return partial(func, scope=scope) if takes_scope(func) else func
