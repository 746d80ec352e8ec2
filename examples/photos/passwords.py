"""Checking passwords, with a delay that grows after each wrong one.

Users are never locked out: otherwise an attacker could lock them out on purpose. Instead, attempts for one user name
from one address are delayed by a few seconds at most, so an attacker waits and the user at another address does not.
Checks wait in a queue of a few seconds' work, of which each address has a share. A request that finds the queue full is
refused at once, without a hash being computed.
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

#: Seconds of delay after one wrong password; doubled with each further one, up to the longest.
FIRST_DELAY = 0.1
LONGEST_DELAY = 3.0
#: Seconds after which wrong passwords are forgotten.
FORGOTTEN_AFTER = 15 * 60.0
#: Pairs of user name and address to remember; about 300 bytes each.
PAIRS_REMEMBERED = 10_000
#: Checks that wait or run at the same time: about five seconds' work for two threads.
QUEUE = 40
#: How many of them may come from one address, including those that wait for their delay.
PER_ADDRESS = 8

_hasher = PasswordHasher()
# Two at once, because each hash takes 64 MiB. Threads of their own, because a hash runs on after its request is
# cancelled.
_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="passwords")


class TooManySignInsError(Exception):
    """The queue or the address's share of it is full; the password was not checked."""


@dataclass(slots=True)
class _Attempts:
    wrong: int = 0
    last: float = field(default_factory=time.monotonic)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def delay(self) -> float:
        """Seconds to wait before the next check."""
        return min(FIRST_DELAY * 2.0 ** min(self.wrong - 1, 10), LONGEST_DELAY) if self.wrong else 0.0


class Passwords:
    """Checks passwords. Each worker process counts its own attempts."""

    def __init__(self) -> None:
        """Start without wrong attempts."""
        self._attempts: OrderedDict[tuple[str, str], _Attempts] = OrderedDict()
        self._by_address: Counter[str] = Counter()
        self._queued = 0

    async def check(self, name: str, address: str, find: FindHash, password: str) -> bool:
        """Whether a password is right. An unknown user takes as long as a known one.

        Args:
            name: the user name.
            address: the client's address.
            find: looks up the password hash of a user; called only if there is a place in the queue.
            password: the password.

        Raises:
            TooManySignInsError: the queue is full.
        """
        with self._share_of(address):
            return await self._check(name, address, find, password)

    async def _check(self, name: str, address: str, find: FindHash, password: str) -> bool:
        attempts = self._remembered(name, address)
        delay = attempts.delay()
        # Counted as wrong until it is right, so that parallel and cancelled attempts are counted too.
        attempts.wrong += 1
        await asyncio.sleep(delay)
        # The lock lets attempts for one user name use only one of the threads.
        with self._place():
            async with attempts.lock:
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
    """Stop the threads that compute hashes. Passwords cannot be checked afterwards."""
    _threads.shutdown(wait=True, cancel_futures=True)


async def hash_password(password: str) -> str:
    """Hash a password for storing."""
    return await _in_thread(lambda: _hasher.hash(password))


def _verify(password_hash: str | None, password: str) -> bool:
    try:
        _hasher.verify(password_hash or _unknown_users_hash(), password)
    except (Argon2Error, InvalidHashError):
        return False
    return password_hash is not None


@cache
def _unknown_users_hash() -> str:
    return _hasher.hash(secrets.token_hex())


async def _in_thread(work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(_threads, work)
