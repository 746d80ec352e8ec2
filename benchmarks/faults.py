"""The behaviour of the stores when their servers fail: a Markdown table, measured on real servers.

    python -m benchmarks.faults [--rounds 3] [--downtime 3] [SCENARIO ...]

In every scenario, sixteen callers use one store, and two of them are cancelled in the middle of batches. The server
fails and recovers, and afterwards every nonce and every credential is used once more. Replays and lost tokens must be
0. The times depend on the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg

from async_oauth1.stores import open_store
from tests.servers import Postgres, SentinelTrio, Valkey, ValkeyCluster, wait_until
from tests.stores.faults import Account, under_load

TIMEOUT = 2.0
WARM_UP = 2.0

Damage = Callable[[Any, float], Awaitable[None]]


async def killed(server: Valkey | Postgres, downtime: float) -> None:
    """Kill the server with SIGKILL, and start it again later."""
    await asyncio.to_thread(server.kill)
    await asyncio.sleep(downtime)
    await asyncio.to_thread(server.start)


async def frozen(server: Valkey | Postgres, downtime: float) -> None:
    """Stop the server with SIGSTOP, and continue it later."""
    await asyncio.to_thread(server.freeze)
    await asyncio.sleep(downtime)
    await asyncio.to_thread(server.thaw)


async def full(server: Valkey, downtime: float) -> None:
    """Set the memory limit to what is in use, without eviction."""
    with server.client() as client:
        used = client.info("memory")["used_memory"]
        client.config_set("maxmemory", used)
        await asyncio.sleep(downtime)
        client.config_set("maxmemory", 0)


async def out_of_clients(server: Valkey, downtime: float) -> None:
    """Close all connections, and refuse new ones."""
    with server.client() as client:
        client.config_set("maxclients", 1)
        client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        await asyncio.sleep(downtime)
        client.config_set("maxclients", 10_000)


async def out_of_connections(server: Postgres, downtime: float) -> None:
    """Take all connections of the server, including those of the store."""
    others: list[asyncpg.Connection[Any]] = []
    throw_out = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE backend_type = 'client backend' AND application_name <> 'other'"""
    try:
        mended = asyncio.get_running_loop().time() + downtime
        while asyncio.get_running_loop().time() < mended:
            try:
                others.append(await asyncpg.connect(f"{server.url}&application_name=other"))
            except asyncpg.TooManyConnectionsError:
                await others[0].fetch(throw_out)
                await asyncio.sleep(0.02)
    finally:
        await asyncio.gather(*(other.close() for other in others))


async def nothing(_server: object, downtime: float) -> None:
    """Cause no fault: there are only the callers that are cancelled."""
    await asyncio.sleep(downtime)


async def sentinel_killed(trio: SentinelTrio, _downtime: float) -> None:
    """Kill the master, and wait until the Sentinels have elected another."""
    old = trio.master_port()
    await asyncio.to_thread(trio.node(old).kill)
    await asyncio.to_thread(wait_until, lambda: trio.master_port() != old, "there is another master")


async def sentinel_frozen(trio: SentinelTrio, _downtime: float) -> None:
    """Stop the master until another is elected; when it continues, it does not know of that yet."""
    old = trio.master_port()
    await asyncio.to_thread(trio.node(old).freeze)
    await asyncio.to_thread(wait_until, lambda: trio.master_port() != old, "there is another master")
    await asyncio.to_thread(trio.node(old).thaw)


class WaitsForAll(SentinelTrio):
    """Three Sentinels and a master, both of whose replicas must confirm each write."""

    @property
    def url(self) -> str:
        """The URL, with ``wait_replicas``."""
        return f"{super().url}?wait_replicas=2"


async def sentinel_relieved(trio: SentinelTrio, _downtime: float) -> None:
    """Fail over to another master while the old one is running."""
    old = trio.master_port()
    await asyncio.to_thread(trio.failover)
    await asyncio.to_thread(wait_until, lambda: trio.master_port() != old, "there is another master")


async def cluster_killed(cluster: ValkeyCluster, _downtime: float) -> None:
    """Kill a master, and wait until its replica takes over."""
    await asyncio.to_thread(cluster.masters[2].kill)
    await asyncio.to_thread(wait_until, lambda: cluster.is_master(cluster.nodes[5]), "its replica took over")


async def cluster_frozen(cluster: ValkeyCluster, downtime: float) -> None:
    """Stop a master, and continue it some time after its replica has taken over."""
    await asyncio.to_thread(cluster.masters[2].freeze)
    await asyncio.to_thread(wait_until, lambda: cluster.is_master(cluster.nodes[5]), "its replica took over")
    await asyncio.sleep(downtime)
    await asyncio.to_thread(cluster.masters[2].thaw)


SCENARIOS: dict[str, tuple[str, Callable[[], Any], Damage]] = {
    "valkey-kill": (
        "Valkey, `appendfsync always`: SIGKILL, started again",
        lambda: Valkey("--appendfsync", "always"),
        killed,
    ),
    "valkey-freeze": ("Valkey: SIGSTOP", Valkey, frozen),
    "valkey-full": ("Valkey: maxmemory reached, noeviction", Valkey, full),
    "valkey-clients": ("Valkey: connection limit reached", Valkey, out_of_clients),
    "valkey-hangups": ("Valkey: nothing but callers that hang up", Valkey, nothing),
    "postgres-kill": ("PostgreSQL: SIGKILL, started again", Postgres, killed),
    "postgres-freeze": ("PostgreSQL: SIGSTOP", Postgres, frozen),
    "postgres-connections": (
        "PostgreSQL: connection limit reached",
        lambda: Postgres("-c", "max_connections=20"),
        out_of_connections,
    ),
    "postgres-hangups": ("PostgreSQL: nothing but callers that hang up", Postgres, nothing),
    "sentinel-kill": ("Sentinel: the master dies, failover", SentinelTrio, sentinel_killed),
    "sentinel-freeze": ("Sentinel: the master stops, failover, it comes back", SentinelTrio, sentinel_frozen),
    "sentinel-failover": ("Sentinel: a failover for maintenance, `wait_replicas=2`", WaitsForAll, sentinel_relieved),
    "cluster-kill": ("Cluster: a master dies, failover", lambda: ValkeyCluster(1), cluster_killed),
    "cluster-freeze": ("Cluster: a master stops, failover, it comes back", lambda: ValkeyCluster(1), cluster_frozen),
}


async def run(make_server: Callable[[], Any], damage: Damage, downtime: float) -> Account:
    """Run one round of a scenario."""
    server = await asyncio.to_thread(make_server)
    try:
        store = open_store(f"{server.url}{'&' if '?' in server.url else '?'}timeout={TIMEOUT}")
        await store.migrate()
        async with store, under_load(store, warm_up=WARM_UP) as account:
            await damage(server, downtime)
        return account
    finally:
        server.close()


async def main(names: list[str], rounds: int, downtime: float) -> bool:
    """Print the table; returns whether no nonce was accepted twice and no token was lost."""
    print("| fault | rounds | answered | refused | replays | lost | slowest refusal | longest stall | back after |")
    print("|---|---|---|---|---|---|---|---|---|")
    safe = True
    for name in names:
        title, make_server, damage = SCENARIOS[name]
        accounts = [await run(make_server, damage, downtime) for _ in range(rounds)]
        replays = sum(account.replays + account.taken_twice for account in accounts)
        lost = sum(account.lost + len(account.errors) for account in accounts)
        safe = safe and not replays and not lost and all(account.is_audited for account in accounts)
        cells = [
            title,
            rounds,
            sum(len(account.accepted) + len(account.taken) for account in accounts),
            sum(account.refused for account in accounts),
            replays,
            lost,
            f"{max(account.slowest_refusal for account in accounts):.2f} s of {TIMEOUT:g} s",
            f"{max(account.longest_stall for account in accounts) * 1000:.0f} ms",
            f"{max(account.back_after or 0.0 for account in accounts):.2f} s",
        ]
        print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)
    return safe


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("scenario", nargs="*", metavar="SCENARIO", help=f"all, or some of {', '.join(SCENARIOS)}")
    parser.add_argument("--rounds", type=int, default=3, help="of each scenario")
    parser.add_argument("--downtime", type=float, default=3.0, help="seconds")
    options = parser.parse_args()
    if unknown := set(options.scenario) - SCENARIOS.keys():
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}")
    logging.disable(logging.WARNING)
    sys.exit(not asyncio.run(main(options.scenario or list(SCENARIOS), options.rounds, options.downtime)))
