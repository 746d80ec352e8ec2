"""Transactions on sessions of the store's own, and what a database's errors mean.

Each question of a hook has a session and a transaction of its own, so it neither commits nor rolls back what the
application's session has not finished. A transaction that the database has rolled back, because it met another one, is
repeated.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any, TypeGuard, TypeVar, cast

from sqlalchemy import Select, func, select
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncSession, async_scoped_session

from async_oauth1.errors import InvalidRequestError, StoreUnavailableError
from async_oauth1.stores.batching import QuestionError

__all__ = [
    "RefusedRowError",
    "SessionFactory",
    "Transactions",
    "database_time",
    "is_conflict",
    "is_duplicate",
    "one_line",
    "session_factory_of",
]

_log = logging.getLogger(__name__)
T = TypeVar("T")

#: Makes a new `AsyncSession` at each call, as `async_sessionmaker` does.
SessionFactory = Callable[[], AsyncSession]

# The database has rolled the transaction back: serialization failure and deadlock (PostgreSQL); deadlock, lock wait
# timeout, changed snapshot and waiting for the next key (MySQL, MariaDB); busy and locked (SQLite, in the low byte).
_CONFLICT_STATES = frozenset({"40001", "40P01"})
_CONFLICT_NUMBERS = frozenset({1020, 1205, 1213, 1467})
_SQLITE_CONFLICTS = frozenset({5, 6})

# Incorrect string value, invalid character, and two character sets that do not match (MySQL, MariaDB).
_VALUE_NUMBERS = frozenset({1267, 1300, 1366})

# MySQL's and MariaDB's numbers for CHECK, which are no integrity errors to their drivers.
_CHECK_NUMBERS = frozenset({3819, 4025})
# A foreign key: PostgreSQL, MySQL and MariaDB, SQLite.
_REFERENCE_STATES = frozenset({"23001", "23503"})
_REFERENCE_NUMBERS = frozenset({1216, 1217, 1451, 1452})
_SQLITE_REFERENCE = 787

_UNIX_TIME: dict[str, Select[Any]] = {
    "postgresql": select(func.extract("epoch", func.clock_timestamp())),
    "mysql": select(func.unix_timestamp()),
    "mariadb": select(func.unix_timestamp()),
}

_DRIVERS = frozenset({"aiomysql", "aiosqlite", "asyncmy", "asyncpg", "psycopg", "pymysql", "sqlite3"})

_TRIES = 40
# Seconds between two tries: at random, up to this much for each try so far.
_PAUSE = 0.002


class RefusedRowError(InvalidRequestError):
    """A constraint of the application's refuses a row; nothing was done. The text shows no value of the row.

    Attributes:
        is_about_a_reference: whether a row that another one refers to does not exist, or would cease to.
    """

    is_about_a_reference = False


class Transactions:
    """Runs transactions, each on a session of its own."""

    def __init__(self, sessions: SessionFactory, name: str, timeout: float, *, one_at_a_time: bool) -> None:
        """Remember the arguments; no I/O.

        Args:
            sessions: makes a session.
            name: of the store, for the log.
            timeout: seconds that a transaction may take, the wait for a connection included.
            one_at_a_time: let transactions wait for each other here. SQLite has one writer at a time, and those that
                wait look again and again; and all sessions share one connection to a database in memory, so that one of
                them would commit or roll back what another one has done.
        """
        self._turn: AbstractAsyncContextManager[Any] = asyncio.Lock() if one_at_a_time else nullcontext()
        self._sessions = sessions
        self._name = name
        self._timeout = timeout
        self._tasks: set[asyncio.Task[Any]] = set()
        self._complaint = ""

    async def run(self, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
        """Run one transaction to its end, even if the caller is cancelled.

        Args:
            work: what to do; called again if the transaction has to be repeated.

        Raises:
            StoreUnavailableError: the database does not answer; it may have committed.
            RefusedRowError: a constraint refuses a row; nothing was done.
        """
        task = self.spawn(self._run(work))
        await asyncio.wait({task})
        return task.result()

    async def run_here(self, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
        """As `run`, for a batch: its caller is never cancelled.

        Raises:
            QuestionError: the database refuses a value, so that others may be asked for without it.
        """
        return await self._run(work)

    def spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Start work that `finish` waits for."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        return task

    async def finish(self) -> None:
        """Wait for what is under way."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _run(self, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
        try:
            async with asyncio.timeout(self._timeout):
                return await self._until_done(work)
        except Exception as error:
            if _is_about_a_constraint(error):
                if not is_duplicate(error):
                    _log.error("%s: %s", self._name, one_line(error))
                raise _refused_row(error) from None
            if not _is_of_database(error):
                raise
            # The error has the parameters of the statement, so it is not chained.
            raise self._unavailable(error) from None

    async def _until_done(self, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
        for tried in range(1, _TRIES + 1):
            try:
                result = await self._once(work)
            except DBAPIError as error:
                if tried == _TRIES or not is_conflict(error):
                    raise
                await asyncio.sleep(random.uniform(0, _PAUSE * tried))  # noqa: S311 - only spreads the tries
            else:
                self._complaint = ""
                return result
        raise AssertionError("unreachable")

    async def _once(self, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
        session = self._sessions()
        # What the hook returns is used after the session: it must keep its values.
        session.sync_session.expire_on_commit = False
        async with self._turn, session, session.begin():
            return await work(session)

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # retrieved, so that asyncio does not report it when the caller has gone

    def _unavailable(self, error: BaseException) -> StoreUnavailableError:
        complaint = one_line(error)
        if complaint != self._complaint:  # concurrent requests fail for the same reason: log it once
            _log.warning("%s: %s", self._name, complaint)
            self._complaint = complaint
        return QuestionError() if _is_about_a_value(error) else StoreUnavailableError()


def session_factory_of(given: Any) -> SessionFactory:
    """The function that makes sessions.

    Args:
        given: an `async_sessionmaker`, or another function that returns a new `AsyncSession`. Of an
            `async_scoped_session`, the factory behind it is used: its own session is shared with the application's
            views.

    Raises:
        TypeError: anything else, such as the `sessionmaker` of synchronous sessions.
    """
    factory: Any = given
    if isinstance(factory, async_scoped_session):
        factory = cast("Any", factory).session_factory
    if isinstance(factory, AsyncSession) or not callable(factory):
        raise _wrong_sessions(f"is {type(factory).__name__}")
    made: Any = factory()
    if not isinstance(made, AsyncSession):
        raise _wrong_sessions(f"makes {type(made).__name__}")
    return cast("SessionFactory", factory)


async def database_time(session: AsyncSession, cls: type[Any]) -> float:
    """Unix time, in seconds, by the clock of the database that has a model's table; else by the system's."""
    statement = _UNIX_TIME.get(session.get_bind(cls).dialect.name)
    now = None if statement is None else await session.scalar(statement, bind_arguments={"mapper": cls})
    return time.time() if now is None else float(now)


def is_duplicate(error: DBAPIError) -> bool:
    """Whether a row was refused because another one has the same key, as far as the error tells."""
    state, number = _codes(error)
    return state == "23505" or number == 1062


def _refused_row(error: DBAPIError) -> RefusedRowError:
    """Says why a row is refused, as far as the database's error tells."""
    is_about_a_reference = _is_about_a_reference(error)
    why = ": a row that it refers to does not exist, or others refer to it" if is_about_a_reference else ""
    refused = RefusedRowError(f"The provider's database {one_line(error)}{why}.")
    refused.is_about_a_reference = is_about_a_reference
    return refused


def _is_about_a_constraint(error: Exception) -> TypeGuard[DBAPIError]:
    return isinstance(error, IntegrityError) or (isinstance(error, DBAPIError) and _codes(error)[1] in _CHECK_NUMBERS)


def _is_about_a_reference(error: DBAPIError) -> bool:
    """Whether a foreign key is the constraint that refuses a row."""
    state, number = _codes(error)
    code: int = getattr(error.orig, "sqlite_errorcode", 0)
    return state in _REFERENCE_STATES or number in _REFERENCE_NUMBERS or code == _SQLITE_REFERENCE


def _wrong_sessions(what: str) -> TypeError:
    return TypeError(
        f"session_factory {what}, but each hook needs a new AsyncSession: pass async_sessionmaker(engine) with an"
        " engine of create_async_engine. For synchronous sessions there is flask_compat.sqla"
    )


def _is_of_database(error: Exception) -> bool:
    """Whether an error is SQLAlchemy's, the network's, or a driver's own, as some raise while they connect."""
    package = type(error).__module__.partition(".")[0]
    return isinstance(error, (SQLAlchemyError, OSError)) or package in _DRIVERS  # a TimeoutError is an OSError


def _is_about_a_value(error: BaseException) -> bool:
    """Whether a value of the statement is at fault, so that the statement may succeed without it."""
    if not isinstance(error, DBAPIError):
        return isinstance(error, StatementError)  # a column's type refuses the value
    state, number = _codes(error)
    return isinstance(error, DataError) or (state or "")[:2] == "22" or number in _VALUE_NUMBERS


def is_conflict(error: DBAPIError) -> bool:
    """Whether the database has rolled a transaction back because of another one, so that it can be repeated."""
    state, number = _codes(error)
    sqlite_code: int = getattr(error.orig, "sqlite_errorcode", 0)
    return state in _CONFLICT_STATES or number in _CONFLICT_NUMBERS or sqlite_code & 0xFF in _SQLITE_CONFLICTS


def _codes(error: DBAPIError) -> tuple[str | None, int | None]:
    """PostgreSQL's code of an error, and MySQL's number."""
    cause: Any = error.orig
    state = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)
    number: Any = next(iter(getattr(cause, "args", ())), None)
    return state, number if isinstance(number, int) else None


def one_line(error: BaseException) -> str:
    """One line about an error, without the values of a row."""
    if isinstance(error, PoolTimeoutError):
        return "has no connection left: the engine's pool is in use, see pool_size and max_overflow"
    if isinstance(error, TimeoutError):
        return "does not answer in time"
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    if isinstance(error, DataError) or (isinstance(error, Exception) and _is_about_a_constraint(error)):
        return f"refuses a row ({type(cause).__name__})"
    text = str(cause).partition("\n")[0].partition("[SQL:")[0]
    return "".join(char if char.isprintable() else "?" for char in text).strip() or type(cause).__name__
