"""What a Redis server has to be like to keep nonces, by what it says in INFO.

INFO rather than CONFIG GET: managed services often forbid CONFIG.
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
    """Refuse an unsuitable server; warn of one that may lose nonces that it has confirmed.

    Args:
        settings: the store's.
        address: of the server.
        info: its answer to INFO.

    Raises:
        StoreError: it is part of a Cluster, unlike the URL, it is a replica, or it may evict nonces.
    """
    if info.get("cluster_enabled") and settings.kind != "cluster":
        raise StoreError(f"{settings.url}: is a node of a Cluster; its URL begins with redis+cluster://")
    if info.get("role") == "slave":
        raise StoreError(f"{settings.url}: is a replica; connect to its master")
    if not info.get("aof_enabled", 1):
        _warn(address, "appendonly is off: a restart forgets nonces, which can then be replayed")
    _check_eviction(settings, address, info)


def _check_eviction(settings: RedisSettings, address: Address, info: Mapping[str, Any]) -> None:
    policy = info.get("maxmemory_policy")
    if policy is None:
        _warn(address, "does not tell its maxmemory-policy; any other than noeviction forgets nonces")
    elif policy != "noeviction":
        if info.get("maxmemory", 1) and not settings.eviction_allowed:
            raise StoreError(
                f"{settings.url}: {address[0]}:{address[1]}: maxmemory-policy is {policy}: a full server forgets "
                "nonces, which can then be replayed; use CONFIG SET maxmemory-policy noeviction (and put it into the "
                "server's configuration), or accept the risk with eviction=allowed in the URL"
            )
        _warn(address, f"maxmemory-policy is {policy}: a full server forgets nonces")


def _warn(address: Address, message: str) -> None:
    _log.warning("Redis %s:%d: %s", *address, message)
