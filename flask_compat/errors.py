"""The errors of ``authlib.oauth1.errors``, and those that the core adds.

The classes are Authlib's own, so ``except OAuth1Error`` catches the same whichever module it was imported from.
"""

from async_oauth1.errors import (
    AccessDeniedError,
    AlreadyDecidedError,
    DuplicatedOAuthProtocolParameterError,
    InsecureTransportError,
    InvalidClientError,
    InvalidNonceError,
    InvalidRequestError,
    InvalidSignatureError,
    InvalidTokenError,
    MethodNotAllowedError,
    MisdirectedRequestError,
    MissingRequiredParameterError,
    OAuth1Error,
    RequestTooLargeError,
    StoreUnavailableError,
    TooManyPendingError,
    UnsupportedParameterError,
    UnsupportedSignatureMethodError,
    UnusableVerdictError,
)

__all__ = [
    "AccessDeniedError",
    "AlreadyDecidedError",
    "DuplicatedOAuthProtocolParameterError",
    "InsecureTransportError",
    "InvalidClientError",
    "InvalidNonceError",
    "InvalidRequestError",
    "InvalidSignatureError",
    "InvalidTokenError",
    "MethodNotAllowedError",
    "MisdirectedRequestError",
    "MissingRequiredParameterError",
    "OAuth1Error",
    "RequestTooLargeError",
    "StoreUnavailableError",
    "TooManyPendingError",
    "UnsupportedParameterError",
    "UnsupportedSignatureMethodError",
    "UnusableVerdictError",
]
