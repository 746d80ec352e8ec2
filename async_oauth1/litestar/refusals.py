"""Answers refused requests, as every other adapter does, or by the application's own exception handlers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from litestar import Request, Response
from litestar.exceptions import HTTPException

from async_oauth1.asgi.requests import Receive, Scope, Send, refuse
from async_oauth1.errors import OAuth1Error
from async_oauth1.policy import Policy
from async_oauth1.provider.refusals import log_refusal, with_scope
from async_oauth1.provider.responses import headers_by_name, resource_error_response

__all__ = ["Answering", "RefusedError"]

#: An exception handler of Litestar's.
Handler: TypeAlias = Callable[[Request[Any, Any, Any], Any], Response[Any]]


class RefusedError(HTTPException):
    """A guard refuses a request that was verified.

    Attributes:
        error: why.
        policy: the rules by which the request was verified.
    """

    def __init__(self, error: OAuth1Error, policy: Policy) -> None:
        """Keep them."""
        headers = headers_by_name(resource_error_response(error, realm=policy.realm, problems=policy.problem_reporting))
        headers.pop("Content-Type")
        super().__init__(detail=error.error or "", status_code=error.status_code, headers=headers)
        self.error = error
        self.policy = policy


class Answering:
    """Answers errors by a policy."""

    def __init__(self, policy: Policy) -> None:
        """Keep the policy."""
        self._policy = policy

    def answer(self, _: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
        """Answer an `OAuth1Error` or a `RefusedError`: an exception handler of Litestar's."""
        reason: Any = error.error if isinstance(error, RefusedError) else error
        log_refusal(reason)
        policy = self._policy
        response = resource_error_response(reason, realm=policy.realm, problems=policy.problem_reporting)
        headers = headers_by_name(response)
        return Response(
            response.body.encode(),
            status_code=response.status_code,
            media_type=headers.pop("Content-Type"),
            headers=headers,
        )

    def handlers(self) -> dict[type[Exception], Handler]:
        """What `answer` is registered for."""
        return {OAuth1Error: self.answer, RefusedError: self.answer}

    async def refuse(self, error: OAuth1Error, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a connection that was not verified. An exception handler for the error comes first."""
        own = None if scope["type"] == "websocket" else self._own_handler(error, scope)
        if own is None:
            await refuse(error, self._policy, scope, receive, send)
            return
        log_refusal(with_scope(error, scope))
        request: Any = scope["litestar_app"].request_class(scope=scope, receive=receive, send=send)
        response: Any = own(request, error)
        await response.to_asgi_response(app=None, request=request)(scope, receive, send)

    def _own_handler(self, error: OAuth1Error, scope: Scope) -> Handler | None:
        handler: Any = scope.get("route_handler")
        known: Mapping[Any, Any] = handler.resolve_exception_handlers() if handler is not None else {}
        kinds = [kind for kind in type(error).__mro__ if issubclass(kind, OAuth1Error)]
        found: Handler | None = next((known[kind] for kind in kinds if kind in known), None)
        return None if isinstance(getattr(found, "__self__", None), Answering) else found
