"""A MariaDB server for tests."""

from __future__ import annotations

import os
import shutil
import subprocess
from itertools import count

from .processes import Server, free_ports

#: Each process of a test run may have a server.
_SMALL = "--innodb-buffer-pool-size=16M"


def mariadb_binary() -> str | None:
    """Return the path of the system's MariaDB; Debian installs it outside a user's PATH."""
    path = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin"
    return os.environ.get("MARIADBD") or shutil.which("mariadbd", path=path)


class MariaDB(Server):
    """A MariaDB server of the system, with a socket in its folder and a port on the loopback interface.

    Attributes:
        port: On which it listens.
    """

    def __init__(self, *options: str) -> None:
        """Create an empty server and start it.

        Args:
            options: Options of the server's command line, such as ``--sql-mode=``.
        """
        super().__init__()
        self.options = options
        self._numbers = count(1)
        self._user = ["--user=root"] if os.geteuid() == 0 else []  # it refuses to run as root unasked
        # Its own: a server that starts removes temporary tables from its folder, and would remove another server's.
        self._temporary = f"--tmpdir={self.folder}/tmp"
        (self.folder / "tmp").mkdir()
        # By force: without it, a machine whose name cannot be resolved at the moment gets no database.
        install = ["mariadb-install-db", "--no-defaults", "--force", "--auth-root-authentication-method=normal"]
        quick = ["--skip-test-db", "--skip-name-resolve", "--innodb-flush-log-at-trx-commit=0", _SMALL]
        quick += [self._temporary]
        self.install([*install, *quick, *self._user, f"--datadir={self.folder}/data"])
        self.port = free_ports(1)[0]  # now, because the installation takes seconds, in which a port could be taken
        self.start()

    def sqlalchemy_url(self, database: str, driver: str = "mysql+aiomysql") -> str:
        """The URL of a database, for SQLAlchemy."""
        return f"{driver}://root@127.0.0.1:{self.port}/{database}?charset=utf8mb4"

    def new_database(self) -> str:
        """Create an empty database, and return its name."""
        name = f"test_{next(self._numbers)}"
        self.sql(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        return name

    def sql(self, statements: str) -> str:
        """Run statements with the command line client, and return its output without headings."""
        command = ["mariadb", "--no-defaults", f"--socket={self.folder}/socket", "--user=root", "--batch"]
        done = subprocess.run(
            [*command, "--skip-column-names", f"--execute={statements}"], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def command(self) -> list[str]:
        """The command that runs the server. A commit survives SIGKILL, but does not wait for the disk."""
        binary = mariadb_binary()
        assert binary is not None
        where = [f"--datadir={self.folder}/data", f"--socket={self.folder}/socket", f"--pid-file={self.folder}/pid"]
        listen = ["--bind-address=127.0.0.1", f"--port={self.port}", "--skip-name-resolve", "--skip-log-bin"]
        light = [_SMALL, self._temporary, "--innodb-flush-log-at-trx-commit=2", "--innodb-doublewrite=0"]
        return [binary, "--no-defaults", *self._user, *where, *listen, *light, *self.options]

    def answers(self) -> bool:
        """Return whether it accepts connections."""
        ping = ["mariadb-admin", "--no-defaults", f"--socket={self.folder}/socket", "--user=root", "ping"]
        return subprocess.run(ping, capture_output=True, check=False).returncode == 0
