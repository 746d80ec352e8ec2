"""Sessions of launches, in this process or in Redis.

A session is opened by a one-time code. The page that answers a launch has the code, and posts it. That request comes
from the tool's own page, so it shows whether the browser has kept the cookie of the launch.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from async_oauth1.lti import Launch
from async_oauth1.stores import StoreUnavailableError

__all__ = ["SESSION_SECONDS", "MemoryRecords", "Records", "RedisRecords", "Session", "Sessions"]

#: Seconds that a session lives after it was last saved, and that a code waits for the page.
SESSION_SECONDS = 4 * 3600
CODE_SECONDS = 60


@dataclass
class Session:
    """What the tool keeps of a launch.

    Attributes:
        id: secret; it is all that a browser needs for the session.
        form_token: proves that a form comes from a page of this session.
        fields: what was signed.
        score: the last grade that was entered, from 0 to 1.
        note: what became of it.
    """

    fields: dict[str, str] = field(repr=False)
    id: str = field(default_factory=secrets.token_urlsafe, repr=False)
    form_token: str = field(default_factory=secrets.token_urlsafe, repr=False)
    score: float | None = None
    note: str = ""

    @property
    def launch(self) -> Launch:
        """The launch."""
        return Launch(self.fields, None)


class Records(Protocol):
    """Texts that expire."""

    async def put(self, name: str, text: str, seconds: int) -> None:
        """Keep a text for so long."""

    async def get(self, name: str) -> str | None:
        """Return the text."""

    async def take(self, name: str) -> str | None:
        """Return the text and delete it, in one step: only one caller gets it."""


class MemoryRecords:
    """Texts in this process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Start empty."""
        self._clock = clock
        self._texts: dict[str, tuple[float, str]] = {}

    async def put(self, name: str, text: str, seconds: int) -> None:
        """Keep a text for so long."""
        now = self._clock()
        self._texts = {name: kept for name, kept in self._texts.items() if kept[0] > now}
        self._texts[name] = (now + seconds, text)

    async def get(self, name: str) -> str | None:
        """Return the text."""
        expires, text = self._texts.get(name, (0.0, ""))
        return text if expires > self._clock() else None

    async def take(self, name: str) -> str | None:
        """Return the text and delete it; nothing runs in between."""
        expires, text = self._texts.pop(name, (0.0, ""))
        return text if expires > self._clock() else None


class RedisRecords:
    """Texts in Redis 6.2 or newer, for any number of workers."""

    def __init__(self, redis: Any) -> None:
        """Use a client of ``redis.asyncio`` that decodes responses."""
        self._redis = redis

    async def put(self, name: str, text: str, seconds: int) -> None:
        """Keep a text for so long."""
        await self._answer(self._redis.set(f"lti_tool:{name}", text, ex=seconds))

    async def get(self, name: str) -> str | None:
        """Return the text."""
        text: str | None = await self._answer(self._redis.get(f"lti_tool:{name}"))
        return text

    async def take(self, name: str) -> str | None:
        """Return the text and delete it, in one command."""
        text: str | None = await self._answer(self._redis.getdel(f"lti_tool:{name}"))
        return text

    async def _answer(self, command: Awaitable[Any]) -> Any:
        from redis import RedisError

        try:
            return await command
        except (RedisError, OSError) as error:
            raise StoreUnavailableError from error


class Sessions:
    """The sessions of a tool."""

    def __init__(self, records: Records) -> None:
        """Keep them in these records."""
        self._records = records

    async def begin(self, launch: Launch) -> tuple[Session, str]:
        """Begin the session of a launch; returns it with its one-time code."""
        session, code = Session(dict(launch.fields)), secrets.token_urlsafe()
        await self.save(session)
        await self._records.put(f"code:{code}", session.id, CODE_SECONDS)
        return session, code

    async def exchange(self, code: str) -> Session | None:
        """The session of a code, the first time."""
        name = await self._records.take(f"code:{code}")
        return None if name is None else await self.find(name)

    async def find(self, session_id: str) -> Session | None:
        """The session with this id."""
        text = await self._records.get(f"session:{session_id}") if session_id else None
        return None if text is None else Session(**json.loads(text))

    async def save(self, session: Session) -> None:
        """Keep the session, and make it live longer."""
        await self._records.put(f"session:{session.id}", json.dumps(asdict(session)), SESSION_SECONDS)
