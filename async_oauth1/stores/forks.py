"""What a forked process must not use: connections, tasks and tables of the process that opened a store.

The child of a fork finds every open store that its parent had. With one connection two processes would read each
other's answers, and of a table in memory each would have a copy of its own. So in the child each open store is told to
leave what it has behind; the process that opened it pays nothing for that.
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
    """A store is used in another process than the one that opened it. Clients read what they read of any outage."""

    def __init__(self, url: str = "", advice: str = "") -> None:
        """Say what to do.

        Args:
            url: of the store, printable.
            advice: how to get out of it.
        """
        super().__init__()  # pyright: ignore[reportUnknownMemberType]  # Authlib's stubs leave it untyped
        self.message = f"{url}: the store was opened before a fork, in another process; {advice}"

    def __str__(self) -> str:
        """The text for the operator; a response shows the description instead."""
        return self.message


class ProcessBound(ABC):
    """Something open that belongs to the process that opened it."""

    @abstractmethod
    def leave_behind(self) -> None:
        """In the child of a fork: forget what is open, without closing it."""

    def _bind(self) -> None:
        """Belong to this process from now on."""
        _bound.add(self)

    def _release(self) -> None:
        """Belong to no process: nothing is open."""
        _bound.discard(self)


#: What to do if a store was opened before a fork.
OPEN_IN_EACH_WORKER = "open the store in each worker (before_serving, gunicorn's post_fork)"


class LeftBehind:
    """Stands in for what a process left behind: every use of it raises."""

    def __init__(self, url: str, advice: str = OPEN_IN_EACH_WORKER) -> None:
        """Remember what to say.

        Args:
            url: of the store, printable.
            advice: how to get out of it.
        """
        self._error = (url, advice)
        self._has_warned = False

    def refuse(self) -> NoReturn:
        """Say so in the log, once, and raise.

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
        """Is never reached."""


_bound: WeakSet[ProcessBound] = WeakSet()

# Kept for as long as the process lives. The garbage collector would close connections, and by that take the parent's
# sockets out of the selector that both processes share, or tell its server goodbye.
_kept: list[dict[str, Any]] = []


def _leave_all_behind() -> None:
    inherited = list(_bound)
    _bound.clear()
    for one in inherited:
        _kept.append(dict(vars(one)))
        one.leave_behind()


os.register_at_fork(after_in_child=_leave_all_behind)
