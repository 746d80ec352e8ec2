"""Transactions of the hooks' own, on the engine of the application's session.

The session of the application is neither committed nor rolled back. What a hook finds is handed over to it, so that
relationships load there. A request holds one connection at a time, unless the application's session holds one already.

A database with a single connection cannot have a second transaction: SQLite in memory, a session that is bound to a
connection, and SQLite while the application's session writes. There a hook works in a savepoint of the application's
transaction, if there is one. If the application rolls it back, the hook's part is done again afterwards.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import Any, TypeAlias, TypeVar, cast
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, Select, SingletonThreadPool, StaticPool, event, inspect, update
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session, SessionTransaction, scoped_session
from werkzeug.local import LocalProxy

from async_oauth1.errors import StoreUnavailableError
from async_oauth1.sqlalchemy.columns import UnstorableValueError, UnsuitableModelError
from async_oauth1.sqlalchemy.transactions import is_conflict, one_line

from .widths import Widths

__all__ = ["AppSession", "Transactions"]

log = logging.getLogger("flask_compat")
T = TypeVar("T")
RowT = TypeVar("RowT")
Guard = Callable[[Connection], AbstractContextManager[None]]
#: The session of an application. Flask-SQLAlchemy's is a scoped one.
AppSession: TypeAlias = "Session | scoped_session[Any] | LocalProxy[Session]"

_TRIES = 40
# Seconds between two tries: at random, up to this much for each try so far.
_PAUSE = 0.002

_PENDING = "flask_compat.sqla.pending"

_locks: WeakKeyDictionary[Any, threading.RLock] = WeakKeyDictionary()


class Transactions:
    """Transactions over one model."""

    def __init__(self, session: AppSession, model: type[object]) -> None:
        """Use an application's session, which is not called yet.

        Raises:
            UnsuitableModelError: it is not a session, or an async one.
        """
        _check_session(session, model)
        self.session = session
        self._model = model
        self._widths = Widths(model)

    def run(self, work: Callable[[Session], T], guard: Guard | None = None) -> T:
        """Run a transaction of its own; repeated if the database has rolled it back because of another one.

        Args:
            work: what to do with a new session.
            guard: entered around the transaction, with its connection.

        Raises:
            StoreUnavailableError: the database does not answer.
            UnstorableValueError: the database refuses a value.
        """
        with _translated():
            for tried in range(1, _TRIES + 1):
                try:
                    return self._once(work, guard)
                except DBAPIError as error:
                    stale = tried == 1 and error.connection_invalidated
                    if tried == _TRIES or not (stale or is_conflict(error)):
                        raise
                    time.sleep(random.uniform(0, _PAUSE * tried))  # noqa: S311 - only spreads the tries
        raise AssertionError("unreachable")

    def can_include(self, other: Transactions) -> bool:
        """Whether a transaction can also write to the model of others: the two are in one database."""
        return self._bind(self._current()) is other._bind(other._current())

    def find(self, statement: Select[RowT]) -> RowT | None:
        """The first row that a statement selects, in the application's session; ``None`` if there is none."""
        session = self._current()
        bind = self._bind(session)
        if isinstance(bind, Connection) or _held(session, bind) is not None:
            with _translated(), session.no_autoflush:
                return session.scalars(statement.limit(1)).first()
        return self.find_fresh(statement)

    def find_fresh(self, statement: Select[RowT]) -> RowT | None:
        """As `find`, but as the database is now: the application's transaction may see an older state."""
        found = self.run(lambda own: own.scalars(statement.limit(1)).first())
        return None if found is None else self.hand_over(found)

    def hand_over(self, row: RowT) -> RowT:
        """The same row in the application's session, unless it has changed the row there."""
        session = self._current()
        known: RowT | None = session.identity_map.get(inspect(cast("Any", row)).identity_key)
        if known is not None and session.is_modified(known):
            return known
        with session.no_autoflush:
            return session.merge(row, load=False)

    def _once(self, work: Callable[[Session], T], guard: Guard | None) -> T:
        session = self._current()
        bind = self._bind(session)
        shared = _shared(session, bind)
        place = nullcontext(shared) if shared is not None else cast("Engine", bind).connect()
        with ExitStack() as stack:
            stack.enter_context(_turn(bind, shared))
            connection = stack.enter_context(place)
            self._widths.check(connection)
            if guard is not None:
                stack.enter_context(guard(connection))
            own = Session(connection, expire_on_commit=False, join_transaction_mode="create_savepoint")
            with own:
                result = work(own)
                own.commit()
        if shared is not None and isinstance(bind, Engine) and bind.dialect.name == "sqlite":
            _repeat_if_rolled_back(session, lambda: self._alone(bind, work))
        return result

    def _alone(self, bind: Engine, work: Callable[[Session], object]) -> None:
        """Do again what the application has rolled back together with its own."""
        try:
            with Session(bind) as own, own.begin():
                work(own)
        except Exception:  # it is logged; the application's own error goes on
            log.exception("What a hook had stored for %s was rolled back by the application.", self._model.__name__)

    def _current(self) -> Session:
        given: Any = self.session
        if LocalProxy is type(given):
            given = given._get_current_object()  # noqa: SLF001 - the documented way
        if type(given) is not Session and hasattr(given, "registry"):  # a scoped session
            given = given.registry()
        session: Session = given
        return session

    def _bind(self, session: Session) -> Engine | Connection:
        # An update, so that a session that reads from replicas names the database that is written to.
        return session.get_bind(mapper=inspect(self._model), clause=update(self._model))


def _check_session(session: object, model: type[object]) -> None:
    kind: type[Any] = cast("Any", type(session))
    if issubclass(kind, (Session, scoped_session, LocalProxy)):
        return
    is_async = any(base.__module__.startswith("sqlalchemy.ext.asyncio") for base in kind.__mro__)
    advice = "for async sessions there is async_oauth1.sqlalchemy" if is_async else "give it a scoped_session"
    raise UnsuitableModelError(
        f"The hooks for {model.__qualname__} need a Session or scoped_session of SQLAlchemy, not {kind.__name__}: "
        f"{advice}."
    )


def _held(session: Session, bind: Engine) -> Connection | None:
    """The connection that a session's transaction holds; SQLAlchemy has no public name for it."""
    transaction: Any = session.get_transaction()
    held: Any = getattr(transaction, "_connections", {}).get(bind)
    return held[0] if held else None


def _shared(session: Session, bind: Engine | Connection) -> Connection | None:
    """The connection that has to be shared with the application's session; ``None`` if another can be had."""
    if isinstance(bind, Connection):
        return bind
    held = _held(session, bind)
    if held is None or _has_one_connection(bind):
        return held
    writes = held.dialect.name == "sqlite" and getattr(held.connection.driver_connection, "in_transaction", False)
    return held if writes else None


def _repeat_if_rolled_back(session: Session, work: Callable[[], None]) -> None:
    """Do what was done in the application's transaction again, if that ends without a commit."""
    if _PENDING not in session.info:
        session.info[_PENDING] = []
        event.listen(session, "after_commit", _forget_pending)
        event.listen(session, "after_transaction_end", _repeat_pending)
    session.info[_PENDING].append(work)


def _forget_pending(session: Session) -> None:
    if not session.in_nested_transaction():
        session.info[_PENDING].clear()


def _repeat_pending(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        pending = list(session.info[_PENDING])
        session.info[_PENDING].clear()
        for work in pending:
            work()


def _has_one_connection(bind: Engine) -> bool:
    return isinstance(bind.pool, (StaticPool, SingletonThreadPool))


def _turn(bind: Engine | Connection, shared: Connection | None) -> AbstractContextManager[Any]:
    """One at a time on SQLite: it has one writer, and those that wait look again and again."""
    if bind.dialect.name != "sqlite" or (
        shared is not None and (isinstance(bind, Connection) or not _has_one_connection(bind))
    ):
        return nullcontext()  # another thread may hold the lock, and wait for this connection
    return _locks.setdefault(bind, threading.RLock())


@contextmanager
def _translated() -> Generator[None]:
    """The errors of a database as those of a store. They show the parameters of statements, so none is chained."""
    try:
        yield
    except DataError:
        raise UnstorableValueError("A value of the request cannot be stored.") from None
    except (IntegrityError, ProgrammingError):
        raise
    except (DBAPIError, PoolTimeoutError) as error:
        log.warning("The database of the hooks: %s", one_line(error))
        raise StoreUnavailableError() from None
