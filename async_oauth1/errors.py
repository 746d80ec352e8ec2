"""Every error that a client can cause, and those that only the operator can.

::

    OAuth1Error                                 Authlib's base: code, description, status
    ├── InvalidRequestError               400   Authlib's; malformed
    │   └── (others of Authlib's, re-exported below)
    ├── UnsignedRequestError              401   no OAuth credentials in the request at all
    ├── InvalidBearerTokenError           401   a bearer token that is unknown, expired or revoked
    ├── TimestampRefusedError             401   outside the window; says the server's time
    ├── InvalidVerifierError              401   the verifier is not the one that was issued
    ├── UnusableVerdictError              401   a custom signature verifier returned neither True nor False
    ├── InsufficientScopeError            403   the token credential does not cover the scope
    ├── AlreadyDecidedError               409   the temporary credential was approved or denied before
    ├── RetiredError                      410   OAuth 1.0 is switched off at the moment, or for good
    ├── RequestTooLargeError              413   over one of the limits
    ├── UnsupportedMediaTypeError         415   a Content-Type that not every parser reads alike
    ├── MisdirectedRequestError           421   a host that this provider does not serve
    ├── TooManyPendingError               429   the client has too many temporary credentials pending
    ├── TooManyRequestsError              429   the client or the address has sent more than it may
    └── StoreUnavailableError             503   nothing could be checked, so nothing was accepted
    StoreError                                  a store cannot be used
    └── StoreUnavailableError                   the same, while it is in use
    MissingHookError (RuntimeError)             a server was not given the hooks it needs

RFC 5849 names no errors; Authlib's codes follow section 10 of OAuth Core 1.0a. Ours derive from Authlib's base class,
so ``except OAuth1Error`` in existing code catches them.
"""

from authlib.oauth1.errors import (
    AccessDeniedError,
    DuplicatedOAuthProtocolParameterError,
    InsecureTransportError,
    InvalidClientError,
    InvalidNonceError,
    InvalidRequestError,
    InvalidSignatureError,
    InvalidTokenError,
    MethodNotAllowedError,
    MissingRequiredParameterError,
    OAuth1Error,
    UnsupportedParameterError,
    UnsupportedSignatureMethodError,
)

__all__ = [
    "AccessDeniedError",
    "AlreadyDecidedError",
    "DuplicatedOAuthProtocolParameterError",
    "InsecureTransportError",
    "InsufficientScopeError",
    "InvalidBearerTokenError",
    "InvalidClientError",
    "InvalidNonceError",
    "InvalidRequestError",
    "InvalidSignatureError",
    "InvalidTokenError",
    "InvalidVerifierError",
    "MethodNotAllowedError",
    "MisdirectedRequestError",
    "MissingHookError",
    "MissingRequiredParameterError",
    "OAuth1Error",
    "RequestTooLargeError",
    "RetiredError",
    "StoreError",
    "StoreUnavailableError",
    "TimestampRefusedError",
    "TokenRejectedError",
    "TooManyPendingError",
    "TooManyRequestsError",
    "UnsignedRequestError",
    "UnsupportedMediaTypeError",
    "UnsupportedParameterError",
    "UnsupportedSignatureMethodError",
    "UnusableVerdictError",
]


class UnsignedRequestError(OAuth1Error):
    """The request carries no OAuth parameters, or credentials of another scheme (RFC 5849 section 3.1)."""

    error = "unsigned_request"
    description = "This resource wants a request signed with OAuth 1.0."
    status_code = 401


class InvalidBearerTokenError(OAuth1Error):
    """The bearer token is malformed, or not accepted (RFC 6750 section 3.1)."""

    error = "invalid_token"
    description = "The bearer token is malformed, unknown, expired or revoked."
    status_code = 401


class TimestampRefusedError(OAuth1Error):
    """``oauth_timestamp`` is outside the accepted window (RFC 5849 section 3.3)."""

    error = "timestamp_refused"
    status_code = 401


class TokenRejectedError(InvalidTokenError):
    """The temporary credentials have ended (RFC 5849 section 2.3); told only to a client that has signed with them."""

    error = "token_rejected"
    description = (
        "These temporary credentials have ended: they were exchanged, denied, or used up by wrong verifiers. Start"
        " again with new ones."
    )


class InvalidVerifierError(OAuth1Error):
    """``oauth_verifier`` is not the one the resource owner was given (RFC 5849 section 2.3)."""

    error = "invalid_verifier"
    description = 'Invalid "oauth_verifier"'
    #: The description if no verifier was issued.
    not_approved = "No one has approved these temporary credentials yet: send the user to the authorization page first."
    status_code = 401


class UnusableVerdictError(InvalidSignatureError):
    """A custom signature verifier returned neither ``True`` nor ``False``, so nothing is known of the signature."""


class InsufficientScopeError(OAuth1Error):
    """The token credential is good, but not for this scope."""

    error = "insufficient_scope"
    description = "The token credential does not cover the scope that this resource requires."
    status_code = 403


class AlreadyDecidedError(OAuth1Error):
    """The resource owner has approved or denied this temporary credential before."""

    error = "already_decided"
    description = "This authorization request has already been answered. Start again from the application."
    status_code = 409


class RetiredError(OAuth1Error):
    """OAuth 1.0 is not served at the moment, because it ends (see `async_oauth1.asgi.Retirement`)."""

    error = "retired"
    description = "This provider does not serve OAuth 1.0 at the moment, and will end it."
    status_code = 410


class RequestTooLargeError(OAuth1Error):
    """One of the limits on size was passed; nothing beyond it was read."""

    error = "request_too_large"
    status_code = 413


class UnsupportedMediaTypeError(OAuth1Error):
    """The Content-Type is not a form's, but some parser would read the body as a form, unsigned."""

    error = "unsupported_media_type"
    status_code = 415


class MisdirectedRequestError(OAuth1Error):
    """The request is for a host that this provider does not serve (RFC 9110 section 15.5.20)."""

    error = "misdirected_request"
    description = "This provider does not serve the requested host."
    status_code = 421


class TooManyPendingError(OAuth1Error):
    """The client has as many temporary credentials pending as it may; other clients are served (RFC 5849 section 2.1).

    Raised by the shipped stores from ``create_temporary_credential``.
    """

    error = "too_many_pending"
    description = (
        "This client has too many temporary credentials that wait for the resource owner or for their exchange. Use "
        "those, or wait until some of them expire."
    )
    status_code = 429
    #: Seconds, for the ``Retry-After`` header.
    retry_after = 30


class TooManyRequestsError(OAuth1Error):
    """A client or an address has sent more requests than it may (RFC 6585 section 4); see `async_oauth1.limits`."""

    error = "too_many_requests"
    description = "Too many requests. Try again later."
    status_code = 429
    #: Seconds, for the ``Retry-After`` header.
    retry_after = 1


class StoreError(Exception):
    """A store cannot be used. The message is one line for the operator and never shows a password."""


class StoreUnavailableError(StoreError, OAuth1Error):
    """A store that was opened does not answer. Nothing is accepted that could not be checked.

    As an `OAuth1Error` it becomes the response to the client. The shipped stores raise it; ``OSError`` and
    ``TimeoutError`` that a hook raises are treated the same.
    """

    error = "temporarily_unavailable"
    description = "The provider cannot check the request at the moment. Try again shortly."
    status_code = 503
    #: Seconds, for the ``Retry-After`` header.
    retry_after = 1


class MissingHookError(RuntimeError):
    """Hooks that the server cannot work without were neither registered nor overridden."""
