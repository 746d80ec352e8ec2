"""The sessions of the learning tool: they expire, and a one-time code opens one, in this process and in Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from redis.asyncio import Redis

from async_oauth1.lti import Launch
from examples.lti_tool.sessions import MemoryRecords, Records, RedisRecords, Sessions
from tests.servers import Valkey

LAUNCH = Launch({"oauth_consumer_key": "botany-101", "user_id": "jane", "lis_person_name_full": "Jané"}, None)


@pytest.fixture(scope="module")
def valkey() -> Iterator[Valkey]:
    """A Valkey server."""
    server = Valkey()
    yield server
    server.close()


@pytest.fixture(params=["memory", "redis"])
async def records(request: pytest.FixtureRequest) -> AsyncIterator[Records]:
    """Empty records."""
    if request.param == "memory":
        yield MemoryRecords()
        return
    async with Redis.from_url(request.getfixturevalue("valkey").url, decode_responses=True) as client:
        yield RedisRecords(client)


async def test_twenty_exchanges_of_one_code(records: Records) -> None:
    """One of them gets the session, with everything that was kept."""
    sessions = Sessions(records)
    begun, code = await sessions.begin(LAUNCH)
    found = await asyncio.gather(*(sessions.exchange(code) for _ in range(20)))
    assert [session for session in found if session is not None] == [begun]
    assert begun.launch.full_name == "Jané"


async def test_a_session_is_found_by_its_id_alone(records: Records) -> None:
    """Neither its code nor another text finds it, and what was saved is there."""
    sessions = Sessions(records)
    session, code = await sessions.begin(LAUNCH)
    session.score = 0.5
    await sessions.save(session)
    assert await sessions.find(session.id) == session
    for other in ("", code, session.form_token, f"code:{code}", "*"):
        assert await sessions.find(other) is None


async def test_codes_and_sessions_expire() -> None:
    """A code after a minute, a session four hours after it was last saved; what has expired is not kept."""
    now = 0.0
    records = MemoryRecords(lambda: now)
    sessions = Sessions(records)
    session, code = await sessions.begin(LAUNCH)
    now = 59.9
    assert await sessions.exchange(code) is not None
    _, code = await sessions.begin(LAUNCH)
    now += 60
    assert await sessions.exchange(code) is None
    now = 4 * 3600 - 0.1
    assert await sessions.find(session.id) is not None
    now = 4 * 3600
    assert await sessions.find(session.id) is None
    now = 9 * 3600
    session, _ = await sessions.begin(LAUNCH)
    assert len(records._texts) == 2


def test_a_session_shows_no_secret() -> None:
    """Its text has neither its id nor what was signed."""
    session = Sessions(MemoryRecords())
    text = repr(asyncio.run(session.begin(LAUNCH))[0])
    assert "jane" not in text
    assert "id=" not in text
