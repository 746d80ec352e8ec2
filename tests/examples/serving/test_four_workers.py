"""Four workers with PostgreSQL and Valkey: two hundred requests at once, each on its own connection."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.examples.jane import Jane, Printer, verifier_in
from tests.examples.running import PATIENCE, Photos, photos, run
from tests.servers import Postgres, Valkey
from tests.stress import STRESS

COPIES = 200
ROUNDS = 100 if STRESS else 1

pytestmark = pytest.mark.stress


@pytest.fixture(scope="module")
def provider_of_four() -> Iterator[Photos]:
    """Clients and tokens in PostgreSQL, nonces and temporary credentials in Valkey."""
    postgres, valkey = Postgres(), Valkey()
    try:
        nonces, store = f"{valkey.url}?timeout=30", f"{postgres.url}&cache=1000&timeout=30"
        with photos("--workers", "4", "--nonces", nonces, store=store) as running:
            yield running
    finally:
        valkey.close()
        postgres.close()


async def _send(running: Photos, requests: list[tuple[str, dict[str, str], str | None]], method: str) -> Counter[int]:
    """Open a connection for each request, then send all requests; returns how often each status came back."""
    connections = [await asyncio.open_connection("127.0.0.1", running.port) for _ in requests]
    messages = [_message(method, *request) for request in requests]
    for (_, writer), message in zip(connections, messages, strict=True):
        writer.write(message)
    answers = await asyncio.gather(*(reader.read() for reader, _ in connections))
    for _, writer in connections:
        writer.close()
    return Counter(int(answer.split(b" ", 2)[1]) for answer in answers)


def _message(method: str, url: str, headers: dict[str, str], body: str | None) -> bytes:
    parts = urlsplit(url)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    content = (body or "").encode()
    lines = [f"{method} {target} HTTP/1.1", f"Host: {parts.netloc}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, f"Content-Length: {len(content)}", "", ""]).encode() + content


async def test_of_two_hundred_copies_one_is_served(provider_of_four: Photos) -> None:
    """The workers share only the stores; the other requests are refused as replays."""
    printer = Printer(provider_of_four.url)
    with Jane(provider_of_four.url) as jane:
        jane.sign_in()
        token = printer.let_in_by(jane)
    for _ in range(ROUNDS):
        request = printer.signed("GET", "/photos?file=vacation.jpg", token=token)
        assert await _send(provider_of_four, [request] * COPIES, "GET") == {200: 1, 401: COPIES - 1}


async def test_of_two_hundred_exchanges_one_succeeds(provider_of_four: Photos) -> None:
    """Each request has its own nonce; only one gets the token credentials."""
    printer = Printer(provider_of_four.url)
    with Jane(provider_of_four.url) as jane:
        jane.sign_in()
        for _ in range(ROUNDS):
            temporary = printer.initiate()
            verifier = verifier_in(jane.decide(temporary[0]))
            requests = [printer.signed("POST", "/token", token=temporary, verifier=verifier) for _ in range(COPIES)]
            assert await _send(provider_of_four, requests, "POST") == {200: 1, 401: COPIES - 1}


async def test_a_revocation_reaches_every_worker(provider_of_four: Photos) -> None:
    """All workers have cached the token; soon after it is revoked, none of them accepts it any more."""
    printer = Printer(provider_of_four.url)
    with Jane(provider_of_four.url) as jane:
        jane.sign_in()
        token = printer.let_in_by(jane)

    def asked() -> list[tuple[str, dict[str, str], str | None]]:
        return [printer.signed("GET", "/photos?file=vacation.jpg", token=token) for _ in range(COPIES)]

    assert await _send(provider_of_four, asked(), "GET") == {200: COPIES}
    command = ("token", "revoke", token[0], "--store", provider_of_four.store, "--json")
    revoked = await asyncio.to_thread(run, "async_oauth1", *command)
    assert (revoked.returncode, revoked.stdout) == (0, '{"revoked": 1}\n')
    async with asyncio.timeout(PATIENCE):
        while await _send(provider_of_four, asked(), "GET") != {401: COPIES}:
            await asyncio.sleep(0.1)
    assert await _send(provider_of_four, asked(), "GET") == {401: COPIES}
