"""The cost of checking passwords."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from argon2 import PasswordHasher

from examples.photos import passwords

from .stored import found


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for Argon2, because only the number of hashes matters here."""
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def computed(_quick: None, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count the computed hashes, without waiting."""
    counted: Counter[str] = Counter()
    real = passwords._hasher

    class Counting:
        def hash(self, password: str) -> str:
            counted["hash"] += 1
            return real.hash(password)

        def verify(self, password_hash: str, password: str) -> bool:
            counted["verify"] += 1
            return real.verify(password_hash, password)

    monkeypatch.setattr(passwords, "_hasher", Counting())
    return counted


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The delay of each attempt, in seconds."""
    seconds: list[float] = []

    async def sleep(delay: float) -> None:
        seconds.append(delay)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    return seconds


async def test_an_unknown_name_costs_one_hash_like_a_known_one(computed: Counter[str]) -> None:
    """A right, a wrong, an unknown and an unreadable password take one verification each."""
    kept = await passwords.hash_password("wonderland")
    checker = passwords.Passwords()
    await checker.check("nobody", "::1", found(None), "x")
    computed.clear()
    cases = {("jane", kept, "wonderland"): True, ("bob", kept, "x"): False, ("eve", None, "x"): False}
    for (name, password_hash, password), right in cases.items():
        assert await checker.check(name, "::1", found(password_hash), password) is right
        assert computed == {"verify": 1}
        computed.clear()
    assert not await checker.check("mallory", "::1", found("no hash"), "x")


async def test_the_delay_grows_up_to_a_limit_and_ends_with_the_right_password(waited: list[float]) -> None:
    """The delay applies to one name from one address."""
    kept = await passwords.hash_password("wonderland")
    checker = passwords.Passwords()
    for _ in range(9):
        assert not await checker.check("jane", "192.0.2.1", found(kept), "x")
    assert waited == [0.0, 0.1, 0.2, 0.4, 0.8, 1.6, 3.0, 3.0, 3.0]
    waited.clear()
    assert await checker.check("jane", "192.0.2.2", found(kept), "wonderland")
    assert await checker.check("jane", "192.0.2.1", found(kept), "wonderland")
    assert await checker.check("jane", "192.0.2.1", found(kept), "wonderland")
    assert waited == [0.0, 3.0, 0.0]


async def test_parallel_attempts_are_delayed_like_successive_ones(waited: list[float]) -> None:
    """Neither parallel nor cancelled attempts avoid the delay."""
    checker = passwords.Passwords()
    guesses = [asyncio.ensure_future(checker.check("jane", "::1", found(None), "x")) for _ in range(5)]
    assert not any(await asyncio.gather(*guesses))
    given_up = asyncio.ensure_future(checker.check("jane", "::1", found(None), "x"))
    await asyncio.wait({given_up, asyncio.ensure_future(asyncio.wait_for(asyncio.Event().wait(), 0))})
    given_up.cancel()
    await checker.check("jane", "::1", found(None), "x")
    assert waited == [0.0, 0.1, 0.2, 0.4, 0.8, 1.6, 3.0]


async def test_the_remembered_attempts_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither many names nor long names take up memory."""
    monkeypatch.setattr(passwords, "PAIRS_REMEMBERED", 10)
    monkeypatch.setattr(passwords, "_verify", lambda *_: False)
    checker = passwords.Passwords()
    for number in range(30):
        await checker.check(f"{number}" + "x" * 100_000, "::1", found(None), "x")
    assert len(checker._attempts) == 10
    assert all(len(name) < 300 for name, _ in checker._attempts)
