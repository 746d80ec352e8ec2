"""Checks whether a Redis server is configured to keep nonces.

The checks read INFO and not CONFIG GET, which managed services often forbid.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from async_oauth1.errors import StoreError

from .url import Address, RedisSettings

__all__ = ["check_server"]

_log = logging.getLogger(__name__)


def check_server(settings: RedisSettings, address: Address, info: Mapping[str, Any]) -> None:
    """Refuse an unsuitable server, and warn if it may lose nonces.

    Args:
        settings: of the store.
        address: of the server.
        info: its answer to INFO.

    Raises:
        StoreError: it is a node of a Cluster and the URL is not, it is a replica, or it may evict nonces.
    """
    if info.get("cluster_enabled") and settings.kind != "cluster":
        raise StoreError(f"{settings.url}: the server is a node of a Cluster; use redis+cluster:// in the URL")
    if info.get("role") == "slave":
        raise StoreError(f"{settings.url}: the server is a replica; connect to its master")
    if not info.get("aof_enabled", 1):
        _warn(address, "appendonly is off, so a restart loses nonces and captured requests can be replayed")
    _check_eviction(settings, address, info)


def _check_eviction(settings: RedisSettings, address: Address, info: Mapping[str, Any]) -> None:
    policy = info.get("maxmemory_policy")
    if policy is None:
        _warn(
            address,
            "INFO has no maxmemory_policy; make sure that it is noeviction, since a full server loses nonces otherwise",
        )
    elif policy != "noeviction":
        if info.get("maxmemory", 1) and not settings.eviction_allowed:
            raise StoreError(
                f"{settings.url}: {address[0]}:{address[1]}: maxmemory-policy is {policy}, so a full server evicts "
                "nonces and captured requests can be replayed; use CONFIG SET maxmemory-policy noeviction (and put it "
                "into the server's configuration), or accept the risk with eviction=allowed in the URL"
            )
        _warn(
            address,
            f"maxmemory-policy is {policy}, so a full server evicts nonces and captured requests can be replayed",
        )


def _warn(address: Address, message: str) -> None:
    _log.warning("Redis %s:%d: %s", *address, message)
