"""Verifies one connection: once for each protector, however many routes and middlewares demand something of it."""

from __future__ import annotations

from async_oauth1.asgi.bodies.received import ReceivedBody, check_length
from async_oauth1.asgi.requests import Scope, content_type_of, has_unannounced_length, make_request
from async_oauth1.errors import OAuth1Error
from async_oauth1.policy import Policy
from async_oauth1.protocol.header_fields import announces_body
from async_oauth1.protocol.request import OAuth1Request, is_form

from .announcing import raise_refused, tell_use
from .bearer import QueryBearer, carries_bearer, check_principal, verify_bearer
from .demands import SCOPE_KEY, AnyProtector, Demands, Verified, bearer_in, verified_in

__all__ = ["verify", "verify_with_bearer"]


async def verify(protector: AnyProtector, demands: Demands, scope: Scope, body: ReceivedBody) -> Verified | None:
    """Verify a connection, or check what is demanded more if the same protector has verified it before.

    Nothing is stored in the scope: put the result there under `SCOPE_KEY`.

    Args:
        protector: verifies the connection.
        demands: what the route demands.
        scope: a `snapshot`, of type ``http`` or ``websocket``.
        body: of the connection. What was received of it has to be given to the application again.

    Returns:
        What was verified; ``None`` if that is optional, and the connection carries no OAuth 1.0.

    Raises:
        OAuth1Error: the connection is refused; the refusal has been reported to the protector.
        ClientHasLeftError: there is nothing to answer.
    """
    try:
        verified_before: Verified | None = scope.get(SCOPE_KEY)
        if verified_before is not None and (earlier := verified_in(scope, protector)) is not None:
            await _check_again(earlier, demands, body)
            return earlier
        policy = protector.policy
        is_get, form = scope.get("method") == "GET", None
        # A GET rarely has a form, so its Content-Type is not looked up first. If it has one, the request is read again.
        if not is_get and (content_type := content_type_of(scope)) and is_form(content_type):
            form = await _read_form(scope, body, policy)
        request = make_request(OAuth1Request, scope, policy, form)
        if is_get and request.is_form:
            request = make_request(OAuth1Request, scope, policy, await _read_form(scope, body, policy))
        if demands.query_bearer is not None and carries_bearer(request):
            return await verify_with_bearer(protector, request, demands.query_bearer, demands.scope, scope)
        if demands.optional and not _carries_oauth1(request):
            return None
        if "oauth_body_hash" in request.protocol_parameters or policy.require_signed_body:
            _let_read(request, body)
        if demands.early and "oauth_body_hash" in request.protocol_parameters and _may_have_body(scope):
            request.body_hash_follows = True
        await protector.validate_request(
            request,
            scope=demands.scope,
            two_legged=demands.two_legged,
            body_hash_required=demands.body_hash_required,
        )
        if protector.retirement is not None:
            await tell_use(protector, request)
    except OAuth1Error as error:
        raise_refused(error, protector, scope, takes_bearer=demands.query_bearer is not None)
    return Verified(protector, request, policy, verified_before)


async def verify_with_bearer(
    protector: AnyProtector, request: OAuth1Request, query_bearer: QueryBearer, demanded: str | None, scope: Scope
) -> Verified:
    """Verify a request that carries a bearer token; the token is looked up once by each look-up.

    Args:
        protector: says how the request must have come.
        request: `carries_bearer` says that it has a token.
        query_bearer: looks the token up.
        demanded: the scopes that the principal must have, separated by spaces.
        scope: of the connection.

    Raises:
        OAuth1Error: the request is refused; the refusal has been reported to the protector.
    """
    earlier = bearer_in(scope, protector, query_bearer)
    try:
        if earlier is not None:
            await check_principal(earlier.request.credential, demanded)
            return earlier
        if protector.limiter is not None:
            await protector.limiter.count_arrival(request, "resource", protector.policy)
        await verify_bearer(protector, request, query_bearer, demanded)
    except OAuth1Error as error:
        protector.report_refusal(error, request)
        raise
    return Verified(protector, request, protector.policy, scope.get(SCOPE_KEY), query_bearer)


async def _check_again(earlier: Verified, demands: Demands, body: ReceivedBody) -> None:
    request = earlier.request
    _let_read(request, body)
    if request.body_hash_follows and not request.body_hash_holds and not demands.early:
        # The outer middleware lets the body end only if the hash holds.
        await body.digest("sha1")
    await earlier.protector.check_verified(
        request,
        scope=demands.scope,
        two_legged=demands.two_legged,
        body_hash_required=demands.body_hash_required,
        verified_by=earlier.policy,
    )


async def _read_form(scope: Scope, body: ReceivedBody, policy: Policy) -> bytes | None:
    if scope["type"] != "http":
        return None
    form = await body.read_form(policy)
    check_length(scope, len(form))
    return form


def _carries_oauth1(request: OAuth1Request) -> bool:
    scheme = request.headers.get("authorization", "").split(None, 1)[:1]
    return bool(request.protocol_parameters) or [name.lower() for name in scheme] == ["oauth"]


def _let_read(request: OAuth1Request, body: ReceivedBody) -> None:
    if request.body is None:  # neither a form nor the handshake of a WebSocket
        request.read_body = body.peek  # only to see whether there is one
        request.digest_body = body.digest


def _may_have_body(scope: Scope) -> bool:
    return scope["type"] == "http" and (announces_body(scope["headers"]) or has_unannounced_length(scope))
