"""Announces the end of OAuth 1.0 (see `Retirement`) in answers, and tells its use by each client."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, NoReturn

from async_oauth1.asgi.requests import Message, Scope, Send
from async_oauth1.errors import OAuth1Error, RetiredError
from async_oauth1.protocol.request import OAuth1Request
from async_oauth1.provider.hooks import call_hook
from async_oauth1.provider.responses import noted_headers, with_headers
from async_oauth1.retirement import Retirement

from .bearer import offer_bearer
from .demands import AnyProtector

__all__ = ["announcing", "missing_headers", "raise_refused", "refused", "tell_use"]

log = logging.getLogger("async_oauth1")

# Fields of which an answer has one.
_SINGLE = ("deprecation", "sunset")
_tasks: set[asyncio.Task[None]] = set()


def announcing(fields: Sequence[tuple[str, str]], send: Send) -> Send:
    """Wrap ``send`` so that the answer has more header fields, such as those of a retirement.

    Args:
        fields: the header fields. Those count that are there when the answer begins.
        send: as the server passes it.
    """

    async def send_announcing(message: Message) -> None:
        if message["type"] in ("http.response.start", "websocket.http.response.start", "websocket.accept"):
            headers = [(name, value) for name, value in message.get("headers") or ()]
            known = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]
            more = [(name.lower().encode(), value.encode()) for name, value in missing_headers(fields, known)]
            message = {**message, "headers": [*headers, *more]}
        await send(message)

    return send_announcing


def missing_headers(fields: Sequence[tuple[str, str]], known: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The header fields that an answer does not have yet, from the application or another layer.

    Args:
        fields: such as those of a retirement.
        known: of the answer.
    """
    names, lower = {name.lower() for name, _ in known}, {(name.lower(), value) for name, value in known}
    return [
        (name, value)
        for name, value in fields
        if (name.lower() not in names if name.lower() in _SINGLE else (name.lower(), value) not in lower)
    ]


def refused(error: OAuth1Error, protector: AnyProtector, scope: Scope, *, takes_bearer: bool) -> OAuth1Error:
    """Prepare the error of a refused request: it announces the end, and offers the schemes that are accepted.

    Args:
        error: why the request is refused.
        protector: refuses it.
        scope: of the connection.
        takes_bearer: whether bearer tokens are accepted, too.

    Returns:
        The error; in a brown-out another one for a request that could not even be read.
    """
    retirement = protector.retirement
    if retirement is not None and not (takes_bearer and _has_bearer(scope)):
        try:
            retirement.check(protector.clock())
        except RetiredError as retired:
            # Its traceback has this frame, and this frame the error: the collector alone would free such a cycle.
            error = error if isinstance(error, RetiredError) else retired.with_traceback(None)
        with_headers(error, [*noted_headers(error), *missing_headers(retirement.headers, noted_headers(error))])
    if takes_bearer:
        offer_bearer(error)
    return error


def raise_refused(error: OAuth1Error, protector: AnyProtector, scope: Scope, *, takes_bearer: bool) -> NoReturn:
    """Raise what `refused` returns, from within an ``except`` clause.

    Raises:
        OAuth1Error: always. No frame of its traceback refers to it, so that it is freed once it is handled.
    """
    final = refused(error, protector, scope, takes_bearer=takes_bearer)
    try:
        if final is error:
            raise error
        raise final from error
    finally:
        del error, final


async def tell_use(protector: AnyProtector, request: OAuth1Request) -> None:
    """Tell the hook ``usage`` that a client has used OAuth 1.0, in a task of its own.

    Args:
        protector: has verified the request.
        request: signed with OAuth 1.0.
    """
    retirement, client_id = protector.retirement, request.client_id or ""
    now = protector.clock()
    if retirement is None or retirement.usage is None or not retirement.is_use_due(client_id, now):
        return
    telling = _tell(retirement, retirement.usage, client_id, datetime.fromtimestamp(now, UTC))
    try:
        asyncio.get_running_loop()
    except RuntimeError:  # another event loop, such as trio's
        await telling
        return
    # In an empty context: that of the request has ended by then.
    task = asyncio.get_running_loop().create_task(telling, context=contextvars.Context())
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


async def _tell(retirement: Retirement, usage: Callable[[str, datetime], Any], client_id: str, when: datetime) -> None:
    try:
        await call_hook(usage, client_id, when)
    except Exception:  # of the hook, which only counts: the request is genuine all the same
        log.exception("The hook usage failed for client %a. Its next request is told.", client_id)
        retirement.forget_use(client_id)


def _has_bearer(scope: Scope) -> bool:
    return any(
        name.lower() == b"authorization" and value.strip()[:7].lower() in (b"bearer", b"bearer ")
        for name, value in scope["headers"]
    )
