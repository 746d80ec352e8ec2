"""Workers and instances are replaced under load, and every request is answered as usual."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path

import httpx2
import pytest

from tests.attacks.signer import Keys, sign
from tests.attacks.sockets import request_octets
from tests.attacks.transport.test_documented_proxies import certificate
from tests.examples.jane import PRINTER
from tests.examples.running import PATIENCE, Photos, photos
from tests.examples.serving.test_workers import workers_of
from tests.servers.processes import free_ports
from tests.stress import STRESS, sample

from .proxies import BASE_URL, HOST, PROXIES, nginx, proxy_folder, unverified

__all__ = ["certificate"]

KEYS = Keys(client_id=PRINTER[0], client_secret=PRINTER[1])
ROUNDS = 10 if STRESS else 1
CLIENTS = 16 if STRESS else 4
#: Answers between two steps, so that each generation serves under load.
ENOUGH = 400 if STRESS else 40


class Load:
    """Clients that sign one request after the other, GET and POST, half of them on persistent connections.

    Attributes:
        answered: how often each status came back.
        lost: requests without a whole answer, or with another one than 200.
    """

    def __init__(self, port: int, origin: str, prefix: str = "", *, tls: bool = False) -> None:
        self.port, self.origin, self.prefix, self.tls = port, origin, prefix, tls
        self.answered: Counter[int] = Counter()
        self.lost: list[str] = []
        self._stopping = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Send requests until the block ends, and let each client finish its last one."""
        clients = [asyncio.ensure_future(self._client(number)) for number in range(CLIENTS)]
        try:
            yield
        finally:
            self._stopping = True
            await asyncio.gather(*clients)

    async def more(self) -> None:
        """Wait for further answers."""
        wanted = self.answered.total() + ENOUGH
        async with asyncio.timeout(PATIENCE):
            while self.answered.total() < wanted and not self.lost:
                await asyncio.sleep(0.01)

    async def _client(self, number: int) -> None:
        method, keep_alive = ("GET", "POST")[number % 2], number % 4 < 2
        while not self._stopping:
            context = unverified() if self.tls else None
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", self.port, ssl=context, server_hostname=HOST if context else None
            )
            goes_on = True
            while goes_on and not self._stopping:
                goes_on = await self._exchange(reader, writer, method, keep_alive=keep_alive)
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _exchange(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, method: str, *, keep_alive: bool
    ) -> bool:
        body = b"size=original" if method == "POST" else b""
        message = sign(KEYS, method, f"{self.prefix}/signed", body=body, origin=self.origin)
        try:
            writer.write(request_octets(message, close=not keep_alive))
            await writer.drain()
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            await reader.readexactly(int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0]))
        except (OSError, asyncio.IncompleteReadError, ValueError) as error:
            self.lost.append(f"{method}, {keep_alive=}: {error!r}")
            return False
        status = int(head.split(b" ", 2)[1])
        self.answered[status] += 1
        if status != 200:
            self.lost.append(f"{method}, {keep_alive=}: {status}")
        return keep_alive and b"connection: close" not in head

    def check(self, log: str = "") -> None:
        """Every request got 200; if not, show the proxy's log."""
        assert self.lost == [], log
        assert set(self.answered) == {200}


async def replaced(running: Photos, former: set[int]) -> set[int]:
    """Wait until no worker of the former generation is left; returns the new ones."""
    async with asyncio.timeout(PATIENCE):
        while True:
            now = await asyncio.to_thread(workers_of, running)
            if len(now) == len(former) and not now & former:
                return now
            await asyncio.sleep(0.1)


@contextmanager
def in_front(kind: str, running: Photos, certificate: Path) -> Iterator[Load]:
    """Clients that reach the workers directly, or through a proxy."""
    if kind == "direct":
        yield Load(running.port, running.url)
        return
    secure, plain = free_ports(2)
    with proxy_folder() as folder, PROXIES[kind](folder, (secure, plain), [running.port], certificate):
        yield Load(secure, f"https://{HOST}", "/v1", tls=True)


@pytest.mark.stress
@pytest.mark.parametrize("kind", sample(["direct", *PROXIES], 1))
async def test_generations_of_workers(kind: str, tmp_path: Path, certificate: Path) -> None:
    """Each SIGHUP replaces all workers, while clients keep sending: no request fails."""
    url = () if kind == "direct" else ("--external-base-url", BASE_URL)
    options = ("--workers", "2", "--demo-data", *url)
    with photos(*options, store=f"sqlite:///{tmp_path}/photos.db") as running:
        with in_front(kind, running, certificate) as load:
            async with load.running():
                await load.more()
                workers = workers_of(running)
                for _ in range(ROUNDS):
                    running.process.send_signal(signal.SIGHUP)
                    workers = await replaced(running, workers)
                    await load.more()
            load.check()
        assert running.stop() == 0


@pytest.mark.stress
async def test_instances_behind_nginx(tmp_path: Path, certificate: Path) -> None:
    """Instances stop and start again in turn, as in an upgrade: nginx passes every request to the other one."""
    first, second, secure, plain = free_ports(4)
    options = ("--external-base-url", BASE_URL, "--demo-data")
    store = f"sqlite:///{tmp_path}/photos.db"
    with proxy_folder() as folder, ExitStack() as stack:

        def start(port: int) -> Photos:
            return stack.enter_context(photos(*options, "--port", str(port), store=store))

        instances = {port: start(port) for port in (first, second)}
        stack.enter_context(nginx(folder, (secure, plain), list(instances), certificate))
        load = Load(secure, f"https://{HOST}", "/v1", tls=True)
        async with load.running():
            await load.more()
            for port in list(instances) * ROUNDS if STRESS else [first]:
                assert await asyncio.to_thread(instances[port].stop) == 0
                await load.more()
                instances[port] = await asyncio.to_thread(start, port)
                assert (await ready(port)) == 200
                await load.more()
        load.check((folder / "error.log").read_text())


async def ready(port: int) -> int:
    """The status of an instance's health."""
    async with httpx2.AsyncClient(timeout=PATIENCE) as client:
        return (await client.get(f"http://127.0.0.1:{port}/health")).status_code
