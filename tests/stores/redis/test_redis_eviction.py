"""A Redis server that may evict nonces is refused when a store opens, unless the URL allows it."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from async_oauth1.stores import StoreError, open_store
from tests.servers import Valkey, ValkeyCluster, patient

pytestmark = [pytest.mark.filterwarnings("default::ResourceWarning"), pytest.mark.usefixtures("collected")]


@pytest.fixture(scope="module")
def server() -> Iterator[Valkey]:
    """A server with a memory limit."""
    server = Valkey("--maxmemory", "100mb")
    yield server
    server.close()


def _set_policy(server: Valkey, policy: str) -> None:
    with server.client() as client:
        client.config_set("maxmemory-policy", policy)


@pytest.mark.parametrize("policy", ["allkeys-lru", "allkeys-random", "volatile-lru", "volatile-ttl"])
async def test_eviction_is_refused(server: Valkey, policy: str) -> None:
    """Nonces expire, so every policy but noeviction may evict them; the error says what to do."""
    _set_policy(server, policy)
    for use in ("open", "migrate"):
        with pytest.raises(StoreError) as caught:
            await getattr(open_store(patient(server.url)), use)()
        message = str(caught.value)
        assert f"maxmemory-policy is {policy}" in message
        assert f"127.0.0.1:{server.port}" in message
        assert "CONFIG SET maxmemory-policy noeviction" in message
        assert "eviction=allowed" in message
        assert "\n" not in message


async def test_noeviction_is_accepted(server: Valkey, caplog: pytest.LogCaptureFixture) -> None:
    """The first remedy in the error message works, without a warning."""
    _set_policy(server, "noeviction")
    with caplog.at_level(logging.WARNING):
        async with open_store(patient(server.url)) as store:
            await store.ping()
    assert caplog.text == ""


async def test_eviction_is_allowed_by_the_url(server: Valkey, caplog: pytest.LogCaptureFixture) -> None:
    """The other remedy works as well, with a warning."""
    _set_policy(server, "allkeys-lru")
    with caplog.at_level(logging.WARNING):
        async with open_store(f"{patient(server.url)}&eviction=allowed") as store:
            await store.ping()
    assert "maxmemory-policy is allkeys-lru, so a full server evicts nonces" in caplog.text


async def test_every_node_of_a_cluster_is_checked(cluster: ValkeyCluster) -> None:
    """A Cluster is refused if one of its nodes may evict nonces."""
    node = cluster.masters[2]
    _set_policy(node, "volatile-lru")
    with node.client() as client:
        client.config_set("maxmemory", "100mb")
    try:
        with pytest.raises(StoreError, match=f"127.0.0.1:{node.port}: maxmemory-policy is volatile-lru"):
            await open_store(patient(cluster.url)).open()
    finally:
        _set_policy(node, "noeviction")
        with node.client() as client:
            client.config_set("maxmemory", "0")


async def test_config_is_not_needed(server: Valkey) -> None:
    """The check works for a user without the right to use CONFIG, as on managed services."""
    _set_policy(server, "allkeys-lru")
    with server.client() as client:
        client.execute_command("ACL", "SETUSER", "jane", "reset", "on", ">hunter2", "~*", "+@all", "-config")
    url = patient(f"redis://jane:hunter2@127.0.0.1:{server.port}")
    with pytest.raises(StoreError, match="maxmemory-policy is allkeys-lru") as caught:
        await open_store(url).open()
    assert "hunter2" not in str(caught.value)
    _set_policy(server, "noeviction")
    async with open_store(url) as store:
        await store.ping()


@pytest.mark.parametrize("value", ["", "yes", "Allowed", "1"])
def test_the_option_has_two_values(value: str) -> None:
    """Other values are refused."""
    with pytest.raises(StoreError, match="eviction must be refused or allowed"):
        open_store(f"redis://127.0.0.1?eviction={value}")
