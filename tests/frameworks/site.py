"""A running application under test, and a client for it."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import h2.config
import h2.connection
import h2.events
import websockets.asyncio.client
from websockets.exceptions import InvalidHandshake, InvalidStatus

from tests.attacks.signer import Keys, Message, sign
from tests.attacks.sockets import request_octets, talk
from tests.attacks.wire import PATIENCE, Answer

#: The octets of a piece of a body, small enough for one frame.
_PIECE = 10_000


@dataclass(frozen=True)
class Site:
    """An application under test, over one protocol.

    Attributes:
        port: of 127.0.0.1.
        protocol: ``HTTP/1.1`` or ``HTTP/2``.
    """

    port: int
    protocol: str

    @property
    def origin(self) -> str:
        """What clients sign."""
        return f"http://127.0.0.1:{self.port}"

    def signed(self, keys: Keys, method: str, target: str, **how: Any) -> Message:
        """A signed request; see `sign`."""
        return sign(keys, method, target, **{"origin": self.origin, **how})

    def unsigned(self, method: str, target: str, body: bytes = b"") -> Message:
        """A request without a signature."""
        headers = [(b"host", self.origin[7:].encode()), (b"content-length", b"%d" % len(body))]
        return Message(method=method, target=target.encode(), headers=tuple(headers), body=body)

    async def send(self, message: Message) -> Answer:
        """Send a request, and read the response. The status is 0 if the server has broken the connection off."""
        if self.protocol == "HTTP/2":
            return await _over_http_2(self.port, message)
        answer = await talk(self.port, request_octets(message))
        headers = [(name.decode(), value.decode()) for name, value in answer.headers.items()]
        return Answer(answer.status, headers, answer.body)

    async def calls(self) -> int:
        """The number of calls of protected handlers."""
        number: int = (await self.send(self.unsigned("GET", "/calls"))).json
        return number

    async def hang_up(self, message: Message, octets: int) -> None:
        """Send a request over HTTP/1.1 without the last octets of its body, and close the connection."""
        _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request_octets(message)[:-octets])
        await writer.drain()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async def connect(self, message: Message) -> tuple[int, Any]:
        """Open a WebSocket, and return 101 and what the handler says, or the status of the refusal and its body."""
        headers = {name.decode(): value.decode() for name, value in message.headers if name != b"host"}
        url = f"ws://127.0.0.1:{self.port}{message.target.decode()}"
        try:
            async with websockets.asyncio.client.connect(url, additional_headers=headers, proxy=None) as connection:
                said = json.loads(await connection.recv())
                await connection.wait_closed()  # a trio worker of hypercorn can end if both sides close at once
                return 101, said
        except InvalidStatus as refusal:
            return refusal.response.status_code, json.loads(refusal.response.body or b"null")
        except InvalidHandshake:
            return 0, None


async def _over_http_2(port: int, message: Message) -> Answer:
    """Send one request in clear text, with its body in pieces."""
    connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
    [host] = [value for name, value in message.headers if name == b"host"]
    pseudo = [
        (b":method", message.method.encode()),
        (b":scheme", b"http"),
        (b":authority", host),
        (b":path", message.target),
    ]
    body = [message.body[start : start + _PIECE] for start in range(0, len(message.body), _PIECE)]
    async with asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        connection.initiate_connection()
        fields = [*pseudo, *(pair for pair in message.headers if pair[0] not in (b"host", b"connection"))]
        connection.send_headers(1, fields, end_stream=not body)
        try:
            return await _exchange(connection, reader, writer, body)
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


async def _exchange(
    connection: h2.connection.H2Connection,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    body: list[bytes],
) -> Answer:
    headers: list[tuple[str, str]] = []
    received = b""
    while True:
        while body and connection.local_flow_control_window(1) >= len(body[0]):
            connection.send_data(1, body.pop(0), end_stream=not body)
        writer.write(connection.data_to_send())
        data = await reader.read(65_536)
        for event in connection.receive_data(data):
            if isinstance(event, h2.events.ResponseReceived):
                headers = [(str(name), str(value)) for name, value in event.headers or []]
            elif isinstance(event, h2.events.DataReceived):
                received += event.data or b""
            elif isinstance(event, h2.events.StreamEnded):
                return Answer(int(dict(headers)[":status"]), headers, received)
            elif isinstance(event, h2.events.StreamReset):
                return Answer(0, headers, received)
        if not data:
            return Answer(0, headers, received)
