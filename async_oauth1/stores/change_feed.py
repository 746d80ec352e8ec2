"""How one process learns what another has changed, and how it knows that it would.

A message that does not come looks like one that was not sent. So a notifier proves several times a second that messages
would arrive: it sends something to the server, and what comes back has passed by everything that was told before. That
proof is good for less than a second (the lease); without one nothing that is remembered may be used. However a
connection fails, silently too, what this process believes is at most a lease old.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from abc import abstractmethod
from collections.abc import Callable

from async_oauth1.errors import StoreError, StoreUnavailableError

from .forks import ProcessBound

__all__ = ["EVERYTHING", "LEASE", "Notifier", "UntrustedError"]

_log = logging.getLogger(__name__)

#: Seconds for which a proof is good. With what a message takes on its way it stays below the second that is promised.
LEASE = 0.9

# Seconds between proofs: two may be late before anybody asks the store again.
_INTERVAL = 0.25

# A server that takes longer for a proof is believed to be gone.
_PATIENCE = 2.0

# Between attempts to listen again: soon, so that a server that restarts is noticed; not so soon that it is kept busy.
_RETRY = 0.2

#: The change that means: forget all of it.
EVERYTHING = "*"


class UntrustedError(Exception):
    """The server answers, but would not tell of every change; the message says what to do."""


class Notifier(ProcessBound):
    """Tells of changes: ``c`` and a client, ``t`` and a token, ``u`` and a user whose tokens, ``*`` for everything.

    Attributes:
        url: printable, without password.
        settling_time: seconds after the beginning of a subscription in which a change may be made that was announced
            before; 0 if the notifier tells of changes when they are made, and not before.
    """

    url: str
    settling_time: float = 0.0

    def __init__(self, url: str, *, timer: Callable[[], float] = time.monotonic) -> None:
        """Remember the arguments; no I/O.

        Args:
            url: printable.
            timer: seconds that only go forward.
        """
        self.url = url
        self._timer = timer
        self._proved_until = float("-inf")
        self._tell: Callable[[str], None] = _nobody
        self._task: asyncio.Task[None] | None = None
        self._complaint = ""

    def is_current(self) -> bool:
        """Whether everything that was told until a moment ago has arrived here."""
        return self._timer() < self._proved_until

    async def open(self, tell: Callable[[str], None]) -> None:
        """Begin to listen.

        Args:
            tell: called with each change, and with `EVERYTHING` if some may have been missed. An announcement that
                says whether the change is done is passed on as it was made.

        Raises:
            StoreError: the server cannot be reached, or tells nothing.
        """
        if self._task is not None:
            return
        self._tell = tell
        self._bind()
        listens = True
        try:
            async with asyncio.timeout(_PATIENCE * 2):
                await self._subscribe_anew()
                await self._prove()
        except UntrustedError as error:  # the store can be used without a cache, until the operator has mended it
            listens = False
            self._warn(error)
            await self._give_up()
        except Exception as error:  # two drivers' errors, of many kinds, become one line for the operator
            await self._give_up()
            raise StoreError(f"{self.url}: {_line(error)}") from error
        except BaseException:
            await self._give_up()
            raise
        self._task = asyncio.create_task(self._run(listens=listens))

    async def close(self) -> None:
        """Listen no more. Safe to repeat."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})
        await self._give_up()
        self._release()

    async def announce(self, change: str) -> None:
        """Tell every process of a change, before it is made and when it is done.

        Raises:
            StoreUnavailableError: they could not be told.
        """

    @abstractmethod
    async def _subscribe(self) -> None:
        """Connect, and listen from now on."""

    @abstractmethod
    async def _beat(self) -> None:
        """Return once everything that was told before has arrived; raise if there is no answer."""

    @abstractmethod
    async def _unsubscribe(self) -> None:
        """Disconnect, whatever is left of the connection."""

    def leave_behind(self) -> None:
        """As `ProcessBound.leave_behind`."""
        self._proved_until = float("-inf")
        self._task = None

    async def _prove(self) -> None:
        asked = self._timer()
        async with asyncio.timeout(_PATIENCE):
            await self._beat()
        self._proved_until = asked + LEASE

    async def _run(self, *, listens: bool) -> None:
        if not listens:
            await self._listen_again()
        while True:
            try:
                while True:
                    await self._prove()
                    await asyncio.sleep(_INTERVAL)
            except Exception as error:  # noqa: BLE001 - whatever it is, we do not listen any more
                self._warn(error)
            await self._give_up()
            await self._listen_again()

    async def _listen_again(self) -> None:
        while True:
            try:
                async with asyncio.timeout(_PATIENCE):
                    await self._subscribe_anew()
            except Exception as error:  # noqa: BLE001 - the next attempt may succeed
                if isinstance(error, UntrustedError):
                    self._warn(error)
                _log.debug("%s: %s", self.url, _line(error))
                await self._give_up()
                await asyncio.sleep(_RETRY)
            else:
                self._complaint = ""
                _log.warning("%s: changes can be heard again", self.url)
                return

    async def _subscribe_anew(self) -> None:
        await self._subscribe()
        self._tell(EVERYTHING)  # what was announced before may still be under way

    def _warn(self, error: BaseException) -> None:
        if (complaint := _line(error)) != self._complaint:  # once, however often it is tried
            self._complaint = complaint
            _log.warning("%s: nothing is cached until changes can be heard again: %s", self.url, complaint)

    async def _give_up(self) -> None:
        """From now on changes may be missed."""
        self._proved_until = float("-inf")
        self._tell(EVERYTHING)
        with contextlib.suppress(Exception):
            async with asyncio.timeout(_PATIENCE):
                await self._unsubscribe()


def _nobody(change: str) -> None:
    """The listener until one is registered."""


def _line(error: BaseException) -> str:
    while isinstance(error, StoreUnavailableError) and error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, TimeoutError):
        return "does not answer in time"
    if isinstance(error, StoreUnavailableError):
        return "cannot be used"
    return " ".join(str(error).split()) or type(error).__name__
