"""The exchange of token credentials for a bearer token, for clients that leave OAuth 1.0 (RFC 8693)."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Mapping
from typing import Any, Protocol, cast

from async_oauth1.errors import InvalidRequestError, MethodNotAllowedError, OAuth1Error
from async_oauth1.explaining import observe_on_loop
from async_oauth1.protocol.header_fields import announces_body
from async_oauth1.protocol.request import OAuth1Request
from async_oauth1.provider.hooks import MaybeAwaitable, call_hook
from async_oauth1.provider.refusals import with_scope
from async_oauth1.provider.responses import OAuth1Response, with_headers

from .requests import ASGIApp, Receive, Scope, Send, send_response, snapshot
from .startup import run_lifespan, serve_nothing
from .verifying.demands import SCOPE_KEY, AnyProtector, Demands, Verified
from .verifying.gate import Gate

__all__ = ["token_exchange"]

log = logging.getLogger("async_oauth1")

_GRANT_TYPE = "urn:ietf:params:oauth:grant-type:token-exchange"
_ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
_HEADERS = [("Content-Type", "application/json"), ("Cache-Control", "no-store"), ("Pragma", "no-cache")]


class MakeBearer(Protocol):
    """Makes a bearer token. It may read `current_oauth1_request`, such as its parameter ``scope``.

    Args:
        credential: the token credential that signed the request.
        client: its client.

    Returns:
        ``access_token``, and ``expires_in``, ``scope``, ``refresh_token`` and others as it likes.
    """

    def __call__(self, credential: Any, client: Any, /) -> MaybeAwaitable[Mapping[str, Any]]:
        """Make one."""
        ...


class MarkExchanged(Protocol):
    """Marks a token as exchanged, in one atomic step.

    Returns:
        ``False`` if it was exchanged before.
    """

    def __call__(self, client_id: str, oauth_token: str, /) -> MaybeAwaitable[bool]:
        """Mark one."""
        ...


class TellExchange(Protocol):
    """Is told of a token."""

    def __call__(self, client_id: str, oauth_token: str, /) -> MaybeAwaitable[object]:
        """Tell."""
        ...


class UnsupportedGrantTypeError(OAuth1Error):
    """The form has another ``grant_type`` (RFC 6749 section 5.2)."""

    error = "unsupported_grant_type"
    description = f'"grant_type" must be {_GRANT_TYPE}, or send no form.'


class InvalidGrantError(OAuth1Error):
    """The token was exchanged before (RFC 6749 section 5.2)."""

    error = "invalid_grant"
    description = "This token has been exchanged before, and can be exchanged once."


def token_exchange(
    protector: AnyProtector,
    make_bearer: MakeBearer,
    mark_exchanged: MarkExchanged | None = None,
    audit: TellExchange | None = None,
    *,
    unmark_exchanged: TellExchange | None = None,
) -> ASGIApp:
    """Make an ASGI application that exchanges token credentials for a bearer token, to mount anywhere.

    The client sends a POST that is signed with its token, without a form, or with that of RFC 8693 section 2.1. All
    functions may be async or not. Refusals are those of any resource of the protector, also in a brown-out; give this
    application a protector without a `Retirement` to keep the way out open then.

    Args:
        protector: verifies the requests.
        make_bearer: makes the bearer token, from the token credential and the client.
        mark_exchanged: marks a token as exchanged, from the client's identifier and the token, in one atomic step;
            ``False`` if it was exchanged before. ``None``: a token may be exchanged many times.
        audit: called with the same afterwards. If it fails, the error is logged, and the client gets its token.
        unmark_exchanged: called with the same if ``make_bearer`` fails, so that the client may try again. Without it,
            and if the process ends in between, the token stays marked: a token is never exchanged twice, and its user
            has to authorize the client anew.
    """
    return _Exchange(protector, make_bearer, mark_exchanged, audit, unmark_exchanged)


class _Exchange:
    def __init__(
        self,
        protector: AnyProtector,
        make_bearer: MakeBearer,
        mark_exchanged: MarkExchanged | None,
        audit: TellExchange | None,
        unmark_exchanged: TellExchange | None,
    ) -> None:
        self._protector = protector
        self._make_bearer = make_bearer
        self._mark_exchanged = mark_exchanged
        self._audit = audit
        self._unmark_exchanged = unmark_exchanged
        self._gate = Gate(protector, Demands())
        observe_on_loop(protector)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan":
            await run_lifespan(serve_nothing, [self._protector], scope, receive, send)
        elif scope["type"] != "http":  # the server answers a WebSocket with 403
            await send({"type": "websocket.close", "code": 1000})
        elif scope["method"].upper() != "POST":
            await self._refuse_method(snapshot(scope), receive, send)
        else:
            await self._gate.serve(self._serve, snapshot(scope), receive, send)

    async def _refuse_method(self, scope: Scope, receive: Receive, send: Send) -> None:
        error = with_scope(MethodNotAllowedError("This endpoint only accepts POST."), scope)
        self._protector.report_refusal(error, None)
        await self._gate.refuse(with_headers(error, [("Allow", "POST")]), scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        verified: Verified = scope[SCOPE_KEY]
        try:
            body = await self._exchange(verified.request)
        except OAuth1Error as error:
            self._protector.report_refusal(error, verified.request)
            await self._gate.refuse(error, scope, receive, send)
            return
        await send_response(OAuth1Response(200, body, _HEADERS), send)

    async def _exchange(self, request: OAuth1Request) -> str:
        _check_form(request)
        client_id, token = request.client_id or "", request.token or ""
        # Marked first: if it were marked afterwards, two requests at once would make two bearer tokens.
        if self._mark_exchanged is not None and not await call_hook(self._mark_exchanged, client_id, token):
            raise InvalidGrantError()
        try:
            body = _body_of(await call_hook(self._make_bearer, request.credential, request.client))
        except Exception:  # of the hook; a cancelled exchange stays marked, since the token may have been made
            await self._unmark(client_id, token)
            raise
        try:
            if self._audit is not None:
                await call_hook(self._audit, client_id, token)
        except Exception:  # of the hook: the token is made, and the client may not be able to exchange again
            log.exception("The exchange of a token of client %a could not be audited.", client_id)
        return body

    async def _unmark(self, client_id: str, token: str) -> None:
        if self._mark_exchanged is None:
            return
        if self._unmark_exchanged is None:
            log.error("No bearer token could be made for client %a, and its token is marked as exchanged.", client_id)
            return
        try:
            await call_hook(self._unmark_exchanged, client_id, token)
        except Exception:  # of the hook: the first error is the answer
            log.exception("The token of client %a stays marked as exchanged.", client_id)


def _check_form(request: OAuth1Request) -> None:
    """Check the form (RFC 8693 section 2.1).

    Raises:
        InvalidRequestError: the body is no form, or a parameter is missing, repeated, or not supported.
        UnsupportedGrantTypeError: the grant type is another one.
    """
    if not request.is_form and announces_body(request.raw_headers):
        raise InvalidRequestError("The body is not a form. Send none, or the one of RFC 8693 section 2.1.")
    fields = _form_of(request)
    if not fields:
        return
    if not fields.get("grant_type"):
        raise InvalidRequestError('missing "grant_type" in parameters')
    if fields["grant_type"] != _GRANT_TYPE:
        raise UnsupportedGrantTypeError()
    if fields.get("subject_token", request.token) != request.token:
        raise InvalidRequestError('"subject_token" is not the token that signs the request.')
    if fields.get("requested_token_type", _ACCESS_TOKEN) != _ACCESS_TOKEN:
        raise InvalidRequestError(f'"requested_token_type" must be {_ACCESS_TOKEN} if it is sent.')
    if "actor_token" in fields:
        raise InvalidRequestError('"actor_token" is not supported.')


def _form_of(request: OAuth1Request) -> dict[str, str]:
    fields = {name: value for name, value in request.body_params if not name.startswith("oauth_")}
    counts = Counter(name for name, _ in request.body_params)
    for name in fields:
        if counts[name] > 1:
            raise InvalidRequestError(f"The parameter {name[:100]!a} is repeated.")
    return fields


def _body_of(made: object) -> str:
    """The JSON of the answer (RFC 8693 section 2.2.1).

    Raises:
        TypeError: the hook made no token.
        ValueError: it made a token of another type.
    """
    fields: dict[str, Any] = {**cast("Mapping[str, Any]", made)} if isinstance(made, Mapping) else {}
    token = fields.get("access_token")
    if not isinstance(token, str) or not token:
        raise TypeError('make_bearer returns a mapping with "access_token", a string that is not empty')
    if str(fields.get("token_type", "Bearer")).lower() != "bearer":
        raise ValueError("make_bearer made a token that is not a bearer token")
    return json.dumps({**fields, "token_type": "Bearer", "issued_token_type": _ACCESS_TOKEN})
