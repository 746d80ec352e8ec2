"""What a forked process must not use: connections, tasks and tables of the process that opened a store.

The child of a fork inherits every store that is open in its parent. Two processes on one connection would read each
other's answers, and each would have its own copy of a table in memory. So in the child every open store drops what it
inherited, and refuses calls until it is opened again. The parent is not affected.
"""

from __future__ import annotations

import logging
import os
from abc import ABC, abstractmethod
from typing import Any, NoReturn, Self
from weakref import WeakSet

from async_oauth1.errors import StoreUnavailableError

__all__ = ["OPEN_IN_EACH_WORKER", "ForkedStoreError", "LeftBehind", "ProcessBound"]

_log = logging.getLogger(__name__)


class ForkedStoreError(StoreUnavailableError):
    """A store is used in another process than the one that opened it. Clients get the same answer as in any outage.

    Attributes:
        message: for the operator. A response shows the description instead.
    """

    message = "the store was opened before a fork, in another process"

    @classmethod
    def for_store(cls, url: str, advice: str) -> Self:
        """The error of one store.

        Args:
            url: of the store, printable.
            advice: what to do.
        """
        error = cls()
        error.message = f"{url}: {cls.message}; {advice}"
        return error

    def __str__(self) -> str:
        """The message for the operator."""
        return self.message


class ProcessBound(ABC):
    """An object with open resources that only the process that opened them may use."""

    @abstractmethod
    def leave_behind(self) -> None:
        """In the child of a fork: drop what is open, without closing it."""

    def _bind(self) -> None:
        """Belong to this process from now on."""
        _bound.add(self)

    def _release(self) -> None:
        """Belong to no process: nothing is open."""
        _bound.discard(self)


#: What to do if a store was opened before a fork.
OPEN_IN_EACH_WORKER = "open the store in each worker (before_serving, gunicorn's post_fork)"


class LeftBehind:
    """Takes the place of a resource that belongs to the parent process: every use of it raises."""

    def __init__(self, url: str, advice: str = OPEN_IN_EACH_WORKER) -> None:
        """Keep the parts of the message.

        Args:
            url: of the store, printable.
            advice: what to do.
        """
        self._error = (url, advice)
        self._has_logged = False

    def refuse(self) -> NoReturn:
        """Raise the error, and log it the first time.

        Raises:
            ForkedStoreError: always.
        """
        error = ForkedStoreError.for_store(*self._error)
        if not self._has_logged:
            self._has_logged = True
            _log.error("%s", error)
        raise error

    def __getattr__(self, name: str) -> NoReturn:
        """Raise the error."""
        self.refuse()

    def __enter__(self) -> NoReturn:
        """Raise the error."""
        self.refuse()

    def __exit__(self, *_: object) -> None:
        """Is never called."""


_bound: WeakSet[ProcessBound] = WeakSet()

# What the child inherited is never freed. The garbage collector would close connections, which removes the parent's
# sockets from the selector that both processes share, or ends the parent's session with the server.
_inherited: list[dict[str, Any]] = []


def _leave_all_behind() -> None:
    bound = list(_bound)
    _bound.clear()
    for one in bound:
        _inherited.append(dict(vars(one)))
        one.leave_behind()


os.register_at_fork(after_in_child=_leave_all_behind)
