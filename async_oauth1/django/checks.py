"""System checks: what ``manage.py check`` says of a configuration that is wrong or unsafe."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, cast

from django.conf import settings
from django.core.cache import caches
from django.core.cache.backends.base import InvalidCacheBackendError
from django.core.cache.backends.db import DatabaseCache
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.checks import CheckMessage, Error, Warning  # noqa: A004 - Django's class, which checks must return
from django.core.exceptions import ImproperlyConfigured

from .caches import database_of
from .configuration import SETTING, known_keys, read_configuration

__all__ = ["check_cache", "check_models", "check_proxy", "check_setting"]

_SHARED = 'Use Redis, Memcached or the database cache, or the setting "nonces": "models" and ModelAuthorizationServer.'
#: A database cache with fewer entries drops nonces that are still needed: they are kept for hours.
_FEWEST_ENTRIES = 100_000


def check_setting(*_: Any, **__: Any) -> list[CheckMessage]:
    """The setting has known keys and valid values."""
    try:
        policy = read_configuration(("HMAC-SHA1",)).policy
    except ImproperlyConfigured as error:
        return [Error(str(error), id="async_oauth1.E001")]
    found: list[CheckMessage] = []
    unknown = sorted(str(key) for key in set(_given()) - known_keys())
    if unknown:
        known = ", ".join(sorted(known_keys()))
        found.append(
            Warning(
                f"{SETTING} has unknown keys: {', '.join(unknown)}.", hint=f"Known: {known}.", id="async_oauth1.W001"
            )
        )
    if "PLAINTEXT" in policy.signature_methods:
        hint = "Accept it only for clients that cannot sign otherwise, and only over https."
        found.append(Warning("PLAINTEXT signs nothing of a request.", hint=hint, id="async_oauth1.W002"))
    if not policy.require_https and not settings.DEBUG:
        found.append(Warning("require_https is off: tokens can be read on the way.", id="async_oauth1.W003"))
    return found


def check_cache(*_: Any, **__: Any) -> list[CheckMessage]:
    """The cache exists, takes atomic steps, and does not drop what is needed."""
    try:
        configuration = read_configuration(("HMAC-SHA1",))
    except ImproperlyConfigured:
        return []  # reported by the first check
    if configuration.nonces != "cache":
        return []
    alias = configuration.cache
    try:
        cache = caches[alias]
    except InvalidCacheBackendError as error:
        return [Error(f"{SETTING}: {error}", hint='Set "cache" to an alias in CACHES.', id="async_oauth1.E002")]
    return list(_cache_problems(alias, cache))


def _cache_problems(alias: str, cache: object) -> Iterator[CheckMessage]:
    if isinstance(cache, DummyCache):
        yield Error(
            f"The cache {alias!r} keeps nothing, so requests are refused.", hint=_SHARED, id="async_oauth1.E003"
        )
    elif isinstance(cache, FileBasedCache):
        what = f"add() of the file-based cache {alias!r} is not atomic, so requests are refused."
        yield Error(what, hint=_SHARED, id="async_oauth1.E004")
    elif isinstance(cache, LocMemCache):
        what = f"The cache {alias!r} is in local memory: a second process would accept a request again."
        yield Warning(what, hint=_SHARED, id="async_oauth1.W004")
    elif isinstance(cache, DatabaseCache) and getattr(cache, "_max_entries", 0) < _FEWEST_ENTRIES:
        what = f"The database cache {alias!r} drops live nonces once it has MAX_ENTRIES entries (300 by default)."
        hint = f'Set OPTIONS["MAX_ENTRIES"] to {_FEWEST_ENTRIES} or more, or use "nonces": "models".'
        yield Warning(what, hint=hint, id="async_oauth1.W005")


def check_models(*_: Any, **__: Any) -> list[CheckMessage]:
    """Nonces in a database do not depend on the view's transaction."""
    using = _nonce_databases()
    found: list[CheckMessage] = []
    if atomic := _databases(using, "ATOMIC_REQUESTS", default=False, wanted=True):
        what = f"ATOMIC_REQUESTS of {atomic} costs a second connection for each nonce in the database."
        found.append(Warning(what, hint="Keep nonces in Redis or Memcached.", id="async_oauth1.W006"))
    if manual := _databases(using, "AUTOCOMMIT", default=True, wanted=False):
        what = f"AUTOCOMMIT of {manual} is off, which costs a second connection for each nonce in the database."
        found.append(Warning(what, hint="Keep nonces in Redis or Memcached.", id="async_oauth1.W009"))
    return found


def _nonce_databases() -> Collection[str]:
    """The databases that may keep nonces."""
    if _given().get("nonces") == "models":
        return set(settings.DATABASES)
    try:
        cache = caches[_given().get("cache") or "default"]
    except (InvalidCacheBackendError, TypeError):
        return ()  # reported by another check
    return {database_of(cache)} if isinstance(cache, DatabaseCache) else ()


def _databases(using: Collection[str], name: str, *, default: bool, wanted: bool) -> str:
    """The names of databases with this value of a setting."""
    found = (alias for alias in sorted(using) if bool(settings.DATABASES[alias].get(name, default)) is wanted)
    return ", ".join(found)


def check_proxy(*_: Any, **__: Any) -> list[CheckMessage]:
    """The scheme that clients sign can be found behind a proxy, in one way only."""
    given = _given()
    if settings.SECURE_PROXY_SSL_HEADER and (given.get("trusted_proxies") or given.get("external_base_url")):
        what = f"SECURE_PROXY_SSL_HEADER and {SETTING} both say how the scheme is found."
        return [Warning(what, hint="Use one of them.", id="async_oauth1.W007")]
    if settings.SECURE_SSL_REDIRECT and not (
        settings.SECURE_PROXY_SSL_HEADER or given.get("trusted_proxies") or given.get("external_base_url")
    ):
        what = "Behind a proxy that ends TLS, signatures over https would be checked over http."
        hint = f'Set SECURE_PROXY_SSL_HEADER, or "trusted_proxies" or "external_base_url" in {SETTING}.'
        return [Warning(what, hint=hint, id="async_oauth1.W008")]
    return []


def _given() -> Mapping[str, Any]:
    given: Any = getattr(settings, SETTING, {})
    return cast("Mapping[str, Any]", given) if isinstance(given, Mapping) else {}
