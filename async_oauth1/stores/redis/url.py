"""The Redis store's URL: one server, Sentinels with the name of a service, or some nodes of a Cluster."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote

from async_oauth1.errors import StoreError
from async_oauth1.stores.base import is_text
from async_oauth1.stores.urls.redaction import redact_url, shown_name

__all__ = ["TLS_FILES", "Address", "RedisSettings"]

Kind = Literal["single", "sentinel", "cluster"]
Address = tuple[str, int]

_KINDS: dict[str, Kind] = {
    "redis": "single",
    "rediss": "single",
    "redis+sentinel": "sentinel",
    "redis+cluster": "cluster",
}
_DEFAULT_PORTS = {"single": 6379, "sentinel": 26379, "cluster": 6379}
#: The options that name files.
TLS_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
_TLS_OPTIONS = (*TLS_FILES, "ssl_cert_reqs")
_OPTIONS = (
    "timeout",
    "max_connections",
    "prefix",
    "provider",
    "wait_replicas",
    "eviction",
    "tls",
    *_TLS_OPTIONS,
    "sentinel_username",
    "sentinel_password",
)
# In bytes. Every key has the prefix, so a long one costs memory. It has no "{": a Cluster would hash only what follows.
_MAX_PREFIX = 64
_MAX_PROVIDER = 255


@dataclass(frozen=True, slots=True)
class RedisSettings:
    """The addresses of the servers, and the options of a store.

    Attributes:
        url: printable.
        kind: of the deployment.
        addresses: of the server, of the Sentinels, or of some nodes of the Cluster.
        service: the name of the master at the Sentinels.
        database: a number.
        login: user name and password, for the client library.
        sentinel_login: the same for Sentinels.
        tls: options of the client library.
        timeout: seconds that any one call may take, including a new connection.
        max_connections: to each server. Nonces need one; the others serve temporary credentials.
        prefix: of every key; ends with a colon.
        provider: the owner of the temporary credentials; if empty, the prefix is used.
        wait_replicas: replicas that must confirm each write. If a master has fewer, all of them must.
        eviction_allowed: accept servers that may evict nonces.
    """

    url: str
    kind: Kind
    addresses: tuple[Address, ...]
    service: str = ""
    database: int = 0
    login: dict[str, Any] = field(default_factory=dict[str, Any], repr=False)
    sentinel_login: dict[str, Any] = field(default_factory=dict[str, Any], repr=False)
    tls: dict[str, Any] = field(default_factory=dict[str, Any])
    timeout: float = 2.0
    max_connections: int = 20
    prefix: bytes = b"oauth1:"
    provider: str = ""
    wait_replicas: int = 0
    eviction_allowed: bool = False

    @classmethod
    def from_url(cls, url: str) -> RedisSettings:
        """Parse a URL such as ``redis+sentinel://user:password@host:port,host:port/service?timeout=1``.

        Raises:
            StoreError: the URL is not valid.
        """
        shown = redact_url(url)
        scheme, _, rest = url.partition("://")
        kind = _KINDS[scheme.lower()]
        location, _, query = rest.partition("?")
        userinfo, _, after = location.rpartition("@")
        hosts, _, path = after.partition("/")
        options = _options(query, shown)
        service, database = _service_and_database(kind, unquote(path), shown)
        return cls(
            url=shown,
            kind=kind,
            addresses=tuple(_address(host, _DEFAULT_PORTS[kind], shown) for host in hosts.split(",")),
            service=service,
            database=database,
            login=_login(userinfo, shown),
            sentinel_login={
                name.removeprefix("sentinel_"): options[name]
                for name in ("sentinel_username", "sentinel_password")
                if name in options
            },
            tls=_tls(options, shown, always=scheme.lower() == "rediss"),
            timeout=_number(options, "timeout", 2.0, (0.001, 3600.0), shown),
            max_connections=int(_number(options, "max_connections", 20, (1, 10_000), shown, whole=True)),
            prefix=_prefix(options.get("prefix", "oauth1:"), shown),
            provider=_provider(options.get("provider", ""), shown),
            wait_replicas=int(
                _number(options, "wait_replicas", 0 if kind == "single" else 1, (0, 100), shown, whole=True)
            ),
            eviction_allowed=_eviction(options.get("eviction", "refused"), shown),
        )


def _options(query: str, shown: str) -> dict[str, str]:
    options = dict(parse_qsl(query, keep_blank_values=True))
    for name in options:
        if name not in _OPTIONS:
            unknown = shown_name(name, shown)
            raise StoreError(f'{shown}: there is no option "{unknown}"; the options are {", ".join(_OPTIONS)}')
    return options


def _service_and_database(kind: Kind, path: str, shown: str) -> tuple[str, int]:
    service = ""
    if kind == "sentinel":
        service, _, path = path.partition("/")
        if not service or not is_text(service):
            raise StoreError(f"{shown}: a Sentinel URL is redis+sentinel://host:port,host:port/service")
    if kind == "cluster" and path not in ("", "0"):
        raise StoreError(f"{shown}: a Cluster has only database 0")
    if path and not (path.isascii() and path.isdigit() and len(path) <= 5):
        raise StoreError(f"{shown}: the database must be a number of up to 5 digits")
    return service, int(path or 0)


def _address(text: str, default_port: int, shown: str) -> Address:
    host, separator, port = text.rpartition(":")
    if not separator or text.endswith("]"):
        host, port = text, str(default_port)
    host = unquote(host.removeprefix("[").removesuffix("]"))
    if not host or not host.isprintable():
        raise StoreError(f"{shown}: a host name is missing or not printable")
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65_536):
        raise StoreError(f"{shown}: a port must be a number from 1 to 65535")
    return host, int(port)


def _login(userinfo: str, shown: str) -> dict[str, Any]:
    if not userinfo:
        return {}
    username, colon, password = userinfo.partition(":")
    if not colon or not password:
        raise StoreError(
            f"{shown}: a user name without a password; write user:password@, or :password@ for a password alone"
        )
    login = {"password": unquote(password)}
    return {"username": unquote(username), **login} if username else login


def _tls(options: dict[str, str], shown: str, *, always: bool) -> dict[str, Any]:
    wanted = options.get("tls", "1" if always else "0")
    if wanted not in ("0", "1") or (always and wanted == "0"):
        raise StoreError(f"{shown}: tls must be 0 or 1, and with rediss:// always 1")
    given = {name: options[name] for name in _TLS_OPTIONS if name in options}
    if wanted == "0":
        if given:
            raise StoreError(f"{shown}: {next(iter(given))} requires tls=1 or rediss://")
        return {}
    if given.get("ssl_cert_reqs", "required") not in ("required", "optional", "none"):
        raise StoreError(f"{shown}: ssl_cert_reqs must be required, optional or none")
    return {"ssl": True, "ssl_check_hostname": given.get("ssl_cert_reqs", "required") != "none", **given}


def _prefix(text: str, shown: str) -> bytes:
    if not text.isprintable() or not is_text(text) or len(text.encode()) > _MAX_PREFIX or "{" in text:
        raise StoreError(f'{shown}: prefix must be at most {_MAX_PREFIX} printable bytes without "{{"')
    # Without a separator, keys of the prefix "x" could begin with "xt", which may be another provider's prefix.
    return text.removesuffix(":").encode() + b":"


def _provider(text: str, shown: str) -> str:
    if not text.isprintable() or not is_text(text) or len(text.encode()) > _MAX_PROVIDER:
        raise StoreError(f"{shown}: provider must be at most {_MAX_PROVIDER} printable bytes")
    return text


def _eviction(text: str, shown: str) -> bool:
    if text not in ("refused", "allowed"):
        raise StoreError(f"{shown}: eviction must be refused or allowed")
    return text == "allowed"


def _number(
    options: dict[str, str], name: str, default: float, limits: tuple[float, float], shown: str, *, whole: bool = False
) -> float:
    try:
        number = float(options.get(name, default))
    except ValueError:
        number = math.nan
    if not limits[0] <= number <= limits[1] or (whole and number != int(number)):
        kind = "a whole number" if whole else "a number of seconds"
        raise StoreError(f"{shown}: {name} must be {kind} from {limits[0]:g} to {limits[1]:g}")
    return number
