"""Every store: a nonce is accepted once, however many callers use it at the same time."""

from __future__ import annotations

import asyncio

import pytest

from async_oauth1.policy import Policy
from async_oauth1.stores import TransientStore
from tests.stores.conftest import open_kind

NOW = "1700000000"


@pytest.mark.rfc5849("3.2/nonce", "3.3/nonce")
async def test_a_nonce_is_new_once(store: TransientStore) -> None:
    """The first use of a nonce is new, and each later one is known."""
    assert await store.exists_nonce("kllo9940pd9333jh", NOW, "client", "token") is False
    assert await store.exists_nonce("kllo9940pd9333jh", NOW, "client", "token") is True
    assert await store.exists_nonce("kllo9940pd9333jh", NOW, "client", "token") is True


@pytest.mark.rfc5849("3.3/nonce")
@pytest.mark.parametrize(
    "other",
    [
        ("nonce2", NOW, "client", "token"),
        ("nonce", "1700000001", "client", "token"),
        ("nonce", NOW, "client2", "token"),
        ("nonce", NOW, "client", "token2"),
        ("nonce", NOW, "client", None),
    ],
)
async def test_each_part_of_the_key_counts(store: TransientStore, other: tuple[str, str, str, str | None]) -> None:
    """A different nonce, timestamp, client or token makes the nonce new."""
    assert await store.exists_nonce("nonce", NOW, "client", "token") is False
    assert await store.exists_nonce(*other) is False


async def test_absent_and_empty_token_are_the_same(store: TransientStore) -> None:
    """An empty oauth_token counts as none, so it does not bypass the check."""
    assert await store.exists_nonce("nonce", NOW, "client", None) is False
    assert await store.exists_nonce("nonce", NOW, "client", "") is True


@pytest.mark.parametrize("separator", ["-", ":", "|", "/", " ", "\x1f", '", "', "\\", "&", "é"])
async def test_parts_are_never_confused(store: TransientStore, separator: str) -> None:
    """Values that contain separators do not make two clients' nonces collide."""
    assert await store.exists_nonce("n", NOW, "client", f"tok{separator}a") is False
    assert await store.exists_nonce("n", NOW, f"client{separator}tok", "a") is False
    assert await store.exists_nonce(f"a{separator}n", NOW, "client", "tok") is False
    assert await store.exists_nonce(f"n{separator}client", NOW, "tok", "a") is False


async def test_of_fifty_concurrent_uses_one_wins(store: TransientStore) -> None:
    """Of fifty concurrent copies of one request, exactly one is new."""
    answers = await asyncio.gather(*(store.exists_nonce("nonce", NOW, "client", "token") for _ in range(50)))
    assert sorted(answers) == [False] + [True] * 49


async def test_a_thousand_different_nonces_at_once_are_all_new(store: TransientStore) -> None:
    """A thousand different nonces are all new at first, and all known the second time."""
    questions = [(f"nonce{number}", NOW, "client", "token") for number in range(1000)]
    assert not any(await asyncio.gather(*(store.exists_nonce(*question) for question in questions)))
    assert all(await asyncio.gather(*(store.exists_nonce(*question) for question in questions)))


async def test_cancelled_callers_do_not_affect_others(store: TransientStore) -> None:
    """If clients disconnect in the middle of a batch, the other callers get their answers."""
    tasks = [
        asyncio.create_task(store.exists_nonce(f"nonce{number // 2}", NOW, "client", "token")) for number in range(40)
    ]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    for gone, stayed in zip(answers[::2], answers[1::2], strict=True):
        # Where the first of the two was cancelled, the second may proceed; where it was too late for that, not both.
        assert (isinstance(gone, asyncio.CancelledError) and stayed in (True, False)) or {gone, stayed} == {True, False}
    assert await store.exists_nonce("another", NOW, "client", "token") is False
    assert await store.exists_nonce("nonce0", NOW, "client", "token") is True


async def test_a_nonce_lives_as_long_as_its_timestamp_may_be_accepted(store: TransientStore, clock) -> None:
    """A nonce is known during its lifetime, and refused afterwards, since the store may have removed it."""
    assert await store.exists_nonce("nonce", NOW, "client", "token") is False
    clock.advance(Policy().nonce_lifetime - 1)
    assert await store.exists_nonce("nonce", NOW, "client", "token") is True
    clock.advance(2)
    assert await store.exists_nonce("nonce", NOW, "client", "token") is True
    assert await store.exists_nonce("other", NOW, "client", "token") is True
    now = str(int(clock()))
    assert await store.exists_nonce("nonce", now, "client", "token") is False
    assert await store.exists_nonce("nonce", now, "client", "token") is True


async def test_the_policy_sets_the_lifetime(store: TransientStore, clock) -> None:
    """If several servers share a store, it uses the longest window, in any order of registration."""
    store.prepare(Policy(timestamp_window=1000))
    store.prepare(Policy(timestamp_window=10))
    assert await store.exists_nonce("nonce", NOW, "client", "token") is False
    clock.advance(1999)
    assert await store.exists_nonce("nonce", NOW, "client", "token") is True
    assert await store.exists_nonce("late", NOW, "client", "token") is False
    clock.advance(1)
    assert await store.exists_nonce("too late", NOW, "client", "token") is True


def test_a_nonce_lifetime_that_is_too_short_is_refused(url: str) -> None:
    """A configured lifetime that is too short for a server's window is refused at registration."""
    store = open_kind(url, nonce_lifetime=600)
    store.prepare(Policy(timestamp_window=270))
    with pytest.raises(ValueError, match="needs 660 s"):
        store.prepare(Policy())


@pytest.mark.parametrize("bad", ["a\0b", "\ud800"])
async def test_text_that_cannot_be_stored_is_refused(store: TransientStore, bad: str) -> None:
    """A NUL or a lone surrogate is refused with a ValueError that names the value."""
    for question in ((bad, NOW, "c", "t"), ("n", bad, "c", "t"), ("n", NOW, bad, "t"), ("n", NOW, "c", bad)):
        with pytest.raises(ValueError, match="NUL character or a lone surrogate"):
            await store.exists_nonce(*question)
