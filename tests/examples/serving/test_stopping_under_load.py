"""Stopping the provider under load: every complete request is answered, and none is processed without an answer."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.attacks.signer import Keys, sign
from tests.attacks.sockets import request_octets
from tests.examples.running import PATIENCE, STOPPED, Photos, add_client, photos
from tests.stress import STRESS

ROUNDS = 10 if STRESS else 1
CLIENTS = 24
#: Answers before the signal, so that every connection is in use.
WARM = 300


class Load:
    """Clients that send one request after the other until the provider refuses connections.

    Attributes:
        answered: how often each status came back.
        lost: complete requests without a complete answer.
        connections: those that were closed after an answer that did not announce it.
    """

    def __init__(self, running: Photos, keys: Keys) -> None:
        self.running = running
        self.keys = keys
        self.answered: Counter[int] = Counter()
        self.lost: list[str] = []
        self.warm = asyncio.Event()

    async def client(self, *, keep_alive: bool) -> None:
        """Send requests on a persistent connection, or on a new one for each request."""
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.running.port)
            except OSError:
                return
            first = True
            while await self.exchange(reader, writer, keep_alive=keep_alive, first=first):
                first = False
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def exchange(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, keep_alive: bool, first: bool
    ) -> bool:
        """Send a request and read its answer; returns whether the connection can be used again."""
        message = sign(self.keys, "GET", "/signed", origin=self.running.url, content_type=None)
        stopping = self.stopping
        try:
            writer.write(request_octets(message, close=not keep_alive))
            await writer.drain()
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
        except (OSError, asyncio.IncompleteReadError) as error:
            # The kernel resets a connection that it completed between the last accept and the closing of the
            # listener. The request was not processed, and the client can try again.
            if not (first and self.stopping and isinstance(error, ConnectionResetError)):
                self.lost.append(f"{'new' if first else 'used'} connection, {stopping=}: {error!r}")
            return False
        self.answered[int(head.split(b" ", 2)[1])] += 1
        if self.answered.total() >= WARM:
            self.warm.set()
        return keep_alive and b"connection: close" not in head

    stopping = False


@pytest.mark.stress
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("keep_alive", [True, False])
async def test_every_complete_request_is_answered(tmp_path: Path, workers: int, keep_alive: bool) -> None:
    """The last answer on a connection has `Connection: close`, and there are as many nonces as answers."""
    for number in range(ROUNDS):
        file = tmp_path / f"photos-{number}.db"
        store = f"sqlite:///{file}"
        with photos("--workers", str(workers), store=store, module="tests.examples.serving.patient") as running:
            client = add_client(store)
            keys = Keys(client_id=client["client_id"], client_secret=client["client_secret"])
            load = Load(running, keys)
            clients = [asyncio.ensure_future(load.client(keep_alive=keep_alive)) for _ in range(CLIENTS)]
            async with asyncio.timeout(PATIENCE):
                await load.warm.wait()
                load.stopping = True
                running.process.send_signal(signal.SIGTERM)
                await asyncio.gather(*clients)
            assert await asyncio.to_thread(running.ended) == 0
            assert running.output == ("", STOPPED)
        with closing(sqlite3.connect(file)) as database:
            [[used]] = database.execute("SELECT count(*) FROM oauth1_nonce")
        assert (load.lost, dict(load.answered)) == ([], {200: used})
