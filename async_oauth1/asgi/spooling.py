"""Keeps a body while it is verified: a small one in memory, a large one in a temporary file."""

from __future__ import annotations

import asyncio
from tempfile import TemporaryFile
from typing import IO

__all__ = ["Spool"]

#: Octets that are read from the file at once.
_PIECE = 256 * 1024


class Spool:
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

    async def rewind(self) -> None:
        """End the body; the pieces can be taken from now on."""
        if self._file is not None:
            await self._flush()
            await asyncio.to_thread(self._file.seek, 0)

    async def take(self) -> bytes:
        """Take the next piece; empty at the end."""
        if self._file is not None:
            return await asyncio.to_thread(self._file.read, _PIECE)
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
            self._file = await asyncio.to_thread(TemporaryFile)
        await asyncio.to_thread(self._file.write, octets)
