"""Test clients of frameworks that sign each request that they send."""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar, cast

from async_oauth1.asgi.environ import PATH_CHARACTERS, scope_of_environ
from async_oauth1.probing.signing import Message

from .signed_auth import SignedAuth, with_length

__all__ = ["sign_requests"]

C = TypeVar("C")
Scope = dict[str, Any]
Event = dict[str, Any]
Receive = Callable[[], Awaitable[Event]]


def sign_requests(client: C, auth: SignedAuth) -> C:
    """Let a test client sign every request from now on; if it can, also those that follow a redirect.

    Args:
        client: the test client of Flask, Quart, Starlette, FastAPI or Litestar, or a client of ``httpx`` or ``httpx2``.
        auth: signs; a second call replaces it.

    Returns:
        The same client.

    Raises:
        TypeError: the client is none of these.
    """
    unknown: Any = client
    if hasattr(unknown, "run_wsgi_app"):
        unknown.application = _SignedWSGI(_unsigned(unknown.application), auth)
    elif hasattr(unknown, "http_connection_class"):
        unknown.app = _SignedASGI(_unsigned(unknown.app), auth)
    elif hasattr(unknown, "build_request") and hasattr(unknown, "auth"):
        unknown.auth = auth
    else:
        raise TypeError(f"{type(client).__name__} is no test client of Flask, Quart, Starlette, Litestar or httpx.")
    return client


class _Signed:
    """An application behind a client that signs; whatever else it is asked for, the application answers."""

    def __init__(self, application: Any, auth: SignedAuth) -> None:
        self.unsigned_application, self.auth = application, auth

    def __getattr__(self, name: str) -> Any:
        return getattr(self.unsigned_application, name)


def _unsigned(application: Any) -> Any:
    return application.unsigned_application if isinstance(application, _Signed) else application


class _SignedWSGI(_Signed):
    def __call__(self, environ: Scope, start_response: Any) -> Iterable[bytes]:
        scope = scope_of_environ(environ)
        unsigned = _message_of(scope, b"")
        if self.auth.reads_body(_media_type(unsigned)):
            octets = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            unsigned = _message_of(scope, octets)
            environ = {**environ, "wsgi.input": io.BytesIO(octets)}
        signed = self.auth.sign(unsigned)
        return cast(
            "Iterable[bytes]", self.unsigned_application(_environ_of(environ, unsigned, signed), start_response)
        )


def _environ_of(environ: Scope, unsigned: Message, signed: Message) -> Scope:
    """The environ with what signing has added."""
    changes: Scope = {"QUERY_STRING": signed.query.decode("latin-1")}
    for name, value in signed.headers[len(unsigned.headers) :]:
        key = name.decode().upper().replace("-", "_")
        changes[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value.decode("latin-1")
    for raw in ("RAW_URI", "REQUEST_URI"):
        if raw in environ and signed.query != unsigned.query:
            changes[raw] = f"{environ[raw].partition('?')[0]}?{changes['QUERY_STRING']}"
    if signed.body != unsigned.body:
        changes |= {"wsgi.input": io.BytesIO(signed.body), "CONTENT_LENGTH": str(len(signed.body))}
    return {**environ, **changes}


class _SignedASGI(_Signed):
    async def __call__(self, scope: Scope, receive: Receive, send: Any) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.unsigned_application(scope, receive, send)
            return
        unsigned = _message_of(scope, b"")
        events: list[Event] = []
        if scope["type"] == "http" and self.auth.reads_body(_media_type(unsigned)):
            events = await _read(receive)
            unsigned = _message_of(scope, b"".join(event.get("body", b"") for event in events))
        signed = self.auth.sign(unsigned)
        if signed.body != unsigned.body:
            signed, events = with_length(signed), [_request(signed.body)]
        headers = [(name.lower(), value) for name, value in signed.headers]
        scope = {**scope, "query_string": signed.query, "headers": headers}
        await self.unsigned_application(scope, _replay(events, receive), send)


def _message_of(scope: Scope, body: bytes) -> Message:
    headers = tuple((bytes(name), bytes(value)) for name, value in scope["headers"])
    return Message(
        method=scope.get("method", "GET"),
        scheme=scope["scheme"],
        host=next((value.decode("latin-1") for name, value in headers if name.lower() == b"host"), ""),
        path=_path_of(scope),
        query=bytes(scope["query_string"]),
        headers=headers,
        body=body,
    )


def _path_of(scope: Scope) -> bytes:
    from urllib.parse import quote

    raw: bytes = scope.get("raw_path") or quote(scope["path"], safe=PATH_CHARACTERS).encode()
    return raw.partition(b"?")[0]


def _media_type(message: Message) -> bytes:
    return next((value for name, value in message.headers if name.lower() == b"content-type"), b"")


async def _read(receive: Receive) -> list[Event]:
    """The events of a whole body, or of what arrived before the client hung up."""
    events = [await receive()]
    while events[-1].get("more_body"):
        events.append(await receive())
    return events


def _request(body: bytes) -> Event:
    return {"type": "http.request", "body": body, "more_body": False}


def _replay(events: list[Event], receive: Receive) -> Receive:
    """A ``receive`` that delivers these events first."""
    pending = list(events)

    async def replaying() -> Event:
        return pending.pop(0) if pending else await receive()

    return replaying
