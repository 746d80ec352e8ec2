"""Limiting open connections to the available file descriptors, by closing the longest silent one."""

from __future__ import annotations

import errno
import resource
import socket
import sys
import time
from contextlib import suppress
from typing import Any

from hypercorn.config import Config, Sockets

__all__ = ["Limit", "LimitedConfig", "is_accept_error", "raise_descriptor_limit", "report"]

#: Connections that the kernel queues while the workers are busy.
BACKLOG = 1024
#: How many connections asyncio accepts in a row. After an error it retries as many times.
ACCEPTED_AT_ONCE = 16
#: The soft limit of descriptors to set, unless the hard limit is lower.
DESCRIPTORS = 16_384
#: Descriptors reserved for stores, files and connections that are being closed; half of them for the latter.
KEPT_BACK = 192

_last_report = float("-inf")


def raise_descriptor_limit() -> int:
    """Raise the soft limit of descriptors, if the hard limit allows it; returns the soft limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):  # macOS refuses some values below its hard limit
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            return wanted
    return DESCRIPTORS if soft == resource.RLIM_INFINITY else soft


def report(text: str) -> None:
    """Write a line to stderr, at most one per second: these errors come by the thousand."""
    global _last_report  # noqa: PLW0603 - one stderr for the whole process
    now = time.monotonic()
    if now - _last_report >= 1:
        _last_report = now
        sys.stderr.write(f"photos: {text}\n")


def is_accept_error(context: dict[str, Any]) -> bool:
    """Whether asyncio's exception handler was called because no connection could be accepted."""
    error = context.get("exception")
    return isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class Limit:
    """The open connections of this process, and their limit."""

    def __init__(self, descriptors: int) -> None:
        """Reserve some of the descriptors for other purposes.

        Args:
            descriptors: how many this process may have open.
        """
        self.kept_back = min(KEPT_BACK, descriptors // 2)
        self.most = descriptors - self.kept_back
        self.connections: set[_Connection] = set()

    def make_room(self) -> bool:
        """Close the longest silent connection if the limit is reached; returns whether one more may be accepted."""
        if len(self.connections) < self.most:
            return True
        report(f"{self.most} connections are open, as many as the limit of descriptors allows: closing silent ones")
        if len(self.connections) >= self.most + self.kept_back // 2:
            return False  # too many closed connections have not been released yet
        silent = min((one for one in self.connections if not one.ending), key=lambda one: one.heard_at, default=None)
        if silent is not None:
            silent.end()
        return True


class _Connection(socket.socket):
    """A connection that records when its client last sent something."""

    limit: Limit | None = None
    heard_at = 0.0
    ending = False

    def begin(self, limit: Limit) -> None:
        """Count this connection until it is closed."""
        self.limit, self.heard_at = limit, time.monotonic()
        limit.connections.add(self)

    def recv(self, *arguments: Any) -> bytes:
        """Receive data, and record the time."""
        self.heard_at = time.monotonic()
        return super().recv(*arguments)

    def end(self) -> None:
        """Shut the connection down, so that hypercorn reads the end of it and closes it."""
        self.ending = True
        with suppress(OSError):
            self.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection, and make room for another."""
        if self.limit is not None:
            self.limit.connections.discard(self)
        super().close()


class _Listener(socket.socket):
    """A listening socket with a limit of connections."""

    limit: Limit

    def listen(self, _backlog: int = BACKLOG, /) -> None:
        """Listen with our own backlog; asyncio passes the number of connections to accept in a row."""
        super().listen(BACKLOG)

    def accept(self) -> tuple[socket.socket, Any]:
        """Accept a connection; closes the longest silent one if the limit is reached."""
        accepted, address = super().accept()
        if not self.limit.make_room():
            accepted.close()
            raise ConnectionAbortedError
        connection = _Connection(accepted.family, accepted.type, accepted.proto, accepted.detach())
        connection.begin(self.limit)
        return connection, address


class LimitedConfig(Config):
    """A configuration of hypercorn with a limit of connections."""

    backlog = ACCEPTED_AT_ONCE
    limit: Limit

    def create_sockets(self) -> Sockets:
        """The sockets of the configuration, with the limit."""
        sockets = super().create_sockets()
        return Sockets(sockets.secure_sockets, [self._limited(one) for one in sockets.insecure_sockets], [])

    def _limited(self, unlimited: socket.socket) -> _Listener:
        listener = _Listener(unlimited.family, unlimited.type, unlimited.proto, unlimited.detach())
        listener.settimeout(0)
        listener.limit = self.limit
        return listener
