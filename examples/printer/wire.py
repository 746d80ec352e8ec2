"""An HTTP transport that prints each message exactly as it was sent or received.

On a terminal, messages are printed in panels; otherwise, their octets are printed unchanged.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
from typing import NamedTuple

import h11
import httpx2
from rich.console import Console
from rich.panel import Panel
from rich.text import Text

#: Seconds to wait for a response.
TIMEOUT = 15.0
_CHUNK = 64 * 1024
#: Characters of a page to print on a terminal.
_SHOWN_OF_HTML = 200


class Heading(NamedTuple):
    """What happens in a step: a title, and a sentence or two."""

    title: str
    text: str


class Wire(httpx2.AsyncBaseTransport):
    """A transport for httpx2 with a connection for each request, which prints the messages and the steps."""

    def __init__(self, *, colored: bool = True) -> None:
        """Print to standard output, in colours if it is a terminal."""
        self.console = Console(highlight=False, color_system="auto" if colored else None)
        self.steps = 0
        #: The step that begins when a request has been sent.
        self.answer: Heading | None = None
        #: The secrets that the next request is signed with: the client's, and the token's.
        self.secrets: tuple[str, str] = ("", "")
        #: The octets of every request, in the order sent.
        self.sent: list[bytes] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request, and print it and its response."""
        octets, connection = await serialized(request)
        self.sent.append(octets)
        self.show(octets, "sent to", request.url)
        if self.answer:
            self.step(self.answer)
        try:
            async with asyncio.timeout(TIMEOUT):
                received, response = await exchanged(request.url, octets, connection)
        except TimeoutError:
            raise httpx2.ReadTimeout(f"{request.url} did not answer in {TIMEOUT:.0f} seconds") from None
        except (OSError, h11.RemoteProtocolError) as error:
            raise httpx2.ReadError(f"{request.url}: {error}") from error
        self.show(received, "received from", request.url)
        return response

    def step(self, heading: Heading, answer: Heading | None = None) -> None:
        """Print the title of the next step; ``answer`` is the step that begins when its request has been sent."""
        self.steps += 1
        self.answer = answer
        title = heading.title
        if self.console.is_terminal:
            self.console.print()
            self.console.rule(Text(f"{self.steps}. {title}", style="bold"), align="left")
        else:
            self._write(f"\n== {self.steps}. {title}\n".encode())

    def print_photo(self, text: str) -> None:
        """Print what the printer got."""
        self.tell(text)

    def tell(self, text: str) -> None:
        """Print a remark, on a line of its own."""
        if self.console.is_terminal:
            self.console.print(Text(text, style="bold green"))
        else:
            self._write(f"{text}\n".encode())

    def show(self, octets: bytes, direction: str, url: httpx2.URL) -> None:
        """Print a message."""
        title = f"{direction} {url.netloc.decode()}"
        if not self.console.is_terminal:
            self._write(f"-- {title}\n".encode() + octets + b"\n")
            return
        text = octets.replace(b"\r\n", b"\n").decode("utf-8", "replace").strip()
        head, _, body = text.partition("\n\n")
        if body.startswith("<!doctype html>") and len(body) > _SHOWN_OF_HTML:
            text = f"{head}\n\n{body[:_SHOWN_OF_HTML]} … and {len(body) - _SHOWN_OF_HTML} more characters of the page"
        style = "cyan" if direction.startswith("sent") else "magenta"
        self.console.print(Panel(Text(text, overflow="fold"), title=title, title_align="left", border_style=style))

    @staticmethod
    def _write(octets: bytes) -> None:
        sys.stdout.flush()
        sys.stdout.buffer.write(octets)
        sys.stdout.buffer.flush()


async def serialized(request: httpx2.Request) -> tuple[bytes, h11.Connection]:
    """The octets of a request, and the state of its connection."""
    body = await request.aread()
    connection = h11.Connection(h11.CLIENT)
    head = h11.Request(method=request.method, target=request.url.raw_path, headers=request.headers.raw)
    events = [head, h11.Data(data=body), h11.EndOfMessage()] if body else [head, h11.EndOfMessage()]
    return b"".join(connection.send(event) or b"" for event in events), connection


async def exchanged(url: httpx2.URL, octets: bytes, connection: h11.Connection) -> tuple[bytes, httpx2.Response]:
    """Send the octets of a request; returns the octets of the response, and the parsed response."""
    port = url.port or (443 if url.scheme == "https" else 80)
    tls = ssl.create_default_context() if url.scheme == "https" else None
    reader, writer = await asyncio.open_connection(url.host, port, ssl=tls)
    received, head, body = bytearray(), None, bytearray()
    try:
        writer.write(octets)
        await writer.drain()
        while not isinstance(event := connection.next_event(), h11.EndOfMessage):
            if event is h11.NEED_DATA:
                chunk = await reader.read(_CHUNK)
                received += chunk
                connection.receive_data(chunk)
            elif isinstance(event, h11.Response):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
    finally:
        writer.close()
    if head is None:
        raise h11.RemoteProtocolError("the connection was closed before the answer")
    return bytes(received), httpx2.Response(head.status_code, headers=list(head.headers), content=bytes(body))
