"""The middleware of `OAuth1Auth`. Litestar makes one for each method of each route, behind its router."""

from __future__ import annotations

import logging
from typing import Any

from litestar.exceptions import ImproperlyConfiguredException

from async_oauth1.asgi.requests import ASGIApp, Message, Receive, Scope, snapshot
from async_oauth1.asgi.verifying.demands import AnyProtector, Demands
from async_oauth1.asgi.verifying.gate import Gate
from async_oauth1.errors import MissingHookError

from .exceptions import Exceptions
from .guards import ENFORCED_KEY, demands_of
from .refusals import Answering
from .users import Users

__all__ = ["RouteMiddleware"]

log = logging.getLogger("async_oauth1")


class RouteMiddleware:
    """Verifies the requests to one route."""

    def __init__(
        self, app: ASGIApp, protector: AnyProtector, demands: Demands, exceptions: Exceptions, users: Users
    ) -> None:
        """Wrap what handles the route; see `OAuth1Auth`."""
        self.app = app
        self._protector = protector
        self._demands = demands
        self._exceptions = exceptions
        self._users = users
        self._handler: object = self  # of no route
        self._guards: tuple[object, ...] = ()
        self._gate: Gate | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection."""
        if scope["type"] not in ("http", "websocket") or self._exceptions.exclude(scope):
            await self.app(scope, receive, send)
            return
        gate = self._gate_for(scope.get("route_handler"))
        if self._exceptions.let_pass(scope):
            scope[ENFORCED_KEY] = self._guards
            await self.app(scope, receive, send)
            return

        async def serve_verified(verified: Scope, receive: Any, send: Any) -> None:
            # Middleware outside of this one keeps this scope, and looks for the session in it, for example.
            scope.update(verified, **{ENFORCED_KEY: self._guards})
            await self.app(scope, receive, send)

        try:
            await gate.serve(serve_verified, snapshot(scope), _receiving(scope, receive), send)
        except MissingHookError as error:
            log.error("%s", error)  # Litestar answers 500, and logs nothing by default
            raise ImproperlyConfiguredException(str(error)) from error

    def _gate_for(self, handler: Any) -> Gate:
        if self._gate is None or handler is not self._handler:
            demands, self._guards = demands_of(handler, self._demands)
            self._handler = handler
            self._gate = Gate(
                self._protector, demands, prepare=self._users.add, refuse=Answering(self._protector.policy).refuse
            )
        return self._gate


def _receiving(scope: Scope, receive: Receive) -> Receive:
    """Receive again what other middleware has read with Litestar's request, which keeps it for all that follow."""
    body = getattr(scope.get("state", {}).get("_ls_connection_state"), "body", None)
    if not isinstance(body, bytes):
        return receive
    left = [body]

    async def receive_again() -> Message:
        return {"type": "http.request", "body": left.pop(), "more_body": False} if left else await receive()

    return receive_again
