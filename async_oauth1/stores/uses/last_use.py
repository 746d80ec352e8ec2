"""When clients and token credentials were last used, written to a store beside the requests.

A request only looks a key up in a dict. Its use is written a moment later, with those of other requests, and at most
once a minute for each token.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

__all__ = ["SECONDS_BETWEEN_USES", "LastUse", "RecordsUses", "UseWriter", "shown_user_agent"]

_log = logging.getLogger(__name__)

#: Seconds in which a token's use is written once.
SECONDS_BETWEEN_USES = 60.0
# Seconds until a use is written: its request is answered by then, and others have joined it.
_DELAY = 1.0
# Characters of a user agent that are stored. Browsers send 150.
_MAX_USER_AGENT = 200
# Tokens that a process remembers, about 200 bytes each. With more of them in a minute, some are written again.
_MAX_REMEMBERED = 50_000


def shown_user_agent(user_agent: str) -> str:
    """A user agent as it is stored: at most 200 characters, with a question mark for each that cannot be shown."""
    return "".join(char if char.isprintable() else "?" for char in user_agent[:_MAX_USER_AGENT])


@dataclass(frozen=True, slots=True)
class LastUse:
    """When a client was last seen with a token.

    Attributes:
        client_id: the client.
        oauth_token: its token; ``None`` for requests without one (two-legged).
        used_at: Unix time, up to a minute before the last request.
        user_agent: what the client calls itself, in the request of that time; empty if it was not noted.
    """

    client_id: str
    oauth_token: str | None
    used_at: float
    user_agent: str = ""


@runtime_checkable
class RecordsUses(Protocol):
    """A store that records when its token credentials were last used: memory, SQLite, PostgreSQL, with a cache too."""

    def note_use(self, client_id: str, oauth_token: str | None, user_agent: str = "") -> None:
        """Note that a verified request was made now. Returns at once, and never fails; the log has failed writes.

        Args:
            client_id: the client.
            oauth_token: its token; ``None`` for a request without one.
            user_agent: the field ``User-Agent`` of the request; control characters are replaced, and a long one is cut.
        """
        ...

    async def last_uses(self, *, user_id: str | None = None, client_id: str | None = None) -> list[LastUse]:
        """The last uses of a user's tokens, of a client's, of both together, or all.

        Requests without a token belong to no user. Tokens that were never used are left out, and revoked ones as well.
        """
        ...


class UseWriter:
    """Collects uses, and writes them together."""

    def __init__(
        self,
        write: Callable[[Sequence[LastUse]], Awaitable[None]],
        spawn: Callable[[Coroutine[object, object, None]], object],
        clock: Callable[[], float],
    ) -> None:
        """Start empty.

        Args:
            write: writes uses, sorted; it keeps a later time that is there already.
            spawn: starts work that the closing store waits for.
            clock: Unix time, in seconds.
        """
        self._write = write
        self._spawn = spawn
        self._clock = clock
        self._noted: dict[tuple[str, str], float] = {}
        self._waiting: dict[tuple[str, str], tuple[float, str]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._writing = asyncio.Lock()
        self._has_failed = False

    def note(self, client_id: str, oauth_token: str | None, user_agent: str = "") -> None:
        """As `RecordsUses.note_use`."""
        key, now = (client_id, oauth_token or ""), self._clock()
        before = self._noted.get(key)
        if before is not None and 0 <= now - before < SECONDS_BETWEEN_USES:
            return
        self._noted[key] = now
        self._waiting[key] = now, shown_user_agent(user_agent)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_DELAY, self._begin)

    async def flush(self) -> None:
        """Write what was noted so far. Requests are not affected by a failure, which is only logged."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        async with self._writing:  # one statement at a time, however slow the store is
            waiting, self._waiting = self._waiting, {}
            if waiting:
                await self._write_together(waiting)

    def _begin(self) -> None:
        self._timer = None
        self._spawn(self.flush())

    async def _write_together(self, waiting: dict[tuple[str, str], tuple[float, str]]) -> None:
        uses = [LastUse(client_id, token or None, *use) for (client_id, token), use in sorted(waiting.items())]
        try:
            await self._write(uses)
        except Exception as error:  # noqa: BLE001 - whatever it is, the requests were answered
            if not self._has_failed:
                _log.warning(
                    "last uses cannot be recorded, and each is tried again at its next use: %s",
                    str(error) or type(error).__name__,
                )
            self._has_failed = True
            for key in waiting:  # the next use of each is written instead
                self._noted.pop(key, None)
        else:
            self._has_failed = False
        if len(self._noted) > _MAX_REMEMBERED:
            self._forget(self._clock())

    def _forget(self, now: float) -> None:
        recent = {key: at for key, at in self._noted.items() if 0 <= now - at < SECONDS_BETWEEN_USES}
        self._noted = recent if len(recent) <= _MAX_REMEMBERED else {}
