"""Run the flows for synchronous and asynchronous views.

A flow runs in one thread, in which its hooks may use the ORM. For an async view that is one call of ``sync_to_async``.
It stays in Django's thread for synchronous code, so the connection and its transaction are those of the request.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from asgiref.sync import async_to_sync, sync_to_async
from django.db import InterfaceError, OperationalError, connections, transaction

from async_oauth1.errors import StoreUnavailableError
from async_oauth1.provider.hooks import hook_caller, is_awaitable, resolve
from async_oauth1.provider.sync_driver import run_sync

__all__ = ["committed", "on_loop", "run", "run_async", "run_here"]

log = logging.getLogger("async_oauth1")
T = TypeVar("T")
Flow = Callable[..., Coroutine[Any, Any, T]]


def run(flow: Flow[T], *args: Any, **kwargs: Any) -> Any:
    """Run a flow: at once, or as an awaitable if an event loop runs in this thread."""
    return (run_async if on_loop() else run_here)(flow, *args, **kwargs)


async def run_async(flow: Flow[T], *args: Any, **kwargs: Any) -> T:
    """Run a flow in Django's thread for synchronous code, so that its hooks do not block the event loop."""
    return await sync_to_async(run_here, thread_sensitive=True)(flow, *args, **kwargs)


def run_here(flow: Flow[T], *args: Any, **kwargs: Any) -> T:
    """Run a flow in this thread."""
    token = hook_caller.set(_call)
    try:
        return run_sync(flow(*args, **kwargs))
    finally:
        hook_caller.reset(token)


def on_loop() -> bool:
    """Whether an event loop runs in this thread, as it does in async views."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def committed(using: str, step: Callable[..., T], *args: Any) -> T:
    """Take a step that is committed at once, whatever becomes of a transaction that this thread is in.

    Args:
        using: the database of the step.
        step: commits by itself if there is no transaction.
        args: of the step.
    """
    if not _is_in_transaction(using):
        return step(*args)
    with ThreadPoolExecutor(1) as thread:  # a thread has connections of its own
        return thread.submit(_take_alone, using, step, args).result()


def _take_alone(using: str, step: Callable[..., T], args: tuple[Any, ...]) -> T:
    try:
        connections[using].set_autocommit(True)  # the setting AUTOCOMMIT may be off
        return step(*args)
    finally:
        connections.close_all()  # those of this thread


def _is_in_transaction(using: str) -> bool:
    """Whether a rollback could undo what this thread writes. That of a ``TestCase`` does not count."""
    if not connections[using].in_atomic_block:
        return not connections[using].get_autocommit()
    try:
        with transaction.atomic(using=using, durable=True):
            return False
    except RuntimeError:
        return True


async def _call(func: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """Call a hook, and wait for it if it is async. A database that is down is a 503.

    Raises:
        StoreUnavailableError: the database could not be asked.
    """
    try:
        value = func(*args)
        return async_to_sync(partial(resolve, value))() if _must_be_awaited(value) else await resolve(value)
    except (InterfaceError, OperationalError) as error:
        log.exception("The database failed, and the request is answered with 503.")
        raise StoreUnavailableError() from error


def _must_be_awaited(value: object) -> bool:
    """Whether a hook of the application is async. Our own coroutines wait for nothing, and need no loop."""
    if not is_awaitable(value):
        return False
    frame = getattr(value, "cr_frame", None)
    return frame is None or not frame.f_globals.get("__name__", "").startswith("async_oauth1.")
