"""Copies of one request at the same moment: one is accepted, none is lost, and none is a 5xx, in every database."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.stress import STRESS, sample

from .conftest import DRIVERS, Engines
from .models import PlainTemporary, PlainToken
from .provider import PlainProvider, new_plain_store

COPIES = 12
ROUNDS = 50 if STRESS else 2

pytestmark = pytest.mark.stress
everywhere = pytest.mark.parametrize("driver", sample(DRIVERS, 2))
LEVELS = [
    (driver, level)
    for driver in ("asyncpg", "psycopg", "mariadb", "asyncmy")
    for level in ("READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE")
]


@everywhere
async def test_copies_of_a_request_for_temporary_credentials(provider: PlainProvider) -> None:
    """Without a token: of twelve copies, one gets credentials, and the others are refused as repeated."""
    for _ in range(ROUNDS):
        wire = provider.initiation()
        responses = await asyncio.gather(*(provider.initiate(wire) for _ in range(COPIES)))
        assert sorted(response.status_code for response in responses) == [200] + [401] * (COPIES - 1)


@everywhere
async def test_copies_of_a_protected_request(provider: PlainProvider) -> None:
    """With a token: of twelve copies, one is accepted, and the others are refused as repeated."""
    signer = await provider.token()
    for _ in range(ROUNDS):
        await one_is_accepted([provider], signer.wire())


@everywhere
async def test_exchanges_at_once(provider: PlainProvider, engine: AsyncEngine) -> None:
    """Of twelve exchanges of one approval, each with its own nonce, one gets a token, and there is no other."""
    for number in range(1, ROUNDS + 1):
        temporary = await provider.temporary()
        decision = await provider.approve(temporary.token)
        wires = [temporary.wire("POST", b"/token", oauth_verifier=decision.verifier) for _ in range(COPIES)]
        responses = await asyncio.gather(*(provider.exchange(wire) for wire in wires))
        assert sorted(response.status_code for response in responses) == [200] + [401] * (COPIES - 1)
        assert await count(engine, PlainToken) == number
        assert await count(engine, PlainTemporary) == 0


@everywhere
async def test_approvals_at_once(provider: PlainProvider) -> None:
    """Of two users who approve at the same moment, one does; the same user's clicks have one result."""
    for _ in range(ROUNDS):
        temporary = await provider.temporary()
        answers = await asyncio.gather(*(provider.approve(temporary.token, user) for user in (7, 8) * 6))
        results: list[set[Any]] = [set(answers[0::2]), set(answers[1::2])]
        assert {409} in results
        winner = results[1 - results.index({409})]
        assert len(winner) == 1
        assert winner != {409}


@pytest.mark.parametrize(("driver", "level"), sample(LEVELS, 3))
async def test_isolation_levels(engine: AsyncEngine, engines: Engines, level: str) -> None:
    """With every isolation level of the application's engine, transactions that meet are repeated."""
    provider = await PlainProvider.over(engine)
    strict = PlainProvider(new_plain_store(engines(isolation_level=level)))
    for _ in range(ROUNDS):
        signer = await strict.token()
        await one_is_accepted([strict], signer.wire())
        wires = [signer.wire() for _ in range(COPIES)]
        assert not [answer for answer in await asyncio.gather(*map(strict.protect, wires)) if isinstance(answer, int)]
    assert await provider.store.list_token_credentials(user_id="7")


@pytest.mark.parametrize("database_url", ["sqlite+aiosqlite://"])
async def test_a_database_in_memory(provider: PlainProvider) -> None:
    """All sessions share one connection, and still one of twelve copies is accepted, and nothing is lost."""
    for _ in range(ROUNDS):
        signer = await provider.token()
        await one_is_accepted([provider], signer.wire())


@everywhere
async def test_two_stores_on_one_database(engine: AsyncEngine, engines: Engines) -> None:
    """Stores with connections of their own, as in two processes, accept one of twelve copies together."""
    first = await PlainProvider.over(engine)
    second = PlainProvider(new_plain_store(engines()))
    signer = await first.token()
    for _ in range(ROUNDS):
        await one_is_accepted([first, second], signer.wire())


async def one_is_accepted(providers: list[PlainProvider], wire: Any) -> None:
    """Send copies to the providers in turns; one is verified."""
    turns = [providers[number % len(providers)] for number in range(COPIES)]
    answers = await asyncio.gather(*(provider.protect(wire) for provider in turns))
    assert sum(not isinstance(answer, int) for answer in answers) == 1, answers
    assert {answer for answer in answers if isinstance(answer, int)} == {401}


async def count(engine: AsyncEngine, model: Any) -> int:
    """How many rows a model has."""
    async with engine.connect() as connection:
        return (await connection.execute(select(func.count()).select_from(model))).scalar_one()
