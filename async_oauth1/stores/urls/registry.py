"""The backends, one entry each: which URLs they are for, and where their classes are; and URLs without passwords.

Nothing is imported before a URL asks for it, so a driver is only needed by the backend that uses it.
"""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any, NamedTuple
from urllib.parse import unquote_plus

from async_oauth1.errors import StoreError

__all__ = ["BACKENDS", "Backend", "backend_of", "import_class", "redact_url", "shown_name"]


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


def redact_url(url: str) -> str:
    """The URL on one line and without passwords, for messages and logs.

    If a mistake makes it unclear where a password is, such as an unescaped ``@``, ``/`` or ``?``, a third slash, or a
    missing host, too much is hidden.
    """
    printable = "".join(char if char.isprintable() else "?" for char in url)
    head, separator, rest = printable.partition("://")
    if not separator:
        head, rest = "", _SETTING.sub(r"\1=***", printable)
    shown = rest if head.lower() == "sqlite" else _without_password(head.lower(), rest)
    return f"{head}{separator}{_OPTION.sub(_redact_option, shown)}"


def _without_password(scheme: str, rest: str) -> str:
    """What follows the scheme, without the password in front of the host."""
    location = rest.lstrip("/")
    slashes = rest[: len(rest) - len(location)]
    if "@" not in location:
        misplaced = None if slashes else _NO_PORT.match(location)
        return f"{misplaced[1]}:***{location[misplaced.end() :]}" if misplaced else rest
    credentials, _, after = location.rpartition("@")
    user, colon, _ = credentials.partition(":")
    if colon:
        return f"{slashes}{user}:***@{after}"
    # A single name is a user in PostgreSQL alone. After three slashes there is a path, and perhaps an option with "@".
    return rest if slashes or scheme.startswith("postgres") else f"***@{after}"


def shown_name(name: str, shown: str) -> str:
    """An option's name for a message that shows a redacted URL; "?" if the URL hides the name."""
    return name if name.isprintable() and name in shown else "?"


# An option and what follows it without "=": the rest of a value with an unescaped "&".
_OPTION = re.compile(r"([?&;])([^=&;]*)=[^&;]*(?:[&;][^=&;]*(?=[&;]|$))*")
_SECRET_NAME = re.compile(r"(?i)pass|pwd|secret|token|key|auth|cred")
# In a text that is no URL, such as libpq's other form: "host=db password='...'".
_SETTING = re.compile(r"(?i)(\b\w*(?:pass|pwd|secret)\w*)\s*=\s*(?:'[^']*'?|\S+)")
# What is in the place of a port but is no number may be the password of a URL that lacks its host.
_NO_PORT = re.compile(r"(\[[^\]]*\]|[^:/?\[]*):(?!\d*(?:[,/?]|$))[^/?]*")


def _redact_option(option: re.Match[str]) -> str:
    """Hide the value of an option that names a secret, also if the name has escapes or stands within the value."""
    names = option[0].rpartition("=")[0]
    return f"{option[1]}{option[2]}=***" if _SECRET_NAME.search(unquote_plus(names)) else option[0]
