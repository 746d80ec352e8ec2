"""Responses as plain data, which each framework's adapter sends: status, body and headers.

The body and the headers of every error are made here: form-encoded at the authorization server's endpoints, as JSON at
protected resources.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import NamedTuple

from async_oauth1.errors import OAuth1Error, StoreUnavailableError, TooManyPendingError
from async_oauth1.protocol.encoding import escape_text

__all__ = ["OAuth1Response", "error_headers", "form_response", "resource_error_response", "server_error_response"]

FORM = "application/x-www-form-urlencoded"
_NOT_STORED = [("Cache-Control", "no-store"), ("Pragma", "no-cache")]


class OAuth1Response(NamedTuple):
    """A response.

    Attributes:
        status_code: HTTP status.
        body: ASCII text.
        headers: name and value pairs.
    """

    status_code: int
    body: str
    headers: list[tuple[str, str]]


def form_response(parameters: Iterable[tuple[str, str]], status_code: int = 200) -> OAuth1Response:
    """Make a response with form-encoded parameters, as RFC 5849 section 2 defines for credentials."""
    body = "&".join(f"{escape_text(name)}={escape_text(value)}" for name, value in parameters)
    return OAuth1Response(status_code, body, [("Content-Type", FORM), *_NOT_STORED])


def server_error_response(error: OAuth1Error, *, realm: str, allow: str) -> OAuth1Response:
    """Make the form-encoded response to an error at one of the authorization server's endpoints.

    Args:
        error: the error.
        realm: for ``WWW-Authenticate``.
        allow: the method that the endpoint accepts, for 405.
    """
    response = form_response([(name, value or "") for name, value in error.get_body()], error.status_code)
    response.headers.extend(error_headers(error, realm=realm, allow=allow))
    return response


def resource_error_response(error: OAuth1Error, *, realm: str) -> OAuth1Response:
    """Make the JSON response to an error at a protected resource.

    Args:
        error: the error.
        realm: for ``WWW-Authenticate``.
    """
    headers = [("Content-Type", "application/json"), *_NOT_STORED, *error_headers(error, realm=realm)]
    return OAuth1Response(error.status_code, json.dumps(dict(error.get_body())), headers)


def error_headers(error: OAuth1Error, *, realm: str, allow: str = "") -> list[tuple[str, str]]:
    """The header fields that the status of an error requires.

    Args:
        error: the error.
        realm: for ``WWW-Authenticate``, with 401.
        allow: the method that is accepted, with 405.
    """
    if error.status_code == 401:
        quoted = realm.replace("\\", "\\\\").replace('"', '\\"')
        return [("WWW-Authenticate", f'OAuth realm="{quoted}"')]
    if error.status_code == 405 and allow:
        return [("Allow", allow)]
    if isinstance(error, StoreUnavailableError | TooManyPendingError):
        return [("Retry-After", str(error.retry_after))]
    return []
