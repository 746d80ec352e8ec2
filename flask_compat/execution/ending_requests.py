"""Run an application's plain functions before and after a request in threads of their own, on Quart.

Quart runs them in the threads of plain views, and there are few. Two of them could wait for each other:

- A request that is finished keeps its database connection until its teardown function has run. If that waits for a
  thread behind views that wait for a connection, neither gets on.
- A function before the request may take a connection, which the request keeps while its view waits for a thread. If the
  threads are occupied by functions that wait for a connection, neither gets on.
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

#: Of each kind. The functions are short.
THREADS = 16


def separate_endings(app: Any) -> None:
    """Replace an application's plain functions before and after a request by ones that use these threads.

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
        functions[:] = [_in_threads("ending", func) for func in functions]
    for functions in app.before_request_funcs.values():
        # A request that has taken a connection in the first function must not wait for one that has none yet.
        functions[:] = [_in_threads(f"beginning_{number}", func) for number, func in enumerate(functions)]


def _in_threads(name: str, func: Callable[..., Any]) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(func):
        return func

    @functools.wraps(func)
    async def call(*args: object) -> object:
        run = functools.partial(copy_context().run, func, *args)
        return await asyncio.get_running_loop().run_in_executor(_threads(name), run)

    return call


@functools.cache
def _threads(name: str) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(THREADS, thread_name_prefix=f"flask_compat_{name}")


# A forked server process has none of its parent's threads.
os.register_at_fork(after_in_child=_threads.cache_clear)
