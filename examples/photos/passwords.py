"""Checking passwords: slowly by design, and slower after each wrong one.

No user is ever locked out: that would let anyone lock Jane out. What slows down is one user name from one address, by a
few seconds at most, so a guesser waits and she, from elsewhere, does not. Checks wait in a queue that takes seconds at
most, and one address has a share of it. A request that finds no place is told to come back, and costs nothing.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

T = TypeVar("T")
FindHash = Callable[[str], Awaitable[str | None]]

#: Seconds that an attempt waits after one wrong password, and at most; doubled in between.
FIRST_DELAY = 0.1
LONGEST_DELAY = 3.0
#: Seconds after which wrong passwords are forgotten.
FORGOTTEN_AFTER = 15 * 60.0
#: Pairs of user name and address that are remembered; about 300 bytes each.
PAIRS_REMEMBERED = 10_000
#: Checks that wait or run at once: about five seconds' work for two threads.
QUEUE = 40
#: How many of them may come from one address; those that wait for their delay are counted, too.
PER_ADDRESS = 8

_hasher = PasswordHasher()
# Each hash takes 64 MiB: two at once. Threads of their own, since a caller who hangs up leaves his running.
_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="passwords")


class TooManySignInsError(Exception):
    """The queue is full, or the address's share of it; the password was not looked at."""


@dataclass(slots=True)
class _Attempts:
    wrong: int = 0
    last: float = field(default_factory=time.monotonic)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def delay(self) -> float:
        """Seconds that the next one waits."""
        return min(FIRST_DELAY * 2.0 ** min(self.wrong - 1, 10), LONGEST_DELAY) if self.wrong else 0.0


class Passwords:
    """Checks passwords. Each worker process counts for itself."""

    def __init__(self) -> None:
        """Start without any wrong attempt."""
        self._attempts: OrderedDict[tuple[str, str], _Attempts] = OrderedDict()
        self._by_address: Counter[str] = Counter()
        self._queued = 0

    async def check(self, name: str, address: str, find: FindHash, password: str) -> bool:
        """Whether a password is right; an unknown user costs what a known one does.

        Args:
            name: the user name that was typed.
            address: where from.
            find: looks up what is kept for that name, or ``None``; called once there is a place in the queue.
            password: what was typed.

        Raises:
            TooManySignInsError: too many others wait.
        """
        with self._share_of(address):
            return await self._check(name, address, find, password)

    async def _check(self, name: str, address: str, find: FindHash, password: str) -> bool:
        attempts = self._remembered(name, address)
        delay = attempts.delay()
        # Wrong until it proves right: guesses made at once slow each other down, and so do those given up.
        attempts.wrong += 1
        await asyncio.sleep(delay)
        # The turn: a crowd of guesses at one name keeps one thread busy, not all of them.
        with self._place():
            async with attempts.turn:
                password_hash = await find(name)
                right = await _in_thread(lambda: _verify(password_hash, password))
        if right:
            attempts.wrong = 0
        return right

    @contextmanager
    def _share_of(self, address: str) -> Iterator[None]:
        if self._by_address[address] >= PER_ADDRESS or self._queued >= QUEUE:
            raise TooManySignInsError()
        self._by_address[address] += 1
        try:
            yield
        finally:
            self._by_address[address] -= 1
            if not self._by_address[address]:
                del self._by_address[address]

    @contextmanager
    def _place(self) -> Iterator[None]:
        if self._queued >= QUEUE:
            raise TooManySignInsError()
        self._queued += 1
        try:
            yield
        finally:
            self._queued -= 1

    def _remembered(self, name: str, address: str) -> _Attempts:
        pair, now = (name[:255], address), time.monotonic()
        attempts = self._attempts.setdefault(pair, _Attempts())
        self._attempts.move_to_end(pair)
        if now - attempts.last > FORGOTTEN_AFTER:
            attempts.wrong = 0
        attempts.last = now
        while len(self._attempts) > PAIRS_REMEMBERED:
            self._attempts.popitem(last=False)
        return attempts


def stop_threads() -> None:
    """End the threads that compute hashes, at the end of the process; nothing can be checked afterwards."""
    _threads.shutdown(wait=True, cancel_futures=True)


async def hash_password(password: str) -> str:
    """What to keep of a password."""
    return await _in_thread(lambda: _hasher.hash(password))


def _verify(password_hash: str | None, password: str) -> bool:
    try:
        _hasher.verify(password_hash or _nobodys_hash(), password)
    except (Argon2Error, InvalidHashError):
        return False
    return password_hash is not None


@cache
def _nobodys_hash() -> str:
    return _hasher.hash(secrets.token_hex())


async def _in_thread(work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(_threads, work)
