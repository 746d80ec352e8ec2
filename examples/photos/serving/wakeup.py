"""A socket that becomes readable when the process receives a signal, so that a wait for other events ends."""

from __future__ import annotations

import signal
import socket
from collections.abc import Generator
from contextlib import contextmanager, suppress

__all__ = ["drain", "wakeup_descriptor"]


@contextmanager
def wakeup_descriptor() -> Generator[socket.socket]:
    """The socket to wait for. Signals need a handler in Python."""
    reader, writer = socket.socketpair()
    with reader, writer:
        reader.settimeout(0)
        writer.settimeout(0)
        former = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        try:
            yield reader
        finally:
            signal.set_wakeup_fd(former)


def drain(reader: socket.socket) -> None:
    """Read what signals have written."""
    with suppress(BlockingIOError):
        while reader.recv(4096):
            pass
