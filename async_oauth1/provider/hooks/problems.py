"""Find two mistakes in hooks, and log each once: a hook that blocks the event loop, and a nonce that is not atomic."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Generator
from time import monotonic
from types import CoroutineType
from typing import Any

from async_oauth1.errors import MissingHookError

__all__ = ["BLOCKING_SECONDS", "TimedHook", "report_blocking", "report_race", "untimed_until", "violates_unique"]

log = logging.getLogger("async_oauth1")

#: A hook that keeps the event loop for longer than this, without giving it back, delays every other request.
BLOCKING_SECONDS = 0.1
#: The first calls of each coroutine function are timed, and later one in so many seconds: it takes a microsecond.
FIRST_CALLS, PAUSE_SECONDS = 8, 1.0

_UNIQUE_STATES = {"23505"}  # SQLSTATE of PostgreSQL; asyncpg, psycopg
_UNIQUE_ERRORS = {"SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY"}
_UNIQUE_CLASSES = {"DuplicateKeyError", "UniqueViolation", "UniqueViolationError"}
_MYSQL_DUPLICATE = 1062

#: Until when (`time.monotonic`) calls are not timed, by the identity of the code object, which is slow to hash.
untimed_until: dict[int, float] = {}
_calls: dict[int, int] = {}
_reported: set[str] = set()


class TimedHook:
    """Awaits a coroutine, and reports it if it keeps the event loop for too long at a time."""

    __slots__ = ("_coroutine",)

    def __init__(self, coroutine: CoroutineType[Any, Any, Any]) -> None:
        """Await nothing yet."""
        self._coroutine = coroutine

    def __await__(self) -> Generator[Any, Any, Any]:
        """Drive the coroutine as ``await`` does."""
        coroutine = self._coroutine
        code = id(coroutine.cr_code)
        _calls[code] = count = _calls.get(code, 0) + 1
        if count >= FIRST_CALLS:
            untimed_until[code] = monotonic() + PAUSE_SECONDS
        name = _name_of_coroutine(coroutine)
        step: Callable[[Any], Any] = coroutine.send
        argument: Any = None
        while True:
            begun = monotonic()
            try:
                awaited = step(argument)
            except StopIteration as stop:
                return stop.value
            finally:
                argument = None  # an error's traceback has this frame: together they would be a cycle
                report_blocking(name, monotonic() - begun)
            try:
                step, argument = coroutine.send, (yield awaited)
            except BaseException as error:  # noqa: BLE001 - the coroutine handles or raises it
                step, argument = coroutine.throw, error


def _name_of_coroutine(coroutine: CoroutineType[Any, Any, Any]) -> str:
    """The module and name of a coroutine function.

    It is a function of its own because no variable of `TimedHook.__await__` may hold the frame: from Python 3.12 on, a
    frame that outlives its call refers to its caller's, and together they would be a cycle.
    """
    frame = coroutine.cr_frame
    return f"{frame.f_globals.get('__name__', '')}.{coroutine.__qualname__}" if frame else coroutine.__qualname__


def report_blocking(hook: Callable[..., Any] | str, seconds: float) -> None:
    """Log, once for each hook, that it has kept the event loop for too long.

    Args:
        hook: the function or its name.
        seconds: for which the event loop could do nothing else.
    """
    name = hook if isinstance(hook, str) else name_of(hook)
    if seconds <= BLOCKING_SECONDS or name in _reported or name.startswith("async_oauth1."):
        return
    _reported.add(name)
    log.warning(
        "The hook %s has blocked the event loop for %.2f s, and every other request with it. Use an asyncio driver, or "
        "await asyncio.to_thread(...). This is logged once for each hook.",
        name,
        seconds,
    )


def report_race(find_hook: Callable[[str], Callable[..., Any]], error: Exception) -> None:
    """Log, once for each hook, that it looks for a nonce before it inserts it.

    Args:
        find_hook: returns the server's hook of a name.
        error: the exception that the hook has raised.
    """
    try:
        name = name_of(find_hook("exists_nonce"))
    except MissingHookError:  # a method is overridden instead
        name = "exists_nonce"
    if name in _reported:
        return
    _reported.add(name)
    log.error(
        "The hook %s raised %s for a nonce that another request has just stored, so the request counts as repeated. "
        "Insert first, and return True if the UNIQUE constraint is violated. This is logged once.",
        name,
        type(error).__name__,
    )


def violates_unique(error: BaseException | None) -> bool:
    """Whether a database driver's or an ORM's exception says that a UNIQUE constraint or a primary key is violated."""
    found: Any = error
    for _ in range(4):  # an ORM's error holds its driver's, which may hold another
        if found is None:
            return False
        state = getattr(found, "sqlstate", None) or getattr(found, "pgcode", None)
        if state in _UNIQUE_STATES or getattr(found, "sqlite_errorname", None) in _UNIQUE_ERRORS:
            return True
        if type(found).__name__ in _UNIQUE_CLASSES or (
            type(found).__name__ == "IntegrityError" and found.args[:1] == (_MYSQL_DUPLICATE,)
        ):
            return True
        found = getattr(found, "orig", None) or found.__cause__
    return False


def name_of(func: Callable[..., Any]) -> str:
    """The module and name of a function; of a partial, those of the function inside."""
    inner: Any = func
    while isinstance(inner, functools.partial):
        inner = next((argument for argument in reversed(inner.args) if callable(argument)), inner.func)
    name = getattr(inner, "__qualname__", None) or type(inner).__qualname__
    return f"{getattr(inner, '__module__', None) or type(inner).__module__}.{name}"
