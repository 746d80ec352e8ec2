"""A body that is received here, and then once more by the application: from memory, or from a temporary file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from tempfile import TemporaryFile
from typing import IO

from async_oauth1.asgi.event_loops import in_thread, time_limit
from async_oauth1.asgi.requests import Message, Receive, Scope
from async_oauth1.errors import InvalidRequestError
from async_oauth1.policy import Policy

from .pieces import read_pieces, too_large, too_slow

__all__ = ["ClientHasLeftError", "ReceivedBody", "check_length"]

#: Octets that are read from the file at once.
_PIECE = 256 * 1024


class ClientHasLeftError(Exception):
    """The client is gone, so no answer is sent."""


class ReceivedBody:
    """A body that is received before the application is called, as far as it must be.

    Attributes:
        received: whether something was received, and `receive_again` gives it back.
    """

    __slots__ = ("_ended", "_max_bytes", "_memory_limit", "_receive", "_size", "_spooled", "_timeout", "received")

    def __init__(
        self, receive: Receive, timeout: float, memory_limit: int = 1024 * 1024, max_bytes: int | None = None
    ) -> None:
        """Receive nothing yet.

        Args:
            receive: as the server passes it.
            timeout: seconds in which a form must have arrived, and the longest pause in any other body.
            memory_limit: octets of a hashed body that are kept in memory; the rest goes to a temporary file.
            max_bytes: of a hashed body; ``None`` for no limit.
        """
        self.received = False
        self._receive = receive
        self._timeout = timeout
        self._max_bytes = max_bytes
        self._ended = False
        self._size = 0
        self._memory_limit = memory_limit
        self._spooled: _Spool | None = None  # most requests need none

    async def read_form(self, policy: Policy) -> bytes:
        """Read a form within a policy's limits."""
        form = await self.read("form", policy.max_form_bytes, policy.max_parameters)
        self._spool.keep(form)
        return form

    async def read(self, what: str, max_bytes: int, max_parameters: int | None = None) -> bytes:
        """Read a body into memory; see `read_pieces`."""
        return await read_pieces(self, what, max_bytes=max_bytes, seconds=self._timeout, max_parameters=max_parameters)

    async def digest(self, algorithm: str) -> bytes:
        """Receive the body and return its hash.

        Raises:
            RequestTooLargeError: it is larger than the limit.
            InvalidRequestError: it has paused for too long.
        """
        hashed = hashlib.new(algorithm, usedforsecurity=False)
        await self.receive_rest(hashed.update)
        return hashed.digest()

    async def receive_rest(self, see: Callable[[bytes], object]) -> None:
        """Receive the rest of the body, and call a function with each piece; the errors are those of `digest`."""
        while not self._ended:
            piece = await self.next_piece()
            see(piece)
            await self._spool.add(piece)
        await self._spool.rewind()

    async def peek(self) -> bytes:
        """Receive until there is an octet, or the body has ended without one."""
        piece = b""
        while not (piece or self._ended):
            piece = await self.next_piece()
        self._spool.keep(piece)
        return piece

    async def next_piece(self) -> bytes:
        """Receive the next piece of a hashed body.

        Raises:
            RequestTooLargeError: the body is larger than the limit.
            InvalidRequestError: it has paused for too long.
        """
        try:
            async with time_limit(self._timeout):
                piece = await anext(self)
        except TimeoutError:
            raise too_slow("body") from None
        self._size += len(piece)
        if self._max_bytes is not None and self._size > self._max_bytes:
            raise too_large("body", self._max_bytes)
        return piece

    @property
    def _spool(self) -> _Spool:
        if self._spooled is None:
            self._spooled = _Spool(self._memory_limit)
        return self._spooled

    @property
    def ended(self) -> bool:
        """Whether the whole body has arrived."""
        return self._ended

    def __aiter__(self) -> ReceivedBody:
        return self

    async def __anext__(self) -> bytes:
        if self._ended:
            raise StopAsyncIteration
        message = await self._receive()
        if message["type"] != "http.request":
            raise ClientHasLeftError
        self.received = True
        self._ended = not message.get("more_body", False)
        piece: bytes = message.get("body", b"")
        return piece

    async def receive_again(self) -> Message:
        """The body, and then whatever the server says."""
        if not self.received:
            return await self._receive()
        piece = await self._spool.take()
        is_last = self._spool.is_in_memory or not piece
        self.received = not is_last
        return {"type": "http.request", "body": piece, "more_body": not (is_last and self._ended)}

    def close(self) -> None:
        """Remove the temporary file, if there is one."""
        if self._spooled is not None:
            self._spooled.close()


class _Spool:
    """Takes a body in pieces, and gives it back once. Reading and writing a file happens in threads."""

    def __init__(self, memory_limit: int) -> None:
        """Start empty.

        Args:
            memory_limit: octets that are kept in memory. If there are more, all go to a file without a name, which
                vanishes with the process if not before.
        """
        self._memory_limit = memory_limit
        self._pieces: list[bytes] = []
        self._size = 0
        self._file: IO[bytes] | None = None

    @property
    def is_in_memory(self) -> bool:
        """Whether there is no file."""
        return self._file is None

    async def add(self, piece: bytes) -> None:
        """Add a piece."""
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size > self._memory_limit:
            await self._flush()

    def keep(self, octets: bytes) -> None:
        """Add octets that stay in memory, however many they are: forms have a limit of their own."""
        self._pieces.append(octets)

    async def rewind(self) -> None:
        """End the body; the pieces can be taken from now on."""
        if self._file is not None:
            await self._flush()
            await in_thread(self._file.seek, 0)

    async def take(self) -> bytes:
        """Take the next piece; empty at the end."""
        if self._file is not None:
            return await in_thread(self._file.read, _PIECE)
        octets, self._pieces = b"".join(self._pieces), []
        return octets

    def close(self) -> None:
        """Remove the file."""
        self._pieces = []
        if self._file is not None:
            self._file.close()

    async def _flush(self) -> None:
        octets, self._pieces, self._size = b"".join(self._pieces), [], 0
        if self._file is None:
            self._file = await in_thread(TemporaryFile)
        await in_thread(self._file.write, octets)


def check_length(scope: Scope, length: int) -> None:
    """Refuse a form of which another middleware has kept a part: it is not taken for a shorter one.

    Raises:
        InvalidRequestError: Content-Length says something else.
    """
    for name, value in scope["headers"]:
        if name.lower() == b"content-length" and value.strip() != str(length).encode():
            if value.strip().isdigit() and int(value) == length:
                return
            raise InvalidRequestError(
                "The body is not as long as Content-Length says. Has another middleware read it before?"
            )
