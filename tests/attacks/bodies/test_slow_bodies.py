"""A body that trickles in until its nonce has been forgotten: the timestamp is too old by then."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest

from async_oauth1.asgi import OAuth1Middleware
from async_oauth1.stores import MemoryStore
from tests.attacks.conftest import Listening
from tests.attacks.provider import JANE
from tests.attacks.signer import body_hash, sign
from tests.attacks.sockets import RawAnswer, request_octets

BODY = b'{"amount": 1}'


class Clock:
    """Real time, and some more; it notes that it was read."""

    def __init__(self) -> None:
        self.ahead = 0.0
        self.read = asyncio.Event()

    def __call__(self) -> float:
        self.read.set()
        return time.time() + self.ahead


@pytest.fixture(params=["decorator", "middleware"])
def clock(request: pytest.FixtureRequest, listening: Listening) -> Iterator[Clock]:
    """The clock of a provider that is protected by its decorators, or by the middleware in front of them."""
    provider = listening.provider
    clock = provider.require_oauth.clock = Clock()
    store = provider.store.store
    assert isinstance(store, MemoryStore)
    store.clock = clock
    if request.param == "middleware":
        provider.app.asgi_app = OAuth1Middleware(  # type: ignore[method-assign, assignment]
            provider.app.asgi_app, provider.require_oauth, ["/hashed"], body_timeout=3600
        )
    return clock


async def send_slowly(listening: Listening, octets: bytes, clock: Clock, ahead: float) -> RawAnswer:
    """Send all but the last octet, let time pass once the server has looked at the timestamp, and send the rest."""
    reader, writer = await asyncio.open_connection("127.0.0.1", listening.port)
    clock.read.clear()
    writer.write(octets[:-1])
    await clock.read.wait()
    await asyncio.sleep(0)
    clock.ahead += ahead
    writer.write(octets[-1:])
    answer = RawAnswer(await reader.read())
    writer.close()
    await writer.wait_closed()
    return answer


@pytest.mark.parametrize("ahead", [301.0, 700.0, 100_000.0])
async def test_a_replay_with_a_slow_body(listening: Listening, clock: Clock, ahead: float) -> None:
    """The request is served once. Its replay begins in time and ends when the window has passed, and is refused."""
    origin = listening.origin
    oauth = {"body_hash": body_hash(BODY, "sha1")}
    message = sign(JANE, "POST", "/hashed", body=BODY, content_type=b"application/json", oauth=oauth, origin=origin)
    octets = request_octets(message)
    assert (await send_slowly(listening, octets, clock, 1.0)).status == 200
    answer = await send_slowly(listening, octets, clock, ahead)
    assert (answer.status, answer.json["error"]) == (401, "timestamp_refused")
