"""Send forms one octet at a time on many connections, until SIGTERM.

python -m benchmarks.load.slow_bodies HOST:PORT CONNECTIONS
"""

from __future__ import annotations

import asyncio
import sys

from .signing import Signer

#: Seconds between two octets, and octets of a form. After a whole form, a connection begins again.
INTERVAL, OCTETS = 0.2, 15


async def keep_sending(host: str, head: bytes, delay: float) -> None:
    """Send one form after the other, each on a new connection."""
    address, port = host.split(":")
    await asyncio.sleep(delay)
    while True:
        reader, writer = await asyncio.open_connection(address, int(port))
        writer.write(head)
        for _ in range(OCTETS):
            await asyncio.sleep(INTERVAL)
            writer.write(b"a")
        answer = await reader.read(12)
        if not answer.startswith(b"HTTP/1.1 4"):
            raise OSError(f"answered with {answer!r}")
        writer.close()


async def main(host: str, connections: int) -> None:
    """Start the connections one after the other, spread over the time that a form takes."""
    [header] = Signer(host, "/photos", secret="wrong" * 4).headers(1)
    lines = [
        "POST /photos HTTP/1.1",
        f"Host: {host}",
        f"Authorization: {header}",
        "Content-Type: application/x-www-form-urlencoded",
        f"Content-Length: {OCTETS}",
        "",
        "",
    ]
    head = "\r\n".join(lines).encode()
    step = INTERVAL * OCTETS / connections
    await asyncio.gather(*(keep_sending(host, head, number * step) for number in range(connections)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
