"""Users and their sessions: in two small tables beside the store's own, or in memory."""

from __future__ import annotations

import secrets
import time
from abc import ABC, abstractmethod
from typing import Protocol

__all__ = ["MemoryUsers", "SQLUsers", "Users"]

#: Twelve hours, in seconds.
SESSION_LIFETIME = 12 * 60 * 60


class Users(Protocol):
    """The users who may sign in, and their sessions. Raises `StoreUnavailableError` if the database does not answer."""

    async def migrate(self) -> None:
        """Create the tables. Safe to repeat, and to run in several processes at once."""
        ...

    async def find(self, user_id: str) -> str | None:
        """The hash of a user's password; ``None`` for an unknown user."""
        ...

    async def begin_session(self, user_id: str) -> str:
        """Sign a user in; returns the identifier of the new session."""
        ...

    async def session_user(self, session_id: str) -> str | None:
        """The user of a session; ``None`` if it has ended or expired."""
        ...

    async def end_session(self, session_id: str) -> None:
        """Sign out: the identifier is no longer valid."""
        ...

    async def is_marked(self, name: str) -> bool:
        """Whether `mark` was called with this name, in any process."""
        ...

    async def mark(self, name: str, user: tuple[str, str] | None = None) -> None:
        """Remember a name for good. The first call with it also adds a user, in the same transaction.

        Args:
            name: what to remember.
            user: identifier and password hash; ignored if the name is marked already.
        """
        ...


class MemoryUsers:
    """Users in the memory of one process."""

    def __init__(self) -> None:
        """Start empty."""
        self._users: dict[str, str] = {}
        self._sessions: dict[str, tuple[str, float]] = {}
        self._marks: set[str] = set()

    async def migrate(self) -> None:
        """Do nothing: there are no tables."""

    async def find(self, user_id: str) -> str | None:
        """The hash of a user's password; ``None`` for an unknown user."""
        return self._users.get(user_id)

    async def begin_session(self, user_id: str) -> str:
        """Sign a user in; returns the identifier of the new session."""
        now = time.time()
        self._sessions = {key: session for key, session in self._sessions.items() if session[1] > now}
        session_id = secrets.token_urlsafe(32)
        self._sessions[session_id] = user_id, now + SESSION_LIFETIME
        return session_id

    async def session_user(self, session_id: str) -> str | None:
        """The user of a session; ``None`` if it has ended or expired."""
        user_id, expires_at = self._sessions.get(session_id, (None, 0.0))
        return user_id if expires_at > time.time() else None

    async def end_session(self, session_id: str) -> None:
        """Sign out: the identifier is no longer valid."""
        self._sessions.pop(session_id, None)

    async def is_marked(self, name: str) -> bool:
        """Whether `mark` was called with this name."""
        return name in self._marks

    async def mark(self, name: str, user: tuple[str, str] | None = None) -> None:
        """Remember a name for good; the first call with it adds the user."""
        if name not in self._marks:
            self._marks.add(name)
            if user:
                self._users.setdefault(*user)


class SQLUsers(ABC):
    """Users in the store's database. Parameters are written ``?1``, ``?2``, as SQLite does."""

    @abstractmethod
    async def migrate(self) -> None:
        """Create the tables. Safe to repeat, and to run in several processes at once."""

    @abstractmethod
    async def mark(self, name: str, user: tuple[str, str] | None = None) -> None:
        """Remember a name for good; the first call with it adds the user in the same transaction."""

    @abstractmethod
    async def _execute(self, sql: str, *parameters: object) -> str | None:
        """Run a statement; the first column of its first row, if there is one."""

    async def find(self, user_id: str) -> str | None:
        """The hash of a user's password; ``None`` for an unknown user."""
        return await self._execute("SELECT password_hash FROM photos_user WHERE user_id = ?1", user_id)

    async def begin_session(self, user_id: str) -> str:
        """Sign a user in; returns the identifier of the new session."""
        session_id, now = secrets.token_urlsafe(32), time.time()
        insert = "INSERT INTO photos_session VALUES (?1, ?2, ?3)"
        await self._execute("DELETE FROM photos_session WHERE expires_at <= ?1", now)
        await self._execute(insert, session_id, user_id, now + SESSION_LIFETIME)
        return session_id

    async def session_user(self, session_id: str) -> str | None:
        """The user of a session; ``None`` if it has ended or expired."""
        select = "SELECT user_id FROM photos_session WHERE session_id = ?1 AND expires_at > ?2"
        return await self._execute(select, session_id, time.time())

    async def end_session(self, session_id: str) -> None:
        """Sign out: the identifier is no longer valid."""
        await self._execute("DELETE FROM photos_session WHERE session_id = ?1", session_id)

    async def is_marked(self, name: str) -> bool:
        """Whether `mark` was called with this name, in any process."""
        return await self._execute("SELECT name FROM photos_mark WHERE name = ?1", name) is not None
