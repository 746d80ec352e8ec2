"""Middleware that keeps what FastAPI receives of a body, because FastAPI reads bodies before it calls dependencies."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI
from starlette.requests import HTTPConnection

from async_oauth1.asgi.bodies.pieces import too_large
from async_oauth1.asgi.bodies.received import ReceivedBody
from async_oauth1.asgi.requests import ASGIApp, Message, Receive, Scope, Send, content_type_of, snapshot
from async_oauth1.asgi.routing.targets import RequestTargetMiddleware, check_received
from async_oauth1.asgi.startup import run_lifespan
from async_oauth1.asgi.verifying.announcing import announcing
from async_oauth1.asgi.verifying.demands import AnyProtector
from async_oauth1.current import verified_request
from async_oauth1.errors import OAuth1Error
from async_oauth1.policy import Policy
from async_oauth1.protocol.request import is_form
from async_oauth1.provider.checks import BODY_HASHES

from .refusals import NotInstalledError, OAuth1HTTPError

__all__ = [
    "FrontMiddleware",
    "Installation",
    "Limits",
    "RecordedBody",
    "RecorderMiddleware",
    "Recording",
    "installation_of",
    "recorded_body",
    "recording_of",
]

#: The key of the scope under which `Recording` is found.
_RECORDING_KEY = "async_oauth1.recording"

_BODY_HASH = b"oauth_body_hash"
_NO_RECORDER = "OAuth 1.0 is not installed on this FastAPI application: call install(app) of the OAuth1 object."
_OTHER_PROTECTOR = (
    "Another OAuth1 object is installed on this FastAPI application: call install(app) of the one that protects this"
    " route, too."
)
_NOT_SEEN = (
    "The body was received past the middleware that install(app) of the OAuth1 object adds: nothing may replace the"
    " application's middleware, nor receive bodies otherwise."
)


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of the bodies that an application receives.

    Attributes:
        memory_limit: octets of a body that are kept in memory until its hash holds; the rest goes to a file.
        max_body_bytes: of any body; ``None`` for no limit.
        body_timeout: in seconds, while a dependency receives a body: see `ReceivedBody`.
    """

    memory_limit: int
    max_body_bytes: int | None
    body_timeout: float


class RecordedBody(ReceivedBody):
    """A body of which a part, or all, may reach the application before it is verified.

    What passes of a form is kept. Of any other body, hashes are made if the request has an ``oauth_body_hash``.
    """

    def __init__(self, scope: Scope, receive: Receive, max_form_bytes: int, limits: Limits) -> None:
        """Receive nothing yet.

        Args:
            scope: of the request; a `snapshot`.
            receive: as the server passes it.
            max_form_bytes: octets of a form that are kept; if there are more, one more is kept.
            limits: of the body.
        """
        timeout, max_bytes = limits.body_timeout, limits.max_body_bytes
        super().__init__(self._record, timeout, memory_limit=limits.memory_limit, max_bytes=max_bytes)
        self.from_server = receive
        self._scope = scope
        self._count = 0
        self._first = b""
        self._max_form_bytes = max_form_bytes
        content_type = content_type_of(scope)
        self._form = bytearray() if content_type and is_form(content_type) else None
        algorithms = BODY_HASHES.values() if self._form is None and _has_body_hash(scope) else ()
        self._hashes = {name: hashlib.new(name, usedforsecurity=False) for name in algorithms}

    async def receive(self) -> Message:
        """Receive for the application: what was received here, and then whatever the server says."""
        return await (self.receive_again() if self.received else self._record())

    async def read_form(self, policy: Policy) -> bytes:
        """The whole form, of which the application may have received a part before."""
        if not self._ended:
            await super().read_form(policy)
        self._check_size()
        form = bytes(self._form or b"")
        if len(form) > policy.max_form_bytes:
            raise too_large("form", policy.max_form_bytes)
        check_received(self._scope, len(form))
        return form

    async def digest(self, algorithm: str) -> bytes:
        """The hash of the whole body, of which the application may have received a part before."""
        if not self._count:  # nothing has passed, so one hash is enough
            self._hashes = {algorithm: hashlib.new(algorithm, usedforsecurity=False)}
        if not self._ended:
            await self.receive_rest(lambda _: None)
        self._check_size()
        return self._hashes[algorithm].digest()

    async def peek(self) -> bytes:
        """An octet or more if there is one, also if the application has received it."""
        return self._first or await super().peek()

    async def _record(self) -> Message:
        message = await self.from_server()
        if message["type"] == "http.request":
            self._ended = not message.get("more_body", False)
            self._see(message.get("body", b""))
        return message

    def _see(self, piece: bytes) -> None:
        if self._max_bytes is not None and self._count > self._max_bytes:
            return  # it is being dropped
        self._count += len(piece)
        self._check_size()
        self._first = self._first or piece
        for hashed in self._hashes.values():
            hashed.update(piece)
        if self._form is not None:
            self._form += piece[: self._max_form_bytes + 1 - len(self._form)]

    def _check_size(self) -> None:
        if self._max_bytes is not None and self._count > self._max_bytes:
            raise too_large("body", self._max_bytes)


def _has_body_hash(scope: Scope) -> bool:
    """Whether the request may have an ``oauth_body_hash``; other spellings of the name are refused."""
    if _BODY_HASH in scope["query_string"]:
        return True
    return any(name.lower() == b"authorization" and _BODY_HASH in value for name, value in scope["headers"])


@dataclass(slots=True)
class Installation:
    """What is installed on one application.

    Attributes:
        application: it does not include mounted applications, which need an installation of their own.
        protectors: in the order of `install`.
        limits: of bodies.
    """

    application: FastAPI
    protectors: list[AnyProtector]
    limits: Limits

    def __contains__(self, protector: object) -> bool:
        return any(installed is protector for installed in self.protectors)


def installation_of(app: FastAPI) -> Installation | None:
    """What is installed on an application already."""
    given = [entry.kwargs.get("installation") for entry in app.user_middleware]
    return next((found for found in given if isinstance(found, Installation)), None)


@dataclass(slots=True)
class Recording:
    """What the dependencies need to verify one connection.

    Attributes:
        installation: of the application that handles it.
        body: of the request.
        announcements: header fields that announce the end of OAuth 1.0, whatever answers the request.
    """

    installation: Installation
    body: RecordedBody
    announcements: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])


def recorded_body(connection: HTTPConnection[Any]) -> RecordedBody | None:
    """The body of a request to an application that records it."""
    recording: Recording | None = connection.scope.get(_RECORDING_KEY)
    return None if recording is None else recording.body


def recording_of(connection: HTTPConnection[Any], protector: AnyProtector) -> Recording:
    """What the application that handles a connection has recorded of it.

    Raises:
        NotInstalledError: the application does not record, or not for this protector.
    """
    scope = connection.scope
    recording: Recording | None = scope.get(_RECORDING_KEY)
    if recording is None or recording.installation.application is not scope.get("app"):
        raise NotInstalledError(_NO_RECORDER)
    if protector not in recording.installation:
        raise NotInstalledError(_OTHER_PROTECTOR)
    if getattr(connection, "_stream_consumed", False) and not recording.body.ended:
        raise NotInstalledError(_NOT_SEEN)
    return recording


class RecorderMiddleware:
    """Keeps what the application behind it receives of a body. It must be the innermost middleware."""

    def __init__(self, app: ASGIApp, *, installation: Installation) -> None:
        """Wrap an application.

        Args:
            app: the rest of FastAPI's middleware.
            installation: may grow until the application starts.
        """
        self._app = app
        self._installation = installation

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan":
            await run_lifespan(self._app, self._installation.protectors, scope, receive, send)
        elif scope["type"] in ("http", "websocket"):
            await self._serve(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope.update(snapshot(scope))  # in place: middleware in front looks for the route there afterwards
        policies: Sequence[Policy] = [protector.policy for protector in self._installation.protectors]
        limit = max(policy.max_form_bytes for policy in policies)
        body = RecordedBody(scope, receive, limit, self._installation.limits)
        recording = scope[_RECORDING_KEY] = Recording(self._installation, body)
        if any(protector.retirement or protector.limiter for protector in self._installation.protectors):
            send = announcing(recording.announcements, send)

        async def receive_recorded() -> Message:
            try:
                return await body.receive()
            except OAuth1Error as error:  # the body is too large, and FastAPI passes on what it knows how to answer
                raise OAuth1HTTPError(error, policies[0]) from error

        current = verified_request.set(verified_request.get())
        try:
            await self._app(scope, receive_recorded if scope["type"] == "http" else receive, send)
        finally:
            verified_request.reset(current)
            body.close()


class FrontMiddleware:
    """`RequestTargetMiddleware` in front of other middleware. It also counts what arrives of a chunked body."""

    def __init__(self, app: ASGIApp, *, policy: Policy) -> None:
        """Wrap an application.

        Args:
            app: the rest of FastAPI's middleware.
            policy: see `RequestTargetMiddleware`.
        """
        self._app = app
        self._policy = policy

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection."""

        async def in_place(checked: Any, receive: Any, send: Any) -> None:
            scope.update(checked)  # middleware in front looks for the route there afterwards
            await self._app(scope, receive, send)

        await RequestTargetMiddleware(in_place, self._policy)(scope, receive, send)
