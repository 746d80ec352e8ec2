"""The adapter for Quart: reads a request from the ASGI scope, makes responses, and finds the application's loop."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Coroutine, MutableMapping
from contextlib import suppress
from typing import Any, cast

import quart
from quart.signals import request_started
from quart.wrappers import Request
from werkzeug.datastructures import Headers

from async_oauth1.asgi.requests import make_request, snapshot
from async_oauth1.asgi.unawaited import name_unawaited
from async_oauth1.errors import InvalidRequestError, OAuth1Error
from async_oauth1.policy import Policy
from async_oauth1.protocol.encoding import escape_text
from async_oauth1.protocol.request import is_form
from async_oauth1.provider.hooks import call_hook
from async_oauth1.provider.refusals import with_scope
from async_oauth1.quart.requests import announce_later, answers_preflight, guard_routing, read_body, read_form
from flask_compat.execution.ending_requests import separate_endings
from flask_compat.execution.flow_runner import ThreadRuntime, flows_ended
from flask_compat.wrapper import OAuth1Request

__all__ = ["adopt", "announce_later", "answers_preflight", "call_view", "prepare", "read", "respond", "runtime"]

#: Flows with plain hooks run in worker threads of the facade's own.
RUNS_WORKERS: bool = True
_LOOP = "flask_compat.loop"
_HANDLER = "flask_compat.handler"
_FORM = "flask_compat.form"
_TO_PREPARE = "flask_compat.to_prepare"


async def read(request: Request | None, policy: Policy) -> OAuth1Request:
    """Read a request, the current one if none is given."""
    current: Any = quart.request if request is None else request
    current = getattr(current, "_get_current_object", lambda: current)()
    form = None
    scope: MutableMapping[str, Any] = current.scope
    if is_form(current.headers.get("Content-Type", "").encode("latin-1")):
        scope = snapshot(scope)  # trailers may arrive with the body; without a form nothing is awaited here
        form = await call_hook(_form_once, current, policy)
    oauth1_request = make_request(OAuth1Request.from_wire, scope, policy, form)
    oauth1_request.read_body = functools.partial(_while_handled, current, read_body)
    return oauth1_request


def respond(body: str, status_code: int, headers: list[tuple[str, str]]) -> quart.Response:
    """Make a response."""
    return quart.Response(body, status_code, headers=Headers(headers))


async def prepare(policy: Policy) -> None:
    """Read the form of the current request before the view gets a thread, so that slow clients occupy no threads."""
    if quart.has_request_context() and is_form(quart.request.headers.get("Content-Type", "").encode("latin-1")):
        current: Any = quart.request
        with suppress(OAuth1Error):  # the flow meets the same error, and answers it
            await _form_once(current._get_current_object(), policy)  # noqa: SLF001 - the documented way


def adopt(app: quart.Quart) -> None:
    """Let flows end before the event loop does, and refuse requests that the router would fail on."""
    guard_routing(app, Policy().updated({**app.config, "OAUTH1_SUPPORTED_SIGNATURE_METHODS": None}))
    name_unawaited(app)
    if flows_ended not in app.after_serving_funcs:
        app.after_serving_funcs.append(flows_ended)
        app.extensions[_TO_PREPARE] = True


async def call_view(view: Callable[..., Any], *args: object, **kwargs: object) -> object:
    """Call a view on the event loop; Quart runs plain views in a thread."""
    return await quart.current_app.ensure_async(view)(*args, **kwargs)


def runtime() -> ThreadRuntime:
    """The runtime of the current application."""
    return ThreadRuntime(_scope_of(quart.request).get(_LOOP) if quart.has_request_context() else None)


def _scope_of(request: Request) -> dict[str, Any]:
    """The ASGI scope, in which we keep values of our own."""
    return cast("dict[str, Any]", request.scope)


async def _form_once(request: Request, policy: Policy) -> bytes:
    """Read the form once. After a form that was too large, a second attempt would see only the rest of it."""
    form: bytes | OAuth1Error | None = _scope_of(request).get(_FORM)
    if form is None:
        try:
            form = await _form(request, policy)
        except OAuth1Error as error:
            form = error
        _scope_of(request)[_FORM] = form
    if isinstance(form, OAuth1Error):
        raise with_scope(form, _scope_of(request))
    return form


async def _form(request: Any, policy: Policy) -> bytes:
    if request._form is not None and not request.body._data:  # noqa: SLF001 - nothing public tells
        # The view has read the form, and only its decoded pairs are left.
        pairs = (await request.form).items(multi=True)
        return "&".join(f"{escape_text(name)}={escape_text(value)}" for name, value in pairs).encode()
    return await _while_handled(request, read_form, policy)


async def _while_handled(request: Request, read: Callable[..., Coroutine[Any, Any, bytes]], *args: Any) -> bytes:
    """Read until the end of the body, or until the request is no longer handled.

    Quart cancels the handler if the client disconnects. A flow in a thread goes on, and would wait for the rest of the
    body until the time-out. A few such clients would occupy every thread.
    """
    handler: asyncio.Task[Any] | None = _scope_of(request).get(_HANDLER)
    if handler is None or handler is asyncio.current_task():
        return await read(request, *args)
    reading = asyncio.ensure_future(read(request, *args))

    def stop(_: object) -> None:
        reading.cancel()

    handler.add_done_callback(stop)
    try:
        await asyncio.wait({reading})
    finally:
        handler.remove_done_callback(stop)
        reading.cancel()
    if reading.cancelled():
        raise InvalidRequestError("The client hung up.")
    return reading.result()


async def _note_loop(app: quart.Quart, **_: object) -> None:
    if app.extensions.pop(_TO_PREPARE, None):  # the first request: every function has been registered
        separate_endings(app)
    scope = _scope_of(quart.request)
    scope[_LOOP] = asyncio.get_running_loop()
    scope[_HANDLER] = asyncio.current_task()


# Plain views run in threads, which cannot find the application's event loop by themselves.
request_started.connect(_note_loop)
