"""How a process learns of changes that other processes make, and how it knows that it would.

A lost message looks like a message that was never sent. So a feed sends a probe through the server several times a
second. When the probe comes back, every change that was announced before it has arrived as well. This proof is a lease:
it is valid for less than a second, and without one nothing cached may be used. However a connection fails, even
silently, cached data is at most one lease out of date.
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
from .health.tls import tls_problem

__all__ = ["EVERYTHING", "LEASE", "ChangeFeed", "IncompleteFeedError", "one_line_reason", "root_cause"]

_log = logging.getLogger(__name__)

#: Seconds for which a lease is valid. With the time that a message takes, this stays below the documented second.
LEASE = 0.9

# Seconds between probes: two may be late before the lease ends.
_INTERVAL = 0.25

# Seconds that the server may take to answer a probe.
_PROBE_TIMEOUT = 2.0

# Seconds between attempts to subscribe again: a restart is noticed soon, and the server is not kept busy.
_RETRY = 0.2

#: The change that invalidates everything.
EVERYTHING = "*"


class IncompleteFeedError(Exception):
    """The server answers, but would not report every change; the message says how to repair that."""


class ChangeFeed(ProcessBound):
    """Reports changes: ``c`` and a client, ``t`` and a token, ``u`` and a user with all tokens, ``*`` for everything.

    Attributes:
        url: printable, without password.
        settling_time: seconds after subscribing in which a change may be made that was announced before; 0 if the feed
            reports changes when they are made, and not before.
    """

    url: str
    settling_time: float = 0.0

    def __init__(self, url: str, *, timer: Callable[[], float] = time.monotonic) -> None:
        """Keep the arguments; no I/O.

        Args:
            url: printable.
            timer: monotonic seconds.
        """
        self.url = url
        self._timer = timer
        self._lease_end = float("-inf")
        self._on_change: Callable[[str], None] = _ignore
        self._task: asyncio.Task[None] | None = None
        self._last_warning = ""

    def is_current(self) -> bool:
        """Whether the lease is valid: every change announced before the last probe has arrived."""
        return self._timer() < self._lease_end

    async def open(self, on_change: Callable[[str], None]) -> None:
        """Subscribe to changes.

        Args:
            on_change: called with each change, and with `EVERYTHING` if some may have been missed. Announcements that
                say whether the change is done are passed on unchanged.

        Raises:
            StoreError: the server cannot be reached, or does not report changes.
        """
        if self._task is not None:
            return
        self._on_change = on_change
        self._bind()
        subscribed = True
        try:
            async with asyncio.timeout(_PROBE_TIMEOUT * 2):
                await self._subscribe_and_invalidate()
                await self._renew_lease()
        except IncompleteFeedError as error:  # the store works without a cache until the operator has repaired it
            subscribed = False
            self._warn(error)
            await self._disconnect()
        except Exception as error:  # two drivers' errors, of many kinds, become one line for the operator
            await self._disconnect()
            raise StoreError(f"{self.url}: {one_line_reason(error)}") from error
        except BaseException:
            await self._disconnect()
            raise
        self._task = asyncio.create_task(self._run(subscribed=subscribed))

    async def close(self) -> None:
        """Unsubscribe. Safe to repeat."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})
        await self._disconnect()
        self._release()

    async def announce(self, change: str) -> None:
        """Announce a change to every process, before it is made and when it is done.

        Raises:
            StoreUnavailableError: the announcement could not be sent.
        """

    @abstractmethod
    async def _subscribe(self) -> None:
        """Connect and subscribe to changes."""

    @abstractmethod
    async def _probe(self) -> None:
        """Return once every change announced before has arrived; raise if the server does not answer."""

    @abstractmethod
    async def _unsubscribe(self) -> None:
        """Close whatever is left of the connection."""

    def leave_behind(self) -> None:
        """As `ProcessBound.leave_behind`."""
        self._lease_end = float("-inf")
        self._task = None

    async def _renew_lease(self) -> None:
        began = self._timer()
        async with asyncio.timeout(_PROBE_TIMEOUT):
            await self._probe()
        self._lease_end = began + LEASE

    async def _run(self, *, subscribed: bool) -> None:
        if not subscribed:
            await self._resubscribe()
        while True:
            try:
                while True:
                    await self._renew_lease()
                    await asyncio.sleep(_INTERVAL)
            except Exception as error:  # noqa: BLE001 - any error means that changes may be missed
                self._warn(error)
            await self._disconnect()
            await self._resubscribe()

    async def _resubscribe(self) -> None:
        while True:
            try:
                async with asyncio.timeout(_PROBE_TIMEOUT):
                    await self._subscribe_and_invalidate()
            except Exception as error:  # noqa: BLE001 - the next attempt may succeed
                if isinstance(error, IncompleteFeedError):
                    self._warn(error)
                _log.debug("%s: cannot subscribe to changes: %s", self.url, one_line_reason(error))
                await self._disconnect()
                await asyncio.sleep(_RETRY)
            else:
                self._last_warning = ""
                _log.warning("%s: subscribed to changes again; credentials are cached", self.url)
                return

    async def _subscribe_and_invalidate(self) -> None:
        await self._subscribe()
        self._on_change(EVERYTHING)  # a change that was announced earlier may still be under way

    def _warn(self, error: BaseException) -> None:
        if (warning := one_line_reason(error)) != self._last_warning:  # once, however often it is tried
            self._last_warning = warning
            _log.warning(
                "%s: changes cannot be received, so credentials are not cached until they can: %s", self.url, warning
            )

    async def _disconnect(self) -> None:
        """End the lease and unsubscribe: from now on changes may be missed."""
        self._lease_end = float("-inf")
        self._on_change(EVERYTHING)
        with contextlib.suppress(Exception):
            async with asyncio.timeout(_PROBE_TIMEOUT):
                await self._unsubscribe()


def root_cause(error: BaseException) -> BaseException:
    """The driver's error because of which a store is unavailable."""
    while isinstance(error, StoreUnavailableError) and error.__cause__ is not None:
        error = error.__cause__
    return error


def one_line_reason(error: BaseException) -> str:
    """Why a server cannot be used, as one line for the operator."""
    error = root_cause(error)
    if isinstance(error, TimeoutError):
        return "does not answer in time"
    if isinstance(error, StoreUnavailableError):
        return "cannot be used"
    return tls_problem(error) or " ".join(str(error).split()) or type(error).__name__


def _ignore(change: str) -> None:
    """The callback until `ChangeFeed.open` sets one."""
