"""What a client can ask for beyond Jane's photos and her name, and what she grants of it."""

from __future__ import annotations

from collections.abc import Mapping

from async_oauth1 import OAuth1Request
from async_oauth1.credentials import TemporaryCredential
from async_oauth1.errors import InvalidRequestError
from async_oauth1.hooks import scope_in

#: Each scope, and what it means on the consent page.
SCOPES = {
    "photos.read": "see your albums",
    "photos.write": "add photos to your albums",
}


def requested_scope(request: OAuth1Request) -> str:
    """What a client asks for, when it requests temporary credentials.

    Raises:
        InvalidRequestError: a scope that does not exist.
    """
    scope = scope_in(request)
    unknown = sorted(set(scope.split()) - SCOPES.keys())
    if unknown:
        raise InvalidRequestError(f"There is no scope {unknown[0]!r}; there are {' and '.join(SCOPES)}.")
    return scope


def scopes_to_show(credential: TemporaryCredential) -> dict[str, str]:
    """What the client asks for, or what was granted if that is decided, with what each name means."""
    scope = credential.scope if credential.decided else credential.requested_scope
    return {name: SCOPES[name] for name in scope.split() if name in SCOPES}


def granted_scope(form: Mapping[str, str]) -> str:
    """The scopes that are ticked in the form of the consent page."""
    return " ".join(name for name in SCOPES if f"scope.{name}" in form)
