"""Memcached."""

from __future__ import annotations

import os
import shutil
import socket

from .processes import Server, free_ports


def memcached_binary() -> str | None:
    """The Memcached server that the environment or the system offers."""
    return os.environ.get("MEMCACHED") or shutil.which("memcached")


class Memcached(Server):
    """The system's Memcached."""

    def __init__(self, megabytes: int = 16) -> None:
        """Start it.

        Args:
            megabytes: that it keeps before it drops live entries.
        """
        super().__init__()
        self.port = free_ports(1)[0]
        self.megabytes = megabytes
        self.start()

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        """The server, in the foreground."""
        binary = memcached_binary()
        assert binary is not None
        user = ["-u", "nobody"] if os.geteuid() == 0 else []
        return [binary, *user, "-l", "127.0.0.1", "-p", str(self.port), "-m", str(self.megabytes), "-t", "1"]

    def answers(self) -> bool:
        """Whether it takes commands."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.settimeout(1)
                connection.sendall(b"version\r\n")
                return connection.recv(64).startswith(b"VERSION")
        except OSError:
            return False
