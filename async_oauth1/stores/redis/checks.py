"""Checks whether a Redis server is configured to keep nonces.

The checks read INFO and not CONFIG GET, which managed services often forbid.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from async_oauth1.errors import StoreError
from async_oauth1.stores.change_feed import one_line_reason, root_cause
from async_oauth1.stores.health.tls import unreadable_file

from .url import TLS_FILES, Address, RedisSettings

__all__ = ["check_server", "opening_error"]

#: A server that expects TLS hangs up at a command.
_HUNG_UP = re.compile(r"reset|closed", re.IGNORECASE)

_log = logging.getLogger(__name__)


def check_server(
    settings: RedisSettings, address: Address, info: Mapping[str, Any], warned: set[tuple[Address, str]]
) -> None:
    """Refuse an unsuitable server, and warn if it may lose nonces.

    Args:
        settings: of the store.
        address: of the server.
        info: its answer to INFO.
        warned: what was logged before and is not logged again; new warnings are added.

    Raises:
        StoreError: it is a node of a Cluster and the URL is not, it is a replica, or it may evict nonces.
    """
    if info.get("cluster_enabled") and settings.kind != "cluster":
        raise StoreError(f"{settings.url}: the server is a node of a Cluster; use redis+cluster:// in the URL")
    if info.get("role") == "slave":
        raise StoreError(f"{settings.url}: the server is a replica; connect to its master")
    warnings = _persistence(info) + _eviction(settings, address, info)
    for warning in warnings:
        if (address, warning) not in warned:
            warned.add((address, warning))
            _log.warning("Redis %s:%d: %s", *address, warning)


def opening_error(settings: RedisSettings, error: BaseException) -> StoreError:
    """The error for servers that cannot be reached, with a hint if TLS may be the reason.

    Args:
        settings: of the store.
        error: of the connection.
    """
    files = {name: path for name, path in settings.tls.items() if name in TLS_FILES}
    reason = unreadable_file(files) or one_line_reason(error)
    cause = root_cause(error)
    if settings.tls and isinstance(cause, (TimeoutError, RedisTimeoutError)):
        # A server that expects commands waits for the end of a line, which TLS need not send.
        reason += "; the URL asks for TLS, so the server must speak TLS on this port"
    elif (
        not settings.tls and isinstance(cause, (ConnectionResetError, RedisConnectionError)) and _HUNG_UP.search(reason)
    ):
        reason += "; if the server speaks TLS on this port, use rediss:// or tls=1"
    return StoreError(f"{settings.url}: {reason}")


def _persistence(info: Mapping[str, Any]) -> list[str]:
    if info.get("aof_enabled", 1):
        return []
    return ["appendonly is off, so a restart loses nonces and captured requests can be replayed"]


def _eviction(settings: RedisSettings, address: Address, info: Mapping[str, Any]) -> list[str]:
    policy = info.get("maxmemory_policy")
    if policy is None:
        return [
            "INFO has no maxmemory_policy; make sure that it is noeviction, since a full server loses nonces otherwise"
        ]
    if policy == "noeviction":
        return []
    if info.get("maxmemory", 1) and not settings.eviction_allowed:
        raise StoreError(
            f"{settings.url}: {address[0]}:{address[1]}: maxmemory-policy is {policy}, so a full server evicts "
            "nonces and captured requests can be replayed; use CONFIG SET maxmemory-policy noeviction (and put it "
            "into the server's configuration), or accept the risk with eviction=allowed in the URL"
        )
    return [f"maxmemory-policy is {policy}, so a full server evicts nonces and captured requests can be replayed"]
