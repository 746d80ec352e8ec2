"""The authorization server's endpoints as an ASGI application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from async_oauth1.errors import MethodNotAllowedError, OAuth1Error
from async_oauth1.explaining import observe_on_loop
from async_oauth1.protocol.request import OAuth1Request, is_form
from async_oauth1.provider.authorization_server import AuthorizationServer
from async_oauth1.provider.hooks import resolve
from async_oauth1.provider.refusals import with_scope
from async_oauth1.provider.responses import OAuth1Response

from .bodies.received import ClientHasLeftError, ReceivedBody, check_length
from .requests import ASGIApp, Receive, Scope, Send, content_type_of, request_from_scope, send_response, snapshot
from .startup import run_lifespan, serve_nothing

__all__ = ["authorization_endpoints", "path_below_mounts"]

AnyAuthorizationServer: TypeAlias = AuthorizationServer[OAuth1Request, OAuth1Response]
_Answer: TypeAlias = Callable[[OAuth1Request], Awaitable[OAuth1Response]]

_NOT_FOUND = OAuth1Response(404, "Not Found", [("Content-Type", "text/plain; charset=utf-8")])


def authorization_endpoints(server: AnyAuthorizationServer, *, body_timeout: float = 60.0) -> ASGIApp:
    """Make an ASGI application of the two endpoints of an authorization server, to mount anywhere.

    ``POST /initiate`` gives temporary credentials (RFC 5849 section 2.1), ``POST /token`` token credentials (section
    2.3). Any other path is a 404, and another method a 405 with ``Allow``. If the application is not mounted, missing
    hooks are named when the server starts it; otherwise at the first request. See `check_hooks`.

    Args:
        server: the authorization server.
        body_timeout: seconds in which a form must have arrived.
    """
    return _Endpoints(server, body_timeout)


class _Endpoints:
    def __init__(self, server: AnyAuthorizationServer, body_timeout: float) -> None:
        self._server = server
        self._body_timeout = body_timeout
        self._answers: dict[str, _Answer] = {
            "/initiate": server.create_temporary_credentials_response,
            "/token": server.create_token_response,
        }
        observe_on_loop(server)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await run_lifespan(serve_nothing, [self._server], scope, receive, send)
        elif scope["type"] == "http":
            await self._serve(snapshot(scope), receive, send)
        else:  # the server answers a WebSocket with 403
            await send({"type": "websocket.close", "code": 1000})

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = self._answers.get(path_below_mounts(scope))
        if answer is None:
            await send_response(_NOT_FOUND, send, method=scope["method"])
            return
        try:
            response = await self._respond(answer, scope, receive)
        except ClientHasLeftError:
            return
        await send_response(response, send, method=scope["method"])

    async def _respond(self, answer: _Answer, scope: Scope, receive: Receive) -> OAuth1Response:
        try:
            methods = self._server.accepted_methods()
            if scope["method"] not in methods:
                raise MethodNotAllowedError(f"This endpoint only accepts {' and '.join(methods)}.")
            request = await self._read(scope, receive)
        except OAuth1Error as error:
            self._server.report_refusal(with_scope(error, scope), None)
            return await resolve(self._server.handle_error(error))
        response = await answer(request)
        response.headers.extend(field for field in request.response_fields if field not in response.headers)
        return response

    async def _read(self, scope: Scope, receive: Receive) -> OAuth1Request:
        policy, content_type, form = self._server.policy, content_type_of(scope), None
        body = ReceivedBody(receive, self._body_timeout)
        if content_type and is_form(content_type):
            form = await body.read_form(policy)
            check_length(scope, len(form))
        request = request_from_scope(scope, policy, form)
        request.read_body = lambda: body.read("body", policy.max_form_bytes)
        return request


def path_below_mounts(scope: Scope) -> str:
    """The path in this application. Some frameworks cut a mount off the path; others only add it to ``root_path``."""
    path: str = scope["path"]
    root_path: str = (scope.get("root_path") or "").rstrip("/")
    if root_path and path.startswith(f"{root_path}/"):
        path = path[len(root_path) :]
    raw_path: bytes | None = scope.get("raw_path")
    if raw_path is None or not raw_path.endswith(b"/"):
        path = path.removesuffix("/")  # Litestar adds it
    return path
