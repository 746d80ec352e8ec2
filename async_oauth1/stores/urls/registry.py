"""The backends, one entry each: which URLs they are for, and where their classes are.

Nothing is imported before a URL asks for it, so a driver is only needed by the backend that uses it.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, NamedTuple

from async_oauth1.errors import StoreError

from .redaction import redact_url

__all__ = ["BACKENDS", "Backend", "backend_of", "import_class"]


class Backend(NamedTuple):
    """One backend.

    Attributes:
        schemes: of its URLs, in lower case.
        package: its folder in ``async_oauth1.stores``, and the extra that installs its driver.
        store: the store's class, in that package.
        driver: the package that the class imports.
        change_feed: the change feed's class, in the package's module ``change_feed``; empty if there is none.
        is_cacheable: whether the feed reports every change to the store, so that ``cache=NUMBER`` may be in a URL.
    """

    schemes: tuple[str, ...]
    package: str
    store: str
    driver: str
    change_feed: str = ""
    is_cacheable: bool = False


_REDIS_SCHEMES = ("redis", "rediss", "redis+sentinel", "redis+cluster")

#: Add a backend here. `MemoryStore` is not one of them, since it has no URL to read.
BACKENDS = (
    Backend(("sqlite",), "sqlite", "SQLiteStore", "aiosqlite"),
    Backend(
        ("postgresql", "postgres"), "postgres", "PostgresStore", "asyncpg", "PostgresChangeFeed", is_cacheable=True
    ),
    Backend(_REDIS_SCHEMES, "redis", "RedisStore", "redis", "RedisChangeFeed"),
)


def backend_of(url: str) -> Backend | None:
    """The backend that a URL's scheme names; ``None`` if there is no such backend."""
    scheme, separator, _ = url.partition("://")
    return next((backend for backend in BACKENDS if separator and scheme.lower() in backend.schemes), None)


def import_class(backend: Backend, module: str, name: str, url: str) -> Any:
    """Import a class of a backend.

    Args:
        backend: whose class.
        module: relative to ``async_oauth1.stores``.
        name: of the class.
        url: for the message; passwords are hidden.

    Raises:
        StoreError: the driver is not installed.
    """
    try:
        return getattr(import_module(f"async_oauth1.stores.{module}"), name)
    except ModuleNotFoundError as error:
        if error.name != backend.driver:
            raise
        install = f'install "async-oauth1[{backend.package}]"'
        raise StoreError(f"{redact_url(url)}: needs {backend.driver}; {install}") from None
