"""Bearer tokens (RFC 6750) on routes that accept them beside OAuth 1.0."""

from __future__ import annotations

import re
from typing import Any, Protocol

from async_oauth1.asgi.users import scopes_of
from async_oauth1.errors import InsufficientScopeError, InvalidBearerTokenError, InvalidRequestError, OAuth1Error
from async_oauth1.protocol.header_fields import relevant_fields
from async_oauth1.protocol.request import OAuth1Request
from async_oauth1.provider.hooks import MaybeAwaitable, call_hook
from async_oauth1.provider.refusals import with_reason
from async_oauth1.provider.resource_protector import ResourceProtector
from async_oauth1.provider.responses import with_bearer_challenge

__all__ = ["QueryBearer", "carries_bearer", "check_principal", "offer_bearer", "verify_bearer"]

# Section 2.1: b64token.
_TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]+=*")


class QueryBearer(Protocol):
    """Looks up a bearer token.

    Args:
        token: as sent.

    Returns:
        The principal: any object, such as the model of the token. ``None`` if the token is unknown, expired or revoked.
    """

    def __call__(self, token: str, /) -> MaybeAwaitable[object | None]:
        """Look one up."""
        ...


def carries_bearer(request: OAuth1Request) -> bool:
    """Whether the Authorization header has the scheme Bearer (section 2.1).

    Tokens in the query and in forms are not accepted (sections 2.2 and 2.3), because they appear in logs.
    """
    return _authorization(request)[0].lower() == "bearer"


async def verify_bearer(
    protector: ResourceProtector[Any, Any], request: OAuth1Request, query_bearer: QueryBearer, scope: str | None
) -> None:
    """Verify a request with a bearer token. Its principal becomes the ``credential`` of the request.

    Args:
        protector: says how the request must have come: over https, to which host.
        request: `carries_bearer` says that it has a token.
        query_bearer: looks the token up.
        scope: the scopes that the principal must have, separated by spaces.

    Raises:
        InvalidRequestError: the request has OAuth 1.0 parameters, too.
        InvalidBearerTokenError: the token is malformed, or the look-up does not know it.
        InsufficientScopeError: the principal does not have all scopes.
        StoreUnavailableError: the look-up could not reach its store.
    """
    protector.check_transport(request)
    if request.protocol_parameters:
        raise InvalidRequestError("The request has a bearer token and OAuth 1.0 parameters. Send one of them.")
    token = _authorization(request)[2].strip(" \t")
    if not _TOKEN.fullmatch(token):
        raise with_reason(InvalidBearerTokenError(), "What follows Bearer is empty, or has characters of no token.")
    principal = await call_hook(query_bearer, token)
    if principal is None or principal is False:
        raise InvalidBearerTokenError()
    request.credential = principal
    await check_principal(principal, scope)


def offer_bearer(error: OAuth1Error) -> None:
    """Let the answer to a refused request offer Bearer, too, as section 3 demands."""
    code = {"error": "invalid_token"} if isinstance(error, InvalidBearerTokenError) else {}
    with_bearer_challenge(error, code)


def _authorization(request: OAuth1Request) -> tuple[str, str, str]:
    return relevant_fields(request.raw_headers)[0].decode("latin-1").strip(" \t").partition(" ")


async def check_principal(principal: object, scope: str | None) -> None:
    """Check the scopes of a principal.

    Raises:
        InsufficientScopeError: it does not have all of them.
    """
    if not scope:
        return
    granted = await scopes_of(principal)
    if not set(scope.split()) <= set(granted):
        error = with_reason(InsufficientScopeError(), f"The resource requires {scope!r}; granted is {granted!r}.")
        raise with_bearer_challenge(error, {"error": "insufficient_scope", "scope": scope})
