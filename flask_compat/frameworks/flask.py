"""The adapter for Flask: reads a request from the WSGI environ, makes responses, and runs async hooks."""

from __future__ import annotations

import contextvars
import functools
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from types import FunctionType
from typing import Any, TypeVar

import flask
from flask.signals import request_started
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.wsgi import get_input_stream

from async_oauth1.asgi.environ import scope_of_environ
from async_oauth1.asgi.requests import make_request
from async_oauth1.asgi.routing.preflights import answers_options, is_preflight
from async_oauth1.asgi.unawaited import name_unawaited
from async_oauth1.asgi.verifying.announcing import missing_headers
from async_oauth1.errors import InvalidRequestError, OAuth1Error, RequestTooLargeError
from async_oauth1.policy import Policy
from async_oauth1.protocol.encoding import escape_text
from async_oauth1.protocol.request import is_form
from async_oauth1.provider.hooks import resolve
from async_oauth1.provider.refusals import with_scope
from flask_compat.execution.flow_runner import ThreadRuntime, running_loop
from flask_compat.wrapper import OAuth1Request

T = TypeVar("T")

#: Flows run in the threads of the WSGI server.
RUNS_WORKERS: bool = False
_LOOP = "flask_compat.loop"


async def read(request: flask.Request | None, policy: Policy) -> OAuth1Request:
    """Read a request, the current one if none is given."""
    current: Any = flask.request if request is None else request
    current = getattr(current, "_get_current_object", lambda: current)()
    form = None
    if is_form(current.headers.get("Content-Type", "").encode("latin-1")):
        try:
            form = _read_form(current, policy.max_form_bytes)
        except OAuth1Error as error:
            with_scope(error, scope_of_environ(current.environ))
            raise
    oauth1_request = make_request(OAuth1Request.from_wire, scope_of_environ(current.environ), policy, form)
    oauth1_request.read_body = functools.partial(_read_body, current)
    return oauth1_request


def respond(body: str, status_code: int, headers: list[tuple[str, str]]) -> flask.Response:
    """Make a response."""
    return flask.Response(body, status_code, headers)


def announce_later(request: OAuth1Request) -> None:
    """Add the header fields to the response that are found while a request is answered."""
    if not flask.has_request_context():
        return

    def announce(response: flask.Response) -> flask.Response:
        for name, value in missing_headers(request.response_fields, [*response.headers]):
            response.headers.add(name, value)
        return response

    flask.after_this_request(announce)


async def prepare(_: Policy) -> None:
    """Do nothing: reading blocks, so it happens in the thread of the request."""


def adopt(app: flask.Flask) -> None:
    """Name our methods that async views forget to await."""
    name_unawaited(app)


def answers_preflight(cors: FunctionType) -> bool:
    """Whether the current request is a preflight that a CORS extension's wrapper answers without calling its view."""
    request = flask.request
    return is_preflight(request.method, request.headers.keys()) and answers_options(cors, flask.current_app.config)


async def call_view(view: Callable[..., Any], *args: object, **kwargs: object) -> object:
    """Call a view on a loop."""
    return await resolve(view(*args, **kwargs))


class FlaskRuntime:
    """The runtime of a Flask application: WSGI threads, and a short-lived event loop in each async view."""

    loops_are_short_lived = True

    def __init__(self, app: flask.Flask) -> None:
        """Use an application, which may have its own way to run coroutines."""
        self._app = app

    def on_loop(self) -> bool:
        """Whether an async view runs in this thread. An event loop that ran before the request does not count."""
        loop = running_loop()
        if loop is None:
            return False
        return not (flask.has_request_context() and flask.request.environ.get(_LOOP) is loop)

    async def hop(self, func: Callable[[], T]) -> T:
        """Call a function in the WSGI server's own thread, which is waiting for the async view."""
        try:
            from asgiref.sync import sync_to_async
        except ImportError:
            return await ThreadRuntime(None).hop(func)
        return await sync_to_async(func, thread_sensitive=True)()

    def under_way(self) -> AbstractContextManager[None]:
        """Do nothing: the application has no event loop to wait for."""
        return nullcontext()

    def wait(self, awaitable: Awaitable[Any]) -> object:
        """Await something in the way that Flask runs async views; needs ``flask[async]``."""
        run = functools.partial(self._app.async_to_sync(resolve), awaitable)
        if running_loop() is None:
            return run()
        # A loop is already running in this thread, below the WSGI call, and it cannot be entered twice.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(contextvars.copy_context().run, run).result()


def _note_loop(_: flask.Flask, **__: object) -> None:
    loop = running_loop()
    if loop is not None:
        flask.request.environ[_LOOP] = loop


# Sent before any of the application's own functions run. A loop that runs at that moment is not one of Flask's.
request_started.connect(_note_loop)


def _read_form(request: flask.Request, limit: int) -> bytes:
    """Read at most ``limit`` bytes, and leave them for the view."""
    kept = getattr(request, "_cached_data", None)
    if "form" in vars(request) and not kept:
        # The view has read the form, and only its decoded pairs are left.
        pairs = request.form.items(multi=True)
        return "&".join(f"{escape_text(name)}={escape_text(value)}" for name, value in pairs).encode()
    was_open = kept is None and "stream" in vars(request)
    body = _read_body(request, limit)
    # If the body was read and dropped before, an empty form would verify, and the view would have unsigned data.
    if request.content_length is None and was_open:
        raise InvalidRequestError(
            "The form has been read before, at least in part. Protect the view before anything else reads the form."
        )
    return body


def _read_body(request: flask.Request, limit: int | None = None) -> bytes:
    """Read a whole body, and leave it for the view."""
    body = _read_data(request, limit)
    # A body that was read and dropped before would verify as an empty one.
    if request.content_length not in (None, len(body)):
        raise InvalidRequestError("The body is not as long as Content-Length says.")
    return body


def _read_data(request: flask.Request, limit: int | None) -> bytes:
    try:
        if limit is not None and "stream" not in vars(request):
            # The request's own max_content_length cannot be set before Flask 3.1.
            allowed = request.max_content_length
            limit = limit if allowed is None else min(limit, allowed)
            vars(request)["stream"] = get_input_stream(request.environ, max_content_length=limit)
        return request.get_data(cache=True)
    except RequestEntityTooLarge:
        raise RequestTooLargeError("The body is larger than this server reads.") from None
    except ClientDisconnected:
        raise InvalidRequestError("The body is shorter than Content-Length says.") from None
    except Exception as error:
        # The servers' exceptions for a malformed chunk have no base class in common.
        raise InvalidRequestError("The body cannot be read.") from error
