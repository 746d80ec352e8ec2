"""Stores after a fork: the child must not use its parent's connections, tasks and tables.

The child of a fork inherits every store that its parent had opened. If both used one connection, each would read the
other's answers; a table in memory would have two copies that differ. So in the child `leave_behind` is called for each
open store. That costs the parent nothing.
"""

from __future__ import annotations

import logging
import os
from abc import ABC, abstractmethod
from typing import Any, NoReturn
from weakref import WeakSet

from async_oauth1.errors import StoreUnavailableError

__all__ = ["OPEN_IN_EACH_WORKER", "ForkedStoreError", "LeftBehind", "ProcessBound"]

_log = logging.getLogger(__name__)


class ForkedStoreError(StoreUnavailableError):
    """A store is used in a different process from the one that opened it. The client gets the usual 503."""

    def __init__(self, url: str = "", advice: str = "") -> None:
        """Make the message.

        Args:
            url: of the store, printable.
            advice: what to do instead.
        """
        super().__init__()  # pyright: ignore[reportUnknownMemberType]  # Authlib's stubs leave it untyped
        self.message = f"{url}: the store was opened before a fork, in another process; {advice}"

    def __str__(self) -> str:
        """The message for the operator; a response shows the description instead."""
        return self.message


class ProcessBound(ABC):
    """The base of objects that belong to the process that opened them."""

    @abstractmethod
    def leave_behind(self) -> None:
        """Drop open connections and tasks without closing them; called in the child of a fork."""

    def _bind(self) -> None:
        """Call `leave_behind` if this process is forked from now on."""
        _bound.add(self)

    def _release(self) -> None:
        """Nothing is open any more, so a fork is harmless."""
        _bound.discard(self)


#: What to do if a store was opened before a fork.
OPEN_IN_EACH_WORKER = "open the store in each worker (before_serving, gunicorn's post_fork)"


class LeftBehind:
    """Replaces the connections of a store after a fork: every use of it raises `ForkedStoreError`."""

    def __init__(self, url: str, advice: str = OPEN_IN_EACH_WORKER) -> None:
        """Remember the arguments.

        Args:
            url: of the store, printable.
            advice: what to do instead.
        """
        self._error = (url, advice)
        self._has_warned = False

    def refuse(self) -> NoReturn:
        """Raise, and log the error the first time.

        Raises:
            ForkedStoreError: always.
        """
        error = ForkedStoreError(*self._error)
        if not self._has_warned:
            self._has_warned = True
            _log.error("%s", error)
        raise error

    def __getattr__(self, name: str) -> NoReturn:
        """Refuse."""
        self.refuse()

    def __enter__(self) -> NoReturn:
        """Refuse."""
        self.refuse()

    def __exit__(self, *_: object) -> None:
        """Never called, since ``__enter__`` raises."""


_bound: WeakSet[ProcessBound] = WeakSet()

# Kept until the process ends. The garbage collector would close the connections. That would remove the parent's sockets
# from the selector that both processes share, or send a goodbye to the parent's server.
_kept: list[dict[str, Any]] = []


def _leave_all_behind() -> None:
    inherited = list(_bound)
    _bound.clear()
    for one in inherited:
        _kept.append(dict(vars(one)))
        one.leave_behind()


os.register_at_fork(after_in_child=_leave_all_behind)
