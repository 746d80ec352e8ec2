"""Warn of a database pool that has fewer connections than there are threads that want one."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterable, Iterator
from types import CellType, FunctionType
from typing import Any, cast
from weakref import WeakSet

log = logging.getLogger("flask_compat")
_warned: WeakSet[Any] = WeakSet()


def warn_of_small_pools(hooks: Iterable[object], threads: int) -> None:
    """Log a warning, once for each engine of SQLAlchemy that plain hooks use and that is smaller than the threads.

    Args:
        hooks: the hooks of a server; engines and sessions are found in the variables that they use.
        threads: that may want a connection at the same time.
    """
    for engine in filter(None, map(_engine_of, _variables(hooks))):
        pool = engine.pool
        overflow = getattr(pool, "_max_overflow", None)  # SQLAlchemy has no public name for it
        if engine in _warned or not isinstance(overflow, int) or overflow < 0:
            continue  # -1: no limit; pools without this attribute have none either
        if 0 < (connections := pool.size() + overflow) < threads:
            _warned.add(engine)
            log.warning(
                "The pool of %r has %d connections at most, and %d threads may want one each: requests will wait for "
                "each other. Set pool_size and max_overflow of create_engine to %d together, or more.",
                engine.url,  # its repr masks the password
                connections,
                threads,
                threads,
            )


def _variables(hooks: Iterable[object]) -> Iterator[object]:
    for hook in hooks:
        func: Any = hook.func if isinstance(hook, functools.partial) else hook
        yield from _sessions((getattr(func, "__self__", None),))
        func = getattr(func, "__func__", func)
        if isinstance(func, FunctionType):
            yield from (func.__globals__[name] for name in func.__code__.co_names if name in func.__globals__)
            enclosed = [cell.cell_contents for cell in func.__closure__ or () if _is_filled(cell)]
            yield from enclosed
            yield from _sessions(enclosed)


def _sessions(objects: Iterable[Any]) -> Iterator[object]:
    """The sessions of the hooks in `flask_compat.sqla`: they keep them in objects, whose module may not be loaded."""
    for item in objects:
        if type(item).__module__.startswith("flask_compat.sqla."):
            yield getattr(getattr(item, "transactions", item), "session", None)


def _is_filled(cell: CellType) -> bool:
    try:
        cell.cell_contents  # noqa: B018 - an empty cell has no other sign
    except ValueError:
        return False
    return True


def _engine_of(value: Any) -> Any:
    """The engine behind an engine, a session factory or a scoped session of SQLAlchemy; ``None`` for anything else."""
    if not type(value).__module__.startswith("sqlalchemy."):
        return None
    factory: Callable[..., Any] = getattr(value, "session_factory", value)
    settings: Any = getattr(factory, "kw", None)
    engine: Any = cast("dict[str, Any]", settings).get("bind") if isinstance(settings, dict) else value
    return engine if hasattr(engine, "pool") and hasattr(engine, "url") else None
