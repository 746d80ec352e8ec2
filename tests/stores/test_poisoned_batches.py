"""If one question of a batch cannot be answered, only that one fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Collection, Iterator, Mapping, Sequence

import asyncpg
import pytest

from async_oauth1.credentials import Client
from async_oauth1.errors import StoreUnavailableError
from async_oauth1.stores import Store, TransientStore
from async_oauth1.stores.batching import Batcher, NonceBatcher, QuestionError
from async_oauth1.stores.caching import CachingStore, open_change_feed
from async_oauth1.stores.postgres import PostgresStore
from async_oauth1.stores.postgres.database import PostgresDatabase
from async_oauth1.stores.postgres.schema import MIGRATIONS
from tests.servers import Postgres, Valkey, patient

#: What a client can send, or a mistaken caller can pass, that some database cannot hold.
POISON = ("a\0b", "\ud800", "€" * 100_000, "€", "\x80", "'; --", "%E2%82%AC", "")


async def _each(*questions: Awaitable[object]) -> list[object]:
    return await asyncio.gather(*questions, return_exceptions=True)


async def test_nonces(store: TransientStore) -> None:
    """Valid nonces in a batch with invalid ones are new once, and known afterwards."""
    names = [f"n{number}" for number in range(20)]
    for expected in (False, True):
        good = [store.exists_nonce(name, "4000000000", "c", None) for name in names]
        bad = [
            store.exists_nonce(*values)
            for p in POISON
            for values in ((p, "4000000000", "c", None), ("n", "4000000000", p, p))
        ]
        answers = await _each(*good[:10], *bad, *good[10:])
        assert [*answers[:10], *answers[-10:]] == [expected] * 20
        for answer in answers[10:-10]:
            assert isinstance(answer, (bool, ValueError))


async def test_look_ups(full_store: Store) -> None:
    """Valid look-ups in a batch with impossible names are answered; the impossible names are unknown."""
    client = Client(client_id="€", client_secret="s")
    await full_store.add_client(client)
    good = [full_store.query_client("€") for _ in range(10)]
    bad = [full_store.query_credentials(*values) for p in POISON for values in ((p, "t"), ("c", p))]
    answers = await _each(*good[:5], *bad, *good[5:])
    assert [*answers[:5], *answers[-5:]] == [client] * 10
    assert [answer for answer in answers[5:-5] if answer != (None, None)] == [(client, None)]


async def test_look_ups_through_a_cache(full_store: Store, valkey: Valkey) -> None:
    """The same with a cache; changes to an impossible name are neither made nor announced."""
    async with CachingStore(full_store, open_change_feed(patient(valkey.url))) as cache:
        client = Client(client_id="c", client_secret="s")
        await cache.add_client(client)
        answers = await _each(
            *(cache.query_client("c") for _ in range(5)), *(cache.query_credentials(p, p) for p in POISON)
        )
        assert answers[:5] == [client] * 5
        assert answers[5:] == [(None, None)] * len(POISON)
        for poison in ("a\0b", "\ud800"):
            assert await cache.remove_client(poison) is False
            assert await cache.revoke_token_credential(poison) is False
            assert await cache.revoke_token_credentials(user_id=poison) == 0
            assert await cache.rotate_client_secret(poison, overlap=0) is None


@pytest.fixture
def latin1(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A database whose encoding lacks "€", opened without the check of the encoding."""

    async def not_checked(self: PostgresDatabase, connection: object) -> None:
        pass

    monkeypatch.setattr(PostgresDatabase, "_check", not_checked)
    postgres.sql("DROP DATABASE IF EXISTS latin1")
    postgres.sql("CREATE DATABASE latin1 TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
    yield postgres.url.replace("/postgres?", "/latin1?")
    postgres.sql("DROP DATABASE latin1 WITH (FORCE)")


async def test_a_look_up_that_postgresql_refuses(latin1: str) -> None:
    """Of fifty look-ups in one statement, only the two with names outside the database's encoding fail."""
    connection = await asyncpg.connect(latin1)
    for statement in (statement for migration in MIGRATIONS for statement in migration):
        await connection.execute(statement)
    await connection.close()
    async with PostgresStore(latin1) as store:
        await store.add_client(Client(client_id="c", client_secret="s"))
        names = ["c", "€", *(f"unknown{number}" for number in range(40)), "€2", *"defghij"]
        before = store.round_trips
        answers = await _each(*(store.query_client(name) for name in names))
        for name, answer in zip(names, answers, strict=True):
            if "€" in name:
                assert isinstance(answer, StoreUnavailableError)
            else:
                assert answer == (Client(client_id="c", client_secret="s") if name == "c" else None)
        assert store.round_trips - before < 25  # and not one statement for each of the fifty


async def test_nonces_in_a_latin1_database(latin1: str) -> None:
    """Nonces are stored as hashes, so no name makes a batch fail."""
    connection = await asyncpg.connect(latin1)
    for statement in (statement for migration in MIGRATIONS for statement in migration):
        await connection.execute(statement)
    await connection.close()
    async with PostgresStore(latin1) as store:
        answers = await _each(*(store.exists_nonce(name, "4000000000", name, name) for name in ("n", "€", "ÿ", "語")))
        assert answers == [False] * 4


class Answers:
    """Answers every question except some."""

    def __init__(self, *poison: int) -> None:
        self.poison = set(poison)
        self.batches: list[list[int]] = []

    async def look_up(self, keys: Sequence[int]) -> Mapping[int, int]:
        """A number's square."""
        self.batches.append(list(keys))
        await asyncio.sleep(0)
        if self.poison & set(keys):
            raise QuestionError()
        return {key: key * key for key in keys}

    async def remember(self, keys: Sequence[int]) -> Collection[int]:
        """Treat every number as new."""
        return (await self.look_up(keys)).keys()


@pytest.mark.parametrize("fail_together", [False, True])
async def test_a_batch_is_halved_until_the_question_is_found(*, fail_together: bool) -> None:
    """The number of statements grows with the logarithm of the batch, and the next batch does not fail."""
    answers = Answers(100)
    batcher: Batcher[int, int] = Batcher(answers.look_up, fail_together=fail_together)
    first = [batcher.ask(number) for number in range(256)]
    await asyncio.sleep(0)
    later = [batcher.ask(number) for number in range(300, 310)]
    found = await _each(*first, *later)
    assert isinstance(found.pop(100), StoreUnavailableError)
    assert found == [number * number for number in [*range(100), *range(101, 256), *range(300, 310)]]
    assert len(answers.batches) == 2 * 8 + 1 + 1


async def test_halving_stops_if_the_store_stops_answering() -> None:
    """If the store stops answering, halving ends, since each half would cost another time-out."""
    answers = Answers(100)
    asked: list[int] = []

    async def answer(keys: Sequence[int]) -> Mapping[int, int]:
        asked.append(len(keys))
        if len(asked) > 1:
            raise StoreUnavailableError()
        return await answers.look_up(keys)

    batcher: Batcher[int, int] = Batcher(answer, fail_together=True)
    found = await _each(*[batcher.ask(number) for number in range(256)])
    assert all(isinstance(outcome, StoreUnavailableError) for outcome in found)
    assert asked == [256, 128]


async def test_a_nonce_that_is_asked_twice_in_a_halved_batch_is_new_once() -> None:
    """Halving a batch answers each question once."""
    batcher: NonceBatcher[int] = NonceBatcher(Answers(1).remember, fail_together=True)
    found = await _each(*(batcher.ask(number) for number in (0, 0, 1, 1, 2, 2)))
    assert [found[0], found[1], found[4], found[5]] == [False, True, False, True]
    assert all(isinstance(answer, StoreUnavailableError) for answer in found[2:4])


async def test_all_callers_are_cancelled_if_the_task_is_cancelled_while_halving() -> None:
    """If the task is cancelled while one half is asked, the callers of the other half are cancelled too."""
    started = asyncio.Event()

    async def answer(keys: Sequence[int]) -> Mapping[int, int]:
        if len(keys) == 4:
            raise QuestionError()
        started.set()
        await asyncio.Event().wait()
        return {}

    batcher: Batcher[int, int] = Batcher(answer)
    futures = [batcher.ask(number) for number in range(4)]
    await started.wait()
    task = batcher._task
    assert task is not None
    task.cancel()
    found = await _each(*futures)
    assert all(isinstance(answer, asyncio.CancelledError) for answer in found)


async def test_a_missing_answer_fails_the_batch() -> None:
    """If a store's answer is wrong, its callers get an error and do not wait forever."""

    async def answer(keys: Sequence[int]) -> Mapping[int, int]:
        return {}

    batcher: Batcher[int, int] = Batcher(answer)
    async with asyncio.timeout(60):
        found = await _each(batcher.ask(1), batcher.ask(2))
    assert [type(answer) for answer in found] == [KeyError, KeyError]
