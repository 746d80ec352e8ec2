"""Protects single endpoints: functions, and classes of Starlette's."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any, ParamSpec, Protocol, TypeVar, cast, overload

from starlette.concurrency import run_in_threadpool
from starlette.endpoints import HTTPEndpoint, WebSocketEndpoint
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket

from async_oauth1.asgi.requests import Receive, Scope, Send, snapshot
from async_oauth1.asgi.verifying.demands import AnyProtector, Demands
from async_oauth1.asgi.verifying.gate import Gate
from async_oauth1.explaining import observe_on_loop

from .refusing import OnError, answer_with
from .users import with_user

__all__ = ["protected"]

P = ParamSpec("P")
# Attributes of a class that its protected subclass has, too.
_KEPT = ("__module__", "__qualname__", "__doc__")
EndpointT = TypeVar("EndpointT", bound=type[HTTPEndpoint | WebSocketEndpoint])


class Protect(Protocol):
    """Protects an endpoint. A protected function is async, and returns a `Response`."""

    @overload
    def __call__(self, endpoint: EndpointT, /) -> EndpointT: ...

    @overload
    def __call__(self, endpoint: Callable[P, Awaitable[None]], /) -> Callable[P, Coroutine[Any, Any, None]]: ...

    @overload
    def __call__(self, endpoint: Callable[P, Awaitable[Response]], /) -> Callable[P, Coroutine[Any, Any, Response]]: ...

    @overload
    def __call__(self, endpoint: Callable[P, Response], /) -> Callable[P, Coroutine[Any, Any, Response]]: ...


def protected(
    protector: AnyProtector,
    scope: str | None = None,
    *,
    two_legged: bool = False,
    early: bool = False,
    optional: bool = False,
    body_hash_required: bool = False,
    memory_limit: int = 1024 * 1024,
    max_body_bytes: int | None = None,
    body_timeout: float = 60.0,
    on_error: OnError | None = None,
) -> Protect:
    """Protect an endpoint: a function, async or not, an ``HTTPEndpoint``, or the handler of a WebSocket.

        @protected(protector, "photos.read")
        @requires("authenticated")
        async def photos(request): ...

    It is the outermost decorator. ``request.user`` and ``request.auth`` are those of the token. Nothing of ours sees
    the start of the application: missing hooks are a 500 at the first request, unless its lifespan calls
    `check_hooks`.

    Args:
        protector: verifies the requests. If `OAuth1Middleware` has verified one with the same protector, only what
            this endpoint demands more is checked.
        scope: the scopes that the token credential must cover, separated by spaces.
        two_legged: accept the client's signature without a token.
        early: call the endpoint before a body with ``oauth_body_hash`` has arrived; see
            `async_oauth1.asgi.OAuth1Middleware`.
        optional: let a request pass that carries no OAuth 1.0. Its user is Starlette's ``UnauthenticatedUser``.
        body_hash_required: refuse a request that is neither a form nor carries ``oauth_body_hash``.
        memory_limit: octets of a body that are kept in memory until its hash holds.
        max_body_bytes: of a body that is hashed; ``None`` for no limit.
        body_timeout: seconds for a form, and for the longest pause in a body that is hashed.
        on_error: makes the response to a refused request, from the connection and the error.
    """
    observe_on_loop(protector)
    demands = Demands(
        scope=scope,
        two_legged=two_legged,
        early=early,
        body_hash_required=body_hash_required,
        optional=optional,
        memory_limit=memory_limit,
        max_body_bytes=max_body_bytes,
        body_timeout=body_timeout,
    )
    gate = Gate(protector, demands, prepare=with_user, refuse=answer_with(on_error))

    def protect(endpoint: Any) -> Any:
        if inspect.isclass(endpoint):
            return _protect_class(gate, cast("type[Any]", endpoint))
        return _protect_function(gate, endpoint)

    return cast("Protect", protect)


def _protect_class(gate: Gate, endpoint: type[Any]) -> type[Any]:
    if not issubclass(endpoint, HTTPEndpoint | WebSocketEndpoint):
        raise TypeError(f"@protected takes functions, HTTPEndpoint and WebSocketEndpoint classes, not {endpoint!r}")

    def dispatch_verified(self: Any) -> Generator[Any, None, None]:
        async def run(scope: Scope, receive: Receive, send: Send) -> None:
            self.scope, self.receive, self.send = scope, receive, send
            await _Awaiting(endpoint.__await__(self))

        return gate.serve(run, snapshot(self.scope), self.receive, self.send).__await__()

    # Not dispatch(): a subclass may replace it.
    namespace = {"__await__": dispatch_verified, **{name: getattr(endpoint, name) for name in _KEPT}}
    return type(endpoint.__name__, (endpoint,), namespace)


class _Awaiting:
    def __init__(self, steps: Generator[Any, None, None]) -> None:
        self._steps = steps

    def __await__(self) -> Generator[Any, None, None]:
        return self._steps


def _protect_function(gate: Gate, endpoint: Callable[..., Any]) -> Callable[..., Any]:
    is_async = _is_async(endpoint)

    @functools.wraps(endpoint)
    async def protected(*args: Any, **kwargs: Any) -> Response | None:
        connection = _connection_in(args, kwargs, endpoint)

        async def run(scope: Scope, receive: Receive, send: Send) -> None:
            made: Any = Request if isinstance(connection, Request) else WebSocket
            new = made(scope, receive, send)
            call = functools.partial(
                endpoint,
                *[new if value is connection else value for value in args],
                **{name: new if value is connection else value for name, value in kwargs.items()},
            )
            response = await call() if is_async else await run_in_threadpool(call)
            if response is not None:
                await response(scope, receive, send)

        if isinstance(connection, Request):
            return _Deferred(gate, run)
        await gate.serve(run, snapshot(connection.scope), connection.receive, connection.send)
        return None

    return protected


class _Deferred(Response):
    """Verifies the request and calls the endpoint once Starlette sends the response: then it can be withheld."""

    def __init__(self, gate: Gate, run: Callable[[Scope, Receive, Send], Awaitable[None]]) -> None:
        super().__init__()
        self._gate = gate
        self._run = run

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._gate.serve(self._run, snapshot(scope), receive, send)


def _connection_in(args: tuple[Any, ...], kwargs: dict[str, Any], endpoint: object) -> Request | WebSocket:
    for value in (*args, *kwargs.values()):
        if isinstance(value, (Request, WebSocket)):
            return cast("Request | WebSocket", value)
    raise TypeError(f"{endpoint!r} was called without a request or a WebSocket.")


def _is_async(endpoint: Any) -> bool:
    while isinstance(endpoint, functools.partial):
        endpoint = endpoint.func
    return inspect.iscoroutinefunction(endpoint) or inspect.iscoroutinefunction(type(endpoint).__call__)
