"""Stores: where clients, credentials and nonces are kept.

`open_store` makes the store that a URL names. To write a store of your own, derive it from `BaseStore` and give it the
methods of `TransientStore` or `Store`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from async_oauth1.errors import StoreError, StoreUnavailableError
from async_oauth1.provider.approval.scopes import granted_scope_of
from async_oauth1.provider.records.audit import Actor, AuditEvent, acting_as

from .administration.interface import AdministersClients
from .administration.paging import Page
from .auditing.interface import KeepsAuditTrail
from .base import (
    GONE,
    BaseStore,
    check_text,
    is_text,
    new_temporary_credential,
    new_token_credential,
    nonce_key,
    nonce_seconds,
    required_text,
    user_id_of,
)
from .caching.store import CachingStore, open_change_feed
from .encryption import keys_from_environment
from .interfaces import Store, TransientStore
from .memory.store import MemoryStore
from .urls.redaction import redact_url
from .urls.registry import BACKENDS, backend_of, import_class
from .uses.exchanges import MarksExchanges
from .uses.last_use import LastUse, RecordsUses

__all__ = [
    "GONE",
    "Actor",
    "AdministersClients",
    "AuditEvent",
    "BaseStore",
    "KeepsAuditTrail",
    "LastUse",
    "MarksExchanges",
    "MemoryStore",
    "Page",
    "RecordsUses",
    "Store",
    "StoreError",
    "StoreUnavailableError",
    "TransientStore",
    "acting_as",
    "check_text",
    "granted_scope_of",
    "is_text",
    "new_temporary_credential",
    "new_token_credential",
    "nonce_key",
    "nonce_seconds",
    "open_store",
    "required_text",
    "user_id_of",
]

# Ten million entries are 10 GB.
_MAX_CACHE_DIGITS = 8


def open_store(
    url: str,
    *,
    nonce_lifetime: int | None = None,
    clock: Callable[[], float] = time.time,
    keys: Sequence[str] | None = None,
) -> Store | Any:
    """Make the store that a URL names. Nothing is connected to, read or created yet.

    Args:
        url: ``memory://``; ``sqlite:///relative.db`` or ``sqlite:////absolute/path.db``; ``postgresql://`` as libpq
            reads it; ``redis://host:port/db``, ``rediss://``, ``redis+sentinel://host:port,host:port/service``,
            ``redis+cluster://host:port,host:port``. Each store's class lists the options in the query.
            ``postgresql://`` also takes ``cache=NUMBER``: so many clients and so many tokens are cached, see
            `CachingStore`. The URL must then lead straight to the server, without a pooler in between.
        nonce_lifetime: seconds; ``None`` for what the servers' policies need.
        clock: Unix time, in seconds. Redis uses its own.
        keys: encrypt secrets, newest first; ``None`` for the keys in the environment variable ``ASYNC_OAUTH1_KEYS``,
            separated by commas. Without any key, secrets are stored as plain text.

    Returns:
        A `Store`; for Redis only a `TransientStore`, which keeps no clients and no token credentials. Type checkers
        cannot read the URL and take the result for a `Store`: use ``isinstance(store, Store)`` if the URL comes from
        a configuration.

    Raises:
        StoreError: the URL or one of the keys is not valid. The message is one line and shows no password and no key.
    """
    keys = keys_from_environment() if keys is None else keys
    scheme, separator, rest = url.partition("://")
    if separator and scheme.lower() == "memory":
        if rest:
            raise StoreError(f"{redact_url(url)}: memory:// takes neither a name nor options")
        return MemoryStore(nonce_lifetime=nonce_lifetime, clock=clock, keys=keys)
    backend = backend_of(url)
    if backend is None:
        raise StoreError(f"{redact_url(url)}: not a store URL; known are {_known_schemes()}")
    url, max_entries = _split_cache_option(url) if backend.is_cacheable else (url, 0)
    store_class = import_class(backend, backend.package, backend.store, url)
    store = store_class(url, nonce_lifetime=nonce_lifetime, clock=clock, keys=keys)
    return CachingStore(store, open_change_feed(url), max_entries=max_entries, clock=clock) if max_entries else store


def _known_schemes() -> str:
    schemes = ["memory", *(scheme for backend in BACKENDS for scheme in backend.schemes)]
    return ", ".join(f"{scheme}://" for scheme in schemes)


def _split_cache_option(url: str) -> tuple[str, int]:
    """The URL without the option ``cache``, and the option's value; 0 if it is not there."""
    location, _, query = url.partition("?")
    options = query.split("&") if query else []
    values = [option.removeprefix("cache=") for option in options if option.startswith("cache=")]
    if not values:
        return url, 0
    value = values[-1]
    if not (value.isascii() and value.isdigit() and len(value) <= _MAX_CACHE_DIGITS):
        raise StoreError(
            f"{redact_url(url)}: cache is a number of entries with at most {_MAX_CACHE_DIGITS} digits; 0 for no cache"
        )
    left = "&".join(option for option in options if not option.startswith("cache="))
    return f"{location}?{left}" if left else location, int(value)
