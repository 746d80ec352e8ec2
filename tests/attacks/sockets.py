"""Send octets to a listening server, and read its response."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import h2.config
import h2.connection
import h2.events

from .signer import Message
from .wire import PATIENCE


@dataclass(frozen=True)
class RawAnswer:
    """Everything a server sent until it closed the connection."""

    octets: bytes

    @property
    def status(self) -> int:
        """The status of the last response, without interim responses."""
        return self.statuses[-1] if self.statuses else 0

    @property
    def statuses(self) -> list[int]:
        """The status of each response on the connection."""
        found, rest = [], self.octets
        while rest.startswith(b"HTTP/1.1 "):
            head, _, rest = rest.partition(b"\r\n\r\n")
            found.append(int(head[9:12]))
            length = next(
                (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
            )
            rest = rest[length:]
        return [status for status in found if status >= 200]

    @property
    def headers(self) -> dict[bytes, bytes]:
        """The headers of the last response, with names in lower case."""
        head = self.octets[self.octets.rfind(b"HTTP/1.1 ") :].partition(b"\r\n\r\n")[0]
        return {
            name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in head.split(b"\r\n")[1:])
        }

    @property
    def body(self) -> bytes:
        """The body of the last response."""
        return self.octets[self.octets.rfind(b"HTTP/1.1 ") :].partition(b"\r\n\r\n")[2]

    @property
    def json(self) -> Any:
        """The decoded body."""
        return json.loads(self.body)


def request_octets(message: Message, *more: bytes, version: bytes = b"HTTP/1.1", close: bool = True) -> bytes:
    """Serialize a message as HTTP/1.1, with additional header lines."""
    lines = [message.method.encode() + b" " + message.target + b" " + version]
    lines += [name + b": " + value for name, value in message.headers]
    lines += [*more, b"Connection: close"] if close else more
    return b"\r\n".join(lines) + b"\r\n\r\n" + message.body


async def talk(port: int, pieces: bytes | Iterable[bytes], *, end: bool = False) -> RawAnswer:
    """Send octets in one or in many packets, and read until the server closes the connection.

    Args:
        port: A port of 127.0.0.1.
        pieces: The octets to send.
        end: Close the sending side afterwards.
    """
    answer = bytearray()
    async with asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)

        async def read() -> None:
            try:
                while chunk := await reader.read(65_536):
                    answer.extend(chunk)
            except ConnectionError:
                pass  # the server closed the connection before everything was sent

        reading = asyncio.ensure_future(read())
        try:
            for piece in [pieces] if isinstance(pieces, bytes) else pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
            if end:
                writer.write_eof()
        except ConnectionError:
            pass
        await reading
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
    return RawAnswer(bytes(answer))


async def talk_h2(
    port: int, headers: list[tuple[bytes, bytes]], *, upgrade: bytes | None = None
) -> Mapping[bytes, bytes]:
    """Send one HTTP/2 request in clear text, and return the headers of the response, with its body as ``body``.

    The result is empty if the stream was reset.

    Args:
        port: A port of 127.0.0.1.
        headers: All headers, including the pseudo-headers; they are sent unchanged.
        upgrade: An HTTP/1.1 request to send with ``Upgrade: h2c`` instead.
    """
    config = h2.config.H2Configuration(
        client_side=True,
        header_encoding=None,
        validate_outbound_headers=False,
        normalize_outbound_headers=False,
    )
    connection = h2.connection.H2Connection(config)
    found: dict[bytes, bytes] = {}
    async with asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        if upgrade is None:
            connection.initiate_connection()
            connection.send_headers(1, headers, end_stream=True)
        else:
            settings = connection.initiate_upgrade_connection()
            head, end, _ = upgrade.partition(b"\r\n\r\n")
            more = b"\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: " + (settings or b"")
            writer.write(head + more + end)
            await reader.readuntil(b"\r\n\r\n")
        writer.write(connection.data_to_send())
        ended = False
        while not ended and (data := await reader.read(65_536)):
            for event in connection.receive_data(data):
                if isinstance(event, h2.events.ResponseReceived):
                    found.update(event.headers or [])
                elif isinstance(event, h2.events.DataReceived):
                    found[b"body"] = found.get(b"body", b"") + (event.data or b"")
                ended = ended or isinstance(
                    event, (h2.events.StreamEnded, h2.events.StreamReset, h2.events.ConnectionTerminated)
                )
            writer.write(connection.data_to_send())
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
    return found
