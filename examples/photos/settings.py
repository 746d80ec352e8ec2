"""The settings, from the command line and the environment."""

from __future__ import annotations

import argparse
import os
import secrets
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import NoReturn
from urllib.parse import urlsplit

from async_oauth1 import SIGNATURE_METHODS, OAuth1Error, Policy
from async_oauth1.protocol.request import normalize_host

__all__ = ["Settings", "SettingsError", "read_settings"]

LOG_LEVELS = ("debug", "info", "warning", "error")
_MIN_KEY = 32


class SettingsError(Exception):
    """One-line error for the operator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of this provider.

    Attributes:
        host: name or address to listen on.
        port: 0 for a free one.
        store: URL of the store for clients, users and token credentials; may contain a password.
        nonces: URL of the store for nonces and temporary credentials.
        workers: number of processes.
        external_base_url: the URL that clients and browsers use, if there is a proxy in front.
        session_key: signs the session cookie; the same in all workers.
        demo_data: add the demo user and client even if other machines can connect.
        log_level: ``debug``, ``info``, ``warning`` or ``error``.
        trusted_proxies: networks of proxies whose ``X-Forwarded-For`` is used to count sign-ins per address.
        limits: URL at which requests are counted; ``None`` for no limits.
        guide: print how to use the provider when it listens.
        metrics_token: what a request for ``/metrics`` has to present; empty to serve them to this machine alone.
    """

    host: str
    port: int
    store: str = field(repr=False)
    nonces: str = field(repr=False)
    workers: int
    external_base_url: str | None
    session_key: str = field(repr=False)
    demo_data: bool = False
    trusted_proxies: tuple[str, ...] = ()
    limits: str | None = field(default=None, repr=False)
    guide: bool = False
    log_level: str = "info"
    metrics_token: str = field(default="", repr=False)

    @property
    def policy(self) -> Policy:
        """The library's policy for this provider: all signature methods, and its URL."""
        return Policy(
            realm="Photos",
            signature_methods=tuple(SIGNATURE_METHODS),
            external_base_url=self.external_base_url,
        )

    @property
    def is_https(self) -> bool:
        """Whether browsers use https, so that the cookie can be restricted to it."""
        return (self.external_base_url or "").lower().startswith("https:")

    @property
    def is_local(self) -> bool:
        """Whether only this machine can connect: it listens on loopback, and no proxy is configured."""
        if self.is_https or self.trusted_proxies:
            return False
        try:
            found = socket.getaddrinfo(self.host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        except (OSError, UnicodeError):
            return False  # `listen` raises the error
        return all(ip_address(str(address[0]).partition("%")[0]).is_loopback for *_, address in found)

    @property
    def cookie_name(self) -> str:
        """The session cookie's name. Browsers accept ``__Host-`` only over https and with the path ``/``."""
        return "__Host-photos_session" if self.is_https else "photos_session"

    @property
    def cookie_path(self) -> str:
        """The session cookie's path: the provider's own, or ``/`` if the cookie's name requires it."""
        return "/" if self.is_https else self.path_prefix or "/"

    @property
    def path_prefix(self) -> str:
        """The part of the path that a proxy removes, without a slash at the end."""
        return urlsplit(self.external_base_url or "").path.rstrip("/")


class _Parser(argparse.ArgumentParser):
    """Raises `SettingsError` instead of printing the usage and exiting."""

    def error(self, message: str) -> NoReturn:
        raise SettingsError(message)


def _make_parser() -> _Parser:
    parser = _Parser(prog="photos", description="Example OAuth 1.0 provider: serves Jane's photos.")
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="name or address to listen on (%(default)s)")
    add("--port", type=int, default=8000, help="0 for a free one (%(default)s)")
    add("--store", metavar="URL", help="clients, users, tokens (PHOTOS_STORE or sqlite:///photos.db)")
    add("--nonces", metavar="URL", help="nonces, temporary credentials (PHOTOS_NONCES or the same as --store)")
    add("--workers", type=int, default=1, metavar="N", help="number of processes (%(default)s)")
    add(
        "--external-base-url", metavar="URL", help="the URL that clients use, behind a proxy (PHOTOS_EXTERNAL_BASE_URL)"
    )
    add(
        "--demo-data",
        action="store_true",
        help="add the demo user and client even if not on loopback (PHOTOS_DEMO_DATA=1)",
    )
    add(
        "--trusted-proxies",
        metavar="NETWORKS",
        help="proxies whose X-Forwarded-For is trusted (PHOTOS_TRUSTED_PROXIES)",
    )
    add("--limits", metavar="URL", help="limit clients and addresses: memory:// or redis://... (PHOTOS_LIMITS)")
    add("--guide", action="store_true", help="also print how to use the provider, as on a terminal")
    add("--log-level", choices=LOG_LEVELS, default="info", help="of the log on standard error (%(default)s)")
    return parser


def read_settings(arguments: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings from the command line and, for missing options, from the environment.

    Args:
        arguments: without the program's name; ``None`` for those of the process.
        environ: the environment.

    Raises:
        SettingsError: a value is missing, malformed or out of range.
    """
    options = _make_parser().parse_args(arguments)
    # An empty flag is not replaced by the environment: a script's unset variable must not select another store.
    store = options.store
    if store is None:
        store = environ.get("PHOTOS_STORE") or "sqlite:///photos.db"
    nonces = options.nonces
    if nonces is None:
        nonces = environ.get("PHOTOS_NONCES") or store
    settings = Settings(
        host=options.host,
        port=options.port,
        store=store,
        nonces=nonces,
        workers=options.workers,
        external_base_url=options.external_base_url or environ.get("PHOTOS_EXTERNAL_BASE_URL") or None,
        session_key=environ.get("PHOTOS_SESSION_KEY") or secrets.token_hex(32),
        metrics_token=environ.get("PHOTOS_METRICS_TOKEN") or "",
        demo_data=options.demo_data or _switch(environ, "PHOTOS_DEMO_DATA"),
        guide=options.guide or sys.stdout.isatty(),
        log_level=options.log_level,
        limits=options.limits or environ.get("PHOTOS_LIMITS") or None,
        trusted_proxies=_networks(options.trusted_proxies or environ.get("PHOTOS_TRUSTED_PROXIES") or ""),
    )
    _check(settings)
    return settings


def _networks(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    try:
        for name in names:
            ip_network(name)
    except ValueError as error:
        raise SettingsError(f"--trusted-proxies must be a list of networks such as 10.0.0.0/8,::1: {error}") from error
    return names


def _switch(environ: Mapping[str, str], name: str) -> bool:
    value = environ.get(name, "0").strip().lower()
    if value in ("1", "true", "yes", "on"):
        return True
    if value in ("", "0", "false", "no", "off"):
        return False
    raise SettingsError(f"{name} must be 1 or 0, not {value!r}")


def _check(settings: Settings) -> None:
    if not 0 <= settings.port <= 65535:
        raise SettingsError(f"--port must be from 0 to 65535, not {settings.port}")
    for option, url in (("--store", settings.store), ("--nonces", settings.nonces)):
        if not url:
            raise SettingsError(f"{option} is empty; give a URL, or leave the option out for the default")
    if settings.workers < 1:
        raise SettingsError(f"--workers must be at least 1, not {settings.workers}")
    for name, key in (("PHOTOS_SESSION_KEY", settings.session_key), ("PHOTOS_METRICS_TOKEN", settings.metrics_token)):
        if len(key) < _MIN_KEY and (key or name == "PHOTOS_SESSION_KEY"):
            raise SettingsError(f"{name} must have at least {_MIN_KEY} characters")
    try:
        settings.policy, settings.path_prefix  # noqa: B018 - raises for an invalid URL
        if settings.external_base_url:
            parts = urlsplit(settings.external_base_url)
            normalize_host(parts.netloc, parts.scheme)
    except ValueError as error:
        raise SettingsError(f"--external-base-url: {error}") from error
    except OAuth1Error as error:
        raise SettingsError("--external-base-url: the host or port is malformed") from error
