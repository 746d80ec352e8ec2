"""Run the plain functions that end a request on Quart, such as ``teardown_appcontext``, in threads of their own.

Quart runs them in the threads of plain views, and there are few. A request that is finished keeps its database
connection until its teardown function has run. If that waits for a thread behind views that wait for a connection,
neither gets on.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, cast

#: These functions are short, and wait for no connection: they give one back.
THREADS = 16


def separate_endings(app: Any) -> None:
    """Replace an application's plain ``after_request`` and teardown functions by ones that use these threads.

    Args:
        app: of Quart; functions that are added afterwards are not replaced. One that has its own way to run plain
            functions, or is patched by quart-flask-patch, keeps it.
    """
    kind = cast("Any", type(app))
    if any(getattr(kind, name).__module__ != "quart.app" for name in ("ensure_async", "sync_to_async")):
        return
    for functions in (
        app.teardown_appcontext_funcs,
        *app.teardown_request_funcs.values(),
        *app.after_request_funcs.values(),
    ):
        functions[:] = [func if inspect.iscoroutinefunction(func) else _in_own_thread(func) for func in functions]


def _in_own_thread(func: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(func)
    async def call(*args: Any) -> Any:
        run = functools.partial(copy_context().run, func, *args)
        return await asyncio.get_running_loop().run_in_executor(_threads(), run)

    return call


@functools.cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(THREADS, thread_name_prefix="flask_compat_ending")


# A forked server process has none of its parent's threads.
os.register_at_fork(after_in_child=_threads.cache_clear)
