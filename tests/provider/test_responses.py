"""Responses as plain data, with their headers."""

from __future__ import annotations

import json

import pytest

from async_oauth1 import errors
from async_oauth1.provider.responses import FORM, form_response, resource_error_response, server_error_response

ERRORS = [
    errors.UnsignedRequestError(),
    errors.InvalidClientError(),
    errors.InvalidTokenError(),
    errors.InvalidBearerTokenError(),
    errors.RetiredError(),
    errors.TooManyRequestsError(),
    errors.InvalidNonceError(),
    errors.InvalidSignatureError(),
    errors.InvalidVerifierError(),
    errors.TimestampRefusedError("late"),
    errors.InvalidRequestError('it\'s "ä" & \r\nX: y'),
    errors.MissingRequiredParameterError("oauth_nonce"),
    errors.DuplicatedOAuthProtocolParameterError(),
    errors.UnsupportedParameterError(),
    errors.UnsupportedMediaTypeError("urlencoded"),
    errors.UnsupportedSignatureMethodError(),
    errors.InsecureTransportError(),
    errors.AccessDeniedError(),
    errors.AlreadyDecidedError(),
    errors.InsufficientScopeError(),
    errors.MethodNotAllowedError(),
    errors.RequestTooLargeError("big"),
    errors.MisdirectedRequestError(),
    errors.StoreUnavailableError(),
    errors.TokenRejectedError(),
    errors.TooManyPendingError(),
    errors.UnusableVerdictError(),
]


def test_every_error_is_tested() -> None:
    """These tests cover every error that has a response."""
    without_response = {errors.OAuth1Error, errors.MissingHookError, errors.StoreError}
    classes = {getattr(errors, name) for name in errors.__all__} - without_response
    assert {type(error) for error in ERRORS} == classes


def test_form() -> None:
    """Credentials are form-encoded, escaped and not cacheable."""
    response = form_response([("a b", "c&d"), ("e", "é=")])
    assert response.status_code == 200
    assert response.body == "a%20b=c%26d&e=%C3%A9%3D"
    assert response.headers == [("Content-Type", FORM), ("Cache-Control", "no-store"), ("Pragma", "no-cache")]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_both_formats_of_an_error(error: errors.OAuth1Error) -> None:
    """JSON at resources and a form at the endpoints, in one line of ASCII, with the same status and code."""
    resource = resource_error_response(error, realm="Photos")
    server = server_error_response(error, realm="Photos", allow="POST")
    assert resource.status_code == server.status_code == error.status_code
    assert json.loads(resource.body)["error"] == error.error
    assert f"error={error.error}" in server.body
    assert dict(resource.headers)["Content-Type"] == "application/json"
    assert dict(server.headers)["Content-Type"] == FORM
    for response in (resource, server):
        assert response.body.isascii()
        assert response.body.isprintable()
        assert ("Cache-Control", "no-store") in response.headers
        challenge = dict(response.headers).get("WWW-Authenticate")
        assert challenge == ('OAuth realm="Photos"' if error.status_code == 401 else None)
        assert ("Retry-After" in dict(response.headers)) == (error.status_code in (429, 503))
    assert ("Allow" in dict(server.headers)) == (error.status_code == 405)


@pytest.mark.rfc5849("3.2/status", "3.2/400", "3.2/401")
@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.UnsignedRequestError(), 401),
        (errors.InvalidSignatureError(), 401),
        (errors.InvalidNonceError(), 401),
        (errors.InvalidTokenError(), 401),
        (errors.InvalidClientError(), 401),
        (errors.InvalidVerifierError(), 401),
        (errors.TimestampRefusedError(), 401),
        (errors.InvalidRequestError(), 400),
        (errors.MissingRequiredParameterError("x"), 400),
        (errors.DuplicatedOAuthProtocolParameterError(), 400),
        (errors.InsufficientScopeError(), 403),
        (errors.MethodNotAllowedError(), 405),
        (errors.AlreadyDecidedError(), 409),
        (errors.RequestTooLargeError(), 413),
        (errors.MisdirectedRequestError(), 421),
        (errors.StoreUnavailableError(), 503),
    ],
    ids=lambda value: getattr(type(value), "__name__", value),
)
def test_statuses(error: errors.OAuth1Error, status: int) -> None:
    """401 for requests that are not authenticated, 400 for malformed ones, and specific codes for other errors."""
    assert error.status_code == status


@pytest.mark.parametrize(
    ("realm", "challenge"), [("", 'OAuth realm=""'), ('a "b" \\c', 'OAuth realm="a \\"b\\" \\\\c"')]
)
def test_realm_is_quoted(realm: str, challenge: str) -> None:
    """A realm with quotes becomes one quoted string."""
    response = resource_error_response(errors.UnsignedRequestError(), realm=realm)
    assert ("WWW-Authenticate", challenge) in response.headers


def test_retry_after_is_in_seconds() -> None:
    """The number is small, since the store is expected to recover."""
    headers = dict(resource_error_response(errors.StoreUnavailableError(), realm="").headers)
    assert headers["Retry-After"] == "1"
