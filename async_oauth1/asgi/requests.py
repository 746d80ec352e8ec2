"""Convert an ASGI scope to an `OAuth1Request`, and a response to ASGI messages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from contextvars import ContextVar
from typing import Any, TypeVar

from async_oauth1 import native
from async_oauth1.errors import OAuth1Error
from async_oauth1.policy import Policy
from async_oauth1.protocol.hosts import HOSTS_KEPT
from async_oauth1.protocol.request import OAuth1Request
from async_oauth1.provider.refusals import log_refusal, with_scope
from async_oauth1.provider.responses import OAuth1Response, resource_error_response

from .event_loops import while_doing
from .origin import HTTP_SCHEMES, may_be_rewritten, origin_form, peer_address, request_origin

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
#: While a middleware verifies a request: the application that it wraps, whose configuration counts.
application_behind: ContextVar[object | None] = ContextVar("async_oauth1.application_behind", default=None)
#: Any ASGI application. The arguments are `Any` because frameworks disagree about their types.
ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]

R = TypeVar("R", bound=OAuth1Request)

_of_scope = OAuth1Request.of_scope  # faster to find than an attribute of a class
# The normal form of Host fields, by scheme.
_hosts: dict[str, dict[bytes, str]] = {"http": {}, "https": {}}


def snapshot(scope: Scope) -> Scope:
    """Copy a scope, so that the server cannot change it between verification and application.

    uvicorn with httptools appends the trailers of a chunked body to the list ``scope["headers"]`` when they arrive.
    The method is in upper case, as it is signed (RFC 5849 section 3.4.1.1): hypercorn converts ``get`` to ``GET``, but
    granian and uvicorn with h11 do not.
    """
    if scope["type"] == "websocket":
        return {"query_string": b"", **scope, "headers": [*map(tuple, scope.get("headers", ()))]}
    copy = dict(scope)  # and then the keys that differ: a display of all of them takes half as long again
    copy["method"], copy["headers"] = scope["method"].upper(), [*map(tuple, scope["headers"])]
    return copy


def request_from_scope(scope: Scope, policy: Policy, body: bytes | None = None) -> OAuth1Request:
    """Make an `OAuth1Request` from an ASGI scope.

    The application must see what is verified here. Servers may append to ``scope["headers"]`` while a body arrives, and
    may leave a method in lower case, so give this function and the application the same copy:
    ``scope = {**scope, "method": scope["method"].upper(), "headers": list(scope["headers"])}``.

    Args:
        scope: of type ``http`` or ``websocket``: the handshake of a WebSocket is a GET without a body.
        policy: sets the limits, the trusted proxies and the external base URL.
        body: the octets of a form; ``None`` if the body is not a form and was not read.

    Raises:
        OAuth1Error: the request is malformed or too large.
    """
    return make_request(OAuth1Request, scope, policy, body)


def make_request(make: Callable[..., R], scope: Scope, policy: Policy, body: bytes | None) -> R:
    """Make a request from an ASGI scope. ``make`` takes the arguments of `OAuth1Request`."""
    is_usual = (
        native.IN_USE
        and make is OAuth1Request
        and scope["type"] == "http"
        and not (policy.external_base_url or policy.trusted_proxies)
    )
    if is_usual:
        read = native.read_scope(
            scope,
            _hosts,
            body,
            policy.max_parameters,
            policy.max_header_bytes,
            policy.max_query_bytes,
            policy.max_form_bytes,
        )
        if read is not None:
            return _of_scope(body, read)  # type: ignore[return-value]  # `make` is this class, so R is it, too
    is_websocket = scope["type"] == "websocket"
    if is_websocket:
        scope, body = handshake_of(scope), b""
    try:
        path = origin_form(scope, policy)
        scheme, host, prefix = request_origin(scope, policy)
        request = make(
            method=scope["method"],
            scheme=scheme,
            host=host,
            raw_path=_with_prefix(prefix.encode(), path, scope) if prefix else path,
            raw_query=scope["query_string"],
            headers=scope["headers"],
            body=body,
            peer=peer_address(scope),
            limits=policy,
        )
        if is_websocket:
            request.websocket_scheme = "wss" if request.scheme == "https" else "ws"
        if may_be_rewritten(scope, policy):
            request.may_be_rewritten = True
    except OAuth1Error as error:
        with_scope(error, scope)
        raise
    if is_usual:
        _remember_host(scope, scheme, request.host)
    return request


def _with_prefix(prefix: bytes, path: bytes, scope: Scope) -> bytes:
    """The path that the client used: behind a prefix of the external base URL, which uvicorn may have put there."""
    # Starlette adds its mounts to the root path, and keeps the server's.
    root_path: str = scope.get("app_root_path", scope.get("root_path")) or ""
    has_prefix = root_path.encode().rstrip(b"/") == prefix and path.startswith(prefix + b"/")
    return path if has_prefix else prefix + path


def _remember_host(scope: Scope, scheme: str, normal_form: str) -> None:
    """Keep what a Host field is normalised to, for the native reader."""
    known = _hosts.get(scheme)
    if known is None:
        return
    if len(known) >= HOSTS_KEPT:
        known.clear()
    for name, value in scope["headers"]:
        if name == b"host" and type(value) is bytes:
            known[value] = normal_form


def handshake_of(scope: Scope) -> Scope:
    """The HTTP request that opens a WebSocket (RFC 6455 section 4.1), over HTTP/2 as well (RFC 8441)."""
    scheme: str = scope.get("scheme", "ws")
    return {**scope, "method": "GET", "scheme": HTTP_SCHEMES.get(scheme, scheme)}


def content_type_of(scope: Scope) -> bytes:
    """The first Content-Type. `OAuth1Request` refuses a second one."""
    for name, value in scope["headers"]:
        if len(name) == 12 and name.lower() == b"content-type":  # some servers keep upper case in names
            return bytes(value)
    return b""


def has_unannounced_length(scope: Scope) -> bool:
    """Whether the request may have a body whose length is known only once it has arrived."""
    has_length = False
    for raw_name, _ in scope["headers"]:
        name = raw_name.lower()
        if name == b"transfer-encoding":
            return True
        has_length = has_length or name == b"content-length"
    return not has_length and not scope.get("http_version", "1.1").startswith("1")


async def send_response(
    response: OAuth1Response, send: Send, *, kind: str = "http.response", method: str = "GET"
) -> None:
    """Send a whole response over ASGI.

    Args:
        response: the response.
        send: as the server passes it.
        kind: of the messages; ``websocket.http.response`` if a WebSocket is refused.
        method: of the request. The response to HEAD has no body: granian would send it, over HTTP/2.
    """
    body = response.body.encode()
    headers = [(name.lower().encode(), value.encode()) for name, value in response.headers]
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": f"{kind}.start", "status": response.status_code, "headers": headers})
    await send({"type": f"{kind}.body", "body": b"" if method == "HEAD" else body})


async def refuse_websocket(error: OAuth1Error, policy: Policy, scope: Scope, send: Send) -> None:
    """Log why a WebSocket is refused, and send the response if the server can; otherwise it answers 403."""
    log_refusal(with_scope(error, scope))
    if "websocket.http.response" in (scope.get("extensions") or {}):
        await send_response(_error_response(error, policy), send, kind="websocket.http.response")
    else:
        await send({"type": "websocket.close", "code": 1008})


async def refuse(error: OAuth1Error, policy: Policy, scope: Scope, receive: Receive, send: Send) -> None:
    """Log an error at a protected resource, unless it has been logged, and send the response.

    Meanwhile the body is received and dropped, as frameworks do, so that `LingeringMiddleware` sees its end.
    """
    if scope["type"] == "websocket":
        await refuse_websocket(error, policy, scope, send)
        return

    async def drop() -> None:
        while (await receive()).get("more_body", False):
            pass

    log_refusal(with_scope(error, scope))
    response = _error_response(error, policy)
    await while_doing(drop, send_response(response, send, method=scope["method"]))


def _error_response(error: OAuth1Error, policy: Policy) -> OAuth1Response:
    return resource_error_response(error, realm=policy.realm, problems=policy.problem_reporting)
