"""Responses as plain data, which each framework's adapter sends: status, body and headers.

The body and the headers of every error are made here: form-encoded at the authorization server's endpoints, as JSON at
protected resources. With `Policy.problem_reporting` they also have the members of OAuth Core's extension for problem
reporting, which `problem_members` makes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import NamedTuple, TypeVar

from async_oauth1.errors import (
    AccessDeniedError,
    DuplicatedOAuthProtocolParameterError,
    InsufficientScopeError,
    InvalidClientError,
    InvalidNonceError,
    InvalidRequestError,
    InvalidSignatureError,
    InvalidTokenError,
    InvalidVerifierError,
    MissingRequiredParameterError,
    OAuth1Error,
    StoreUnavailableError,
    TimestampRefusedError,
    TooManyPendingError,
    TooManyRequestsError,
    UnsignedRequestError,
    UnsupportedParameterError,
    UnsupportedSignatureMethodError,
)
from async_oauth1.protocol.encoding import escape_text

__all__ = [
    "OAuth1Response",
    "error_headers",
    "error_members",
    "form_response",
    "headers_by_name",
    "noted_headers",
    "problem_members",
    "resource_error_response",
    "server_error_response",
    "with_bearer_challenge",
    "with_headers",
    "with_problem",
]

E = TypeVar("E", bound=OAuth1Error)

FORM = "application/x-www-form-urlencoded"
_NOT_STORED = [("Cache-Control", "no-store"), ("Pragma", "no-cache")]

# The values of oauth_problem. With uniform errors an unknown client or token is an InvalidSignatureError.
_PROBLEMS: dict[type[OAuth1Error], str] = {
    UnsignedRequestError: "parameter_absent",
    MissingRequiredParameterError: "parameter_absent",
    DuplicatedOAuthProtocolParameterError: "parameter_rejected",
    InvalidRequestError: "parameter_rejected",
    InvalidVerifierError: "parameter_rejected",
    UnsupportedParameterError: "parameter_rejected",
    TimestampRefusedError: "timestamp_refused",
    InvalidNonceError: "nonce_used",
    UnsupportedSignatureMethodError: "signature_method_rejected",
    InvalidSignatureError: "signature_invalid",
    InvalidClientError: "consumer_key_unknown",
    InvalidTokenError: "token_rejected",
    AccessDeniedError: "permission_denied",
    InsufficientScopeError: "permission_denied",
}
_NOTED, _BEARER, _HEADERS = "_async_oauth1_problem", "_async_oauth1_bearer", "_async_oauth1_headers"
_MISSING = re.compile(r'missing "(oauth_\w+)" in parameters')


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

    def __repr__(self) -> str:
        """Show the status alone: body and headers may have secrets, and asyncio's debug mode logs results."""
        return f"<OAuth1Response {self.status_code}>"


def form_response(parameters: Iterable[tuple[str, str]], status_code: int = 200) -> OAuth1Response:
    """Make a response with form-encoded parameters, as RFC 5849 section 2 defines for credentials."""
    body = "&".join(f"{escape_text(name)}={escape_text(value)}" for name, value in parameters)
    return OAuth1Response(status_code, body, [("Content-Type", FORM), *_NOT_STORED])


def with_problem(error: E, **members: str) -> E:
    """Note what problem reporting says about an error, besides what follows from its class.

    Args:
        error: the error.
        members: ``oauth_problem``, or what belongs to it.
    """
    error.__dict__[_NOTED] = members
    return error


def with_bearer_challenge(error: E, parameters: dict[str, str]) -> E:
    """Let ``WWW-Authenticate`` offer Bearer, too (RFC 6750 section 3), unless it is noted already.

    Args:
        error: the error.
        parameters: of the challenge, besides the realm; none if the request has no bearer token.
    """
    error.__dict__.setdefault(_BEARER, parameters)
    return error


def with_headers(error: E, headers: list[tuple[str, str]]) -> E:
    """Add header fields to the answer of an error, instead of those that were added before."""
    error.__dict__[_HEADERS] = headers
    return error


def noted_headers(error: OAuth1Error) -> list[tuple[str, str]]:
    """What `with_headers` has added to the answer of an error."""
    noted: list[tuple[str, str]] = error.__dict__.get(_HEADERS, [])
    return noted


def headers_by_name(response: OAuth1Response) -> dict[str, str]:
    """The header fields of a response for a framework that takes each name once.

    Several values of one name, such as challenges, become a list (RFC 9110 section 5.3).
    """
    found: dict[str, str] = {}
    for name, value in response.headers:
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def problem_members(error: OAuth1Error) -> list[tuple[str, str]]:
    """The members ``oauth_problem`` and what belongs to it; none if the extension has no value for the error."""
    problem = next((_PROBLEMS[cls] for cls in type(error).__mro__ if cls in _PROBLEMS), None)
    if problem is None:
        return []
    members: dict[str, str] = {"oauth_problem": problem}
    if missing := _MISSING.match(error.description or ""):  # Authlib's class has the name in its description alone
        members["oauth_parameters_absent"] = missing[1]
    return [*{**members, **error.__dict__.get(_NOTED, {})}.items()]


def error_members(error: OAuth1Error, *, problems: bool = False) -> list[tuple[str, str]]:
    """What the body of an error says.

    Args:
        error: the error.
        problems: whether it has the members of problem reporting, too.
    """
    members: list[tuple[str, str]] = [(name, value or "") for name, value in error.get_body()]
    return members + problem_members(error) if problems else members


def server_error_response(error: OAuth1Error, *, realm: str, allow: str, problems: bool = False) -> OAuth1Response:
    """Make the form-encoded response to an error at one of the authorization server's endpoints.

    Args:
        error: the error.
        realm: for ``WWW-Authenticate``.
        allow: the method that the endpoint accepts, for 405.
        problems: as `Policy.problem_reporting`.
    """
    response = form_response(error_members(error, problems=problems), error.status_code)
    response.headers.extend(error_headers(error, realm=realm, allow=allow, problems=problems))
    return response


def resource_error_response(error: OAuth1Error, *, realm: str, problems: bool = False) -> OAuth1Response:
    """Make the JSON response to an error at a protected resource.

    Args:
        error: the error.
        realm: for ``WWW-Authenticate``.
        problems: as `Policy.problem_reporting`.
    """
    more = error_headers(error, realm=realm, problems=problems)
    body = json.dumps(dict(error_members(error, problems=problems)))
    return OAuth1Response(error.status_code, body, [("Content-Type", "application/json"), *_NOT_STORED, *more])


def error_headers(error: OAuth1Error, *, realm: str, allow: str = "", problems: bool = False) -> list[tuple[str, str]]:
    """The header fields that the status of an error requires.

    Args:
        error: the error.
        realm: for ``WWW-Authenticate``, with 401.
        allow: the method that is accepted, with 405.
        problems: as `Policy.problem_reporting`; then ``WWW-Authenticate`` also comes with 400 and 403.
    """
    noted = noted_headers(error)
    if challenges := _challenges(error, realm, problem_members(error) if problems else []):
        return [*challenges, *noted]
    if error.status_code == 405 and allow:
        return [("Allow", allow), *noted]
    if isinstance(error, StoreUnavailableError | TooManyPendingError | TooManyRequestsError):
        return [("Retry-After", str(error.retry_after)), *noted]
    return [*noted]


def _challenges(error: OAuth1Error, realm: str, problem: list[tuple[str, str]]) -> list[tuple[str, str]]:
    bearer: dict[str, str] | None = error.__dict__.get(_BEARER)
    challenges: list[str] = []
    if (error.status_code == 401 or problem) and (bearer is None or "scope" not in bearer):
        encoded = {name: escape_text(value) for name, value in problem}
        challenges.append(_challenge("OAuth", {"realm": realm, **encoded}))
    if bearer is not None and (error.status_code == 401 or bearer):
        challenges.append(_challenge("Bearer", {"realm": realm, **bearer}))
    return [("WWW-Authenticate", challenge) for challenge in challenges]


def _challenge(scheme: str, parameters: dict[str, str]) -> str:
    return f"{scheme} {', '.join(f'{name}={_quoted(value)}' for name, value in parameters.items())}"


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
