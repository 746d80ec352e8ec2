"""No more connections than there are descriptors for, so that a crowd of idle ones leaves room for others."""

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

#: Connections that the kernel keeps while the workers are busy.
BACKLOG = 1024
#: How many asyncio accepts in a row. Its own backlog is as many, and it retries each of them after an error.
ACCEPTED_AT_ONCE = 16
#: Descriptors that are asked for, if the system's hard limit allows as many.
DESCRIPTORS = 16_384
#: Descriptors kept back for stores, files and connections that are being closed; half of them for the latter.
KEPT_BACK = 192

_last_report = float("-inf")


def raise_descriptor_limit() -> int:
    """Raise the soft limit as far as the hard one allows; returns the soft limit that holds."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):  # macOS refuses some that it says it allows
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            return wanted
    return DESCRIPTORS if soft == resource.RLIM_INFINITY else soft


def report(text: str) -> None:
    """Say on stderr what is short; at most one line a second, since it happens by the thousand."""
    global _last_report  # noqa: PLW0603 - one stderr for the whole process
    now = time.monotonic()
    if now - _last_report >= 1:
        _last_report = now
        sys.stderr.write(f"photos: {text}\n")


def is_accept_error(context: dict[str, Any]) -> bool:
    """Whether asyncio's exception handler is told that no connection could be accepted."""
    error = context.get("exception")
    return isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class Limit:
    """The open connections of this process, and how many there may be."""

    def __init__(self, descriptors: int) -> None:
        """Leave some of the descriptors to others.

        Args:
            descriptors: how many this process may have open.
        """
        self.kept_back = min(KEPT_BACK, descriptors // 2)
        self.most = descriptors - self.kept_back
        self.connections: set[_Connection] = set()

    def make_room(self) -> bool:
        """Close the connection that has been silent longest, if there are too many; whether one more has room."""
        if len(self.connections) < self.most:
            return True
        report(f"{self.most} connections are open, as many as the limit of descriptors allows: closing silent ones")
        if len(self.connections) >= self.most + self.kept_back // 2:
            return False  # those that were told to end have not all done so
        silent = min((one for one in self.connections if not one.ending), key=lambda one: one.heard_at, default=None)
        if silent is not None:
            silent.end()
        return True


class _Connection(socket.socket):
    """One that knows when its client was last heard."""

    limit: Limit | None = None
    heard_at = 0.0
    ending = False

    def begin(self, limit: Limit) -> None:
        """Count it until it is closed."""
        self.limit, self.heard_at = limit, time.monotonic()
        limit.connections.add(self)

    def recv(self, *arguments: Any) -> bytes:
        """Receive, and remember when."""
        self.heard_at = time.monotonic()
        return super().recv(*arguments)

    def end(self) -> None:
        """Let its owner read the end of it, and close it."""
        self.ending = True
        with suppress(OSError):
            self.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close it, and make room for another one."""
        if self.limit is not None:
            self.limit.connections.discard(self)
        super().close()


class _Listener(socket.socket):
    """A listening socket that keeps to a limit."""

    limit: Limit

    def listen(self, _backlog: int = BACKLOG, /) -> None:
        """Listen with the kernel's backlog; asyncio's is for its own loop."""
        super().listen(BACKLOG)

    def accept(self) -> tuple[socket.socket, Any]:
        """Accept a connection, in place of the one that has been silent longest if there are too many."""
        accepted, address = super().accept()
        if not self.limit.make_room():
            accepted.close()
            raise ConnectionAbortedError
        connection = _Connection(accepted.family, accepted.type, accepted.proto, accepted.detach())
        connection.begin(self.limit)
        return connection, address


class LimitedConfig(Config):
    """A configuration of hypercorn whose sockets keep to a limit."""

    backlog = ACCEPTED_AT_ONCE
    limit: Limit

    def create_sockets(self) -> Sockets:
        """The sockets of the configuration, limited."""
        sockets = super().create_sockets()
        return Sockets(sockets.secure_sockets, [self._limited(one) for one in sockets.insecure_sockets], [])

    def _limited(self, unlimited: socket.socket) -> _Listener:
        listener = _Listener(unlimited.family, unlimited.type, unlimited.proto, unlimited.detach())
        listener.settimeout(0)
        listener.limit = self.limit
        return listener
