"""The PostgreSQL store's URL: a libpq URL, with options for the pool in its query."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlencode

from async_oauth1.errors import StoreError
from async_oauth1.stores.base import is_text
from async_oauth1.stores.urls.redaction import redact_url, shown_name

__all__ = ["PostgresSettings"]

_MAX_TIMEOUT = 3600.0

# Options that both libpq and asyncpg understand, and server settings that are common in URLs. asyncpg sends any other
# option to the server as a setting, so a misspelt one must be found here.
_PASSED_ON = frozenset(
    {
        "application_name",
        "database",
        "dbname",
        "gsslib",
        "host",
        "krbsrvname",
        "options",
        "passfile",
        "password",
        "port",
        "search_path",
        "service",
        "servicefile",
        "ssl_max_protocol_version",
        "ssl_min_protocol_version",
        "sslcert",
        "sslcrl",
        "sslkey",
        "sslmode",
        "sslnegotiation",
        "sslpassword",
        "sslrootcert",
        "target_session_attrs",
        "user",
    }
)


_TLS_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
#: The modes in which asyncpg checks the server's certificate if it has an authority's.
_CHECKING = ("require", "verify-ca", "verify-full")
_TLS_FILES = ("sslrootcert", "sslcert", "sslkey", "sslcrl")


@dataclass(frozen=True, slots=True)
class PostgresSettings:
    """Where the server is, and how many connections may be made to it.

    Attributes:
        url: printable.
        dsn: what asyncpg connects with.
        min_size: connections that are kept open.
        max_size: connections at most. Three of them (or all but one, if there are fewer) are reserved for look-ups,
            nonces and ``ping``; all other statements share the rest.
        timeout: seconds that a call may take, including a new connection.
        connect_timeout: seconds that a new connection may take. This is libpq's option; asyncpg does not have it.
        statement_cache_size: prepared statements per connection. Use 0 behind a pgbouncer that pools transactions and
            does not keep prepared statements: one older than 1.21, or one with ``max_prepared_statements`` at 0, the
            default before 1.24.
        files: paths of certificates and keys, by the names of their options.
    """

    url: str
    dsn: str = field(default="", repr=False)
    min_size: int = 1
    max_size: int = 10
    timeout: float = 5.0
    connect_timeout: float = 5.0
    statement_cache_size: int = 100
    files: dict[str, str] = field(default_factory=dict[str, str], repr=False)

    @classmethod
    def from_url(cls, url: str) -> PostgresSettings:
        """Read ``postgresql://user@host/database?host=/folder/of/socket&max_size=20``.

        Raises:
            StoreError: the URL is not valid.
        """
        shown = redact_url(url)
        location, _, query = url.partition("?")
        if not is_text(unquote(location, errors="surrogateescape")):
            raise StoreError(f"{shown}: holds a NUL character or octets that are not UTF-8")
        passed_on: list[tuple[str, str]] = []
        own: dict[str, float] = {}
        for name, value in parse_qsl(query, keep_blank_values=True, errors="surrogateescape"):
            if name in _LIMITS:
                own[name] = _number(name, value, shown)
            elif name in _PASSED_ON and not is_text(value):
                raise StoreError(f"{shown}: {name} holds a NUL character or octets that are not UTF-8")
            elif name in _PASSED_ON:
                passed_on.append((name, value))
            else:
                unknown = shown_name(name, shown)
                raise StoreError(
                    f'{shown}: there is no option "{unknown}"; known are libpq\'s and {", ".join(_LIMITS)}'
                )
        _check_tls(dict(passed_on), shown)
        # asyncpg accepts the scheme only in lower case.
        dsn = f"postgresql{location[location.index(':') :]}"
        timeout = own.get("timeout", 5.0)
        settings = cls(
            url=shown,
            dsn=f"{dsn}?{urlencode(passed_on)}" if passed_on else dsn,
            min_size=int(own.get("min_size", min(1, own.get("max_size", 1)))),
            max_size=int(own.get("max_size", 10)),
            timeout=timeout,
            connect_timeout=min(
                own.get("connect_timeout") or timeout, timeout
            ),  # 0 means that only `timeout` limits it
            statement_cache_size=int(own.get("statement_cache_size", 100)),
            files={name: value for name, value in passed_on if name in _TLS_FILES},
        )
        if settings.min_size > settings.max_size:
            raise StoreError(f"{shown}: min_size is above max_size")
        return settings


def _check_tls(options: dict[str, str], shown: str) -> None:
    """Refuse what asyncpg would misunderstand, or ignore in silence.

    Raises:
        StoreError: there is no such mode; it checks no certificate, although the URL names an authority for it; or it
            checks the certificate, and no authority is named.
    """
    mode = options.get("sslmode", os.environ.get("PGSSLMODE", "prefer"))
    if mode not in _TLS_MODES:
        raise StoreError(f"{shown}: sslmode must be one of {', '.join(_TLS_MODES)}")
    service = options.get("service") or os.environ.get("PGSERVICE")  # its file may name the mode and the authority
    is_mode_known = "sslmode" in options or not service
    if "sslrootcert" in options and is_mode_known and mode not in _CHECKING:
        raise StoreError(f"{shown}: sslrootcert has no effect with sslmode={mode}; use sslmode=verify-full")
    named = options.get("sslrootcert") or os.environ.get("PGSSLROOTCERT") or service
    if mode.startswith("verify-") and not named and not _has_own_authority():
        raise StoreError(
            f"{shown}: sslmode={mode} needs sslrootcert, the file of the authority that signs the server's certificate"
        )


def _has_own_authority() -> bool:
    """Whether the user of this process has a file with authorities where libpq looks for it."""
    try:
        return (Path.home() / ".postgresql" / "root.crt").exists()
    except RuntimeError:  # the user has no home folder, as in some containers
        return False


#: The pool's options: minimum, maximum, and whether the value is a whole number.
_LIMITS = {
    "min_size": (0, 1000, True),
    "max_size": (1, 1000, True),
    "timeout": (0.001, _MAX_TIMEOUT, False),
    "connect_timeout": (0, _MAX_TIMEOUT, True),
    "statement_cache_size": (0, 10_000, True),
}


def _number(name: str, value: str, shown: str) -> float:
    least, greatest, whole = _LIMITS[name]
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not least <= number <= greatest or (whole and number != int(number)):
        kind = "a whole number" if whole else "a number of seconds"
        raise StoreError(f"{shown}: {name} is {kind} from {least} to {greatest:g}")
    return number
