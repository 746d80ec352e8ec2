"""A flood of refused requests from one address leaves log, memory and other clients as they were."""

from __future__ import annotations

import asyncio
from collections import Counter

import psutil  # type: ignore[import-untyped]
import pytest

from tests.attacks.signer import Keys, Message, sign
from tests.attacks.sockets import request_octets
from tests.examples.jane import PRINTER
from tests.examples.running import Photos, photos
from tests.stress import STRESS

FLOOD = 100_000 if STRESS else 1_000
#: Refused before memory is measured, so that caches are full and every path has run.
WARM = FLOOD // 10
CONNECTIONS = 8
GOOD = Keys(client_id=PRINTER[0], client_secret=PRINTER[1])
MEBIBYTE = 1 << 20


async def send(running: Photos, messages: list[Message]) -> Counter[int]:
    """Send requests over one connection, one after the other; returns how often each status came back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
    statuses: Counter[int] = Counter()
    for message in messages:
        writer.write(request_octets(message, close=False))
        await writer.drain()
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        await reader.readexactly(int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0]))
        statuses[int(head.split(b" ", 2)[1])] += 1
    writer.close()
    await writer.wait_closed()
    return statuses


def made_up(number: int, running: Photos) -> Message:
    """A request that is refused: of a client that does not exist, or with a wrong signature of one that does."""
    client = GOOD.client_id if number % 2 else f"made-up-{number}"
    keys = Keys(client_id=client, client_secret="wrong")
    return sign(keys, "GET", f"/signed/{number}", content_type=None, origin=running.url)


async def flood(running: Photos, first: int, last: int) -> Counter[int]:
    """Send refused requests with these numbers over several connections."""
    total: Counter[int] = Counter()
    step = 100 * CONNECTIONS  # signed just before they are sent
    for start in range(first, last, step):
        numbers = range(start, min(start + step, last))
        parts = [[made_up(number, running) for number in numbers[part::CONNECTIONS]] for part in range(CONNECTIONS)]
        for counts in await asyncio.gather(*(send(running, part) for part in parts)):
            total += counts
    return total


@pytest.mark.stress
async def test_a_flood_of_refused_requests() -> None:
    """100,000 refusals: under 1 MB of log, flat memory, and every request of a good client is accepted meanwhile."""
    with photos() as running:
        process = psutil.Process(running.process.pid)
        assert await flood(running, 0, WARM) == {401: WARM}
        before = process.memory_info().rss
        flooding = asyncio.ensure_future(flood(running, WARM, FLOOD))
        good: Counter[int] = Counter()
        while not flooding.done():
            good += await send(running, [sign(GOOD, "GET", "/signed", content_type=None, origin=running.url)])
        assert await flooding == {401: FLOOD - WARM}
        assert good.keys() == {200}
        assert process.memory_info().rss - before < 20 * MEBIBYTE
        assert running.stop() == 0
        log = running.output[1]
        assert log.count("Refused <OAuth1Request") > 60
        if STRESS:  # a minute has ended
            assert "Refusals that were not logged in the last minute" in log
        assert len(log) < MEBIBYTE
