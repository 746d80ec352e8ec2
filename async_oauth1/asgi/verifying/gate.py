"""Calls an application with a connection that was verified, and refuses any other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from async_oauth1.asgi.bodies.early import EarlyDelivery
from async_oauth1.asgi.bodies.received import ClientHasLeftError, ReceivedBody
from async_oauth1.asgi.requests import ASGIApp, Receive, Scope, Send, application_behind, refuse
from async_oauth1.current import verified_request
from async_oauth1.errors import OAuth1Error
from async_oauth1.protocol.request import OAuth1Request
from async_oauth1.provider.refusals import with_scope
from async_oauth1.provider.responses import noted_headers

from .announcing import announcing
from .demands import SCOPE_KEY, AnyProtector, Demands
from .verification import verify

__all__ = ["Gate", "Prepare", "RefuseConnection"]

#: Changes the scope before the application is called, such as `with_user`.
Prepare: TypeAlias = Callable[[Scope, OAuth1Request | None], Awaitable[Scope]]
#: Answers a connection that is refused. It logs the error itself, unless it is logged already.
RefuseConnection: TypeAlias = Callable[[OAuth1Error, Scope, Receive, Send], Awaitable[None]]


class Gate:
    """Verifies connections with the demands of one route."""

    def __init__(
        self,
        protector: AnyProtector,
        demands: Demands,
        *,
        prepare: Prepare | None = None,
        refuse: RefuseConnection | None = None,
        application: object = None,
    ) -> None:
        """Verify nothing yet.

        Args:
            protector: verifies the connections.
            demands: what the route demands.
            prepare: changes the scope of a connection that passes; the request is ``None`` if it is not verified.
            refuse: answers a connection that is refused; by default as `async_oauth1.asgi.requests.refuse`.
            application: whose configuration counts while a connection is verified.
        """
        self.protector = protector
        self.demands = demands
        self._prepare = prepare
        self._answer_refused = refuse or self._refuse_by_policy
        self._application = application

    async def serve(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Call an application with one connection if it holds.

        Args:
            app: finds `Verified` in the scope under `SCOPE_KEY`, and the whole body in ``receive``.
            scope: a `snapshot` of the caller's own, of type ``http`` or ``websocket``: the result is added to it.
            receive: as the server passes it.
            send: as the server passes it.
        """
        protector, demands = self.protector, self.demands
        body = ReceivedBody(receive, demands.body_timeout, demands.memory_limit, demands.max_body_bytes)
        request = None
        before = application_behind.set(self._application)
        try:
            try:
                verified = await verify(protector, demands, scope, body)
                if verified is not None:
                    scope[SCOPE_KEY], request = verified, verified.request
                if self._prepare is not None:
                    scope = await self._prepare(scope, request)
            except OAuth1Error as error:
                await self.refuse(error, scope, receive, send)
                return
            except ClientHasLeftError:
                return
            finally:
                application_behind.reset(before)
            current = verified_request.set(request)
            try:
                if verified is not None and request is not None:
                    if protector.retirement is not None and verified.scheme == "oauth":
                        send = announcing(protector.retirement.headers, send)
                    if request.response_fields:
                        send = announcing(request.response_fields, send)
                    if request.body_hash_follows and not (body.received or request.body_hash_holds):
                        await self._deliver_early(app, request, scope, body, receive, send)
                        return
                await app(scope, body.receive_again if body.received else receive, send)
            finally:
                verified_request.reset(current)
        finally:
            body.close()

    async def refuse(self, error: OAuth1Error, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a connection that is refused. Whatever the answer is, it announces the end of OAuth 1.0."""
        if fields := noted_headers(error):
            send = announcing(fields, send)
        await self._answer_refused(error, scope, receive, send)

    async def _deliver_early(
        self, app: ASGIApp, request: OAuth1Request, scope: Scope, body: ReceivedBody, receive: Receive, send: Send
    ) -> None:
        async def refuse_early(error: OAuth1Error, has_answered: bool) -> None:  # noqa: FBT001 - `Refuse` passes it by position
            self.protector.report_refusal(error, request)
            if not has_answered:
                await self.refuse(error, scope, receive, send)

        await EarlyDelivery(request, body, receive, send, refuse_early).run(app, scope)

    async def _refuse_by_policy(self, error: OAuth1Error, scope: Scope, receive: Receive, send: Send) -> None:
        self.protector.report_refusal(with_scope(error, scope), None)  # unless it has been reported
        await refuse(error, self.protector.policy, scope, receive, send)
