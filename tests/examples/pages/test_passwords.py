"""What a password costs to check."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from argon2 import PasswordHasher

from examples.photos import passwords

from .stored import found


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a hash costs is Argon2's business; here it is only counted."""
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def computed(_quick: None, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Counts the hashes that are computed; waiting takes no time."""
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
    """The seconds that each attempt was made to wait."""
    seconds: list[float] = []

    async def sleep(delay: float) -> None:
        seconds.append(delay)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    return seconds


async def test_an_unknown_name_costs_one_hash_as_a_known_one_does(computed: Counter[str]) -> None:
    """Right, wrong, unknown and unreadable: one verification each."""
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
    """For one name from one address; others do not wait."""
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


async def test_guesses_at_once_wait_like_guesses_one_after_another(waited: list[float]) -> None:
    """Who does not wait for the answer gains nothing, and who hangs up has tried all the same."""
    checker = passwords.Passwords()
    guesses = [asyncio.ensure_future(checker.check("jane", "::1", found(None), "x")) for _ in range(5)]
    assert not any(await asyncio.gather(*guesses))
    given_up = asyncio.ensure_future(checker.check("jane", "::1", found(None), "x"))
    await asyncio.wait({given_up, asyncio.ensure_future(asyncio.wait_for(asyncio.Event().wait(), 0))})
    given_up.cancel()
    await checker.check("jane", "::1", found(None), "x")
    assert waited == [0.0, 0.1, 0.2, 0.4, 0.8, 1.6, 3.0]


async def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many names somebody tries, and however long they are."""
    monkeypatch.setattr(passwords, "PAIRS_REMEMBERED", 10)
    monkeypatch.setattr(passwords, "_verify", lambda *_: False)
    checker = passwords.Passwords()
    for number in range(30):
        await checker.check(f"{number}" + "x" * 100_000, "::1", found(None), "x")
    assert len(checker._attempts) == 10
    assert all(len(name) < 300 for name, _ in checker._attempts)
