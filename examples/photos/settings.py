"""What the command line and the environment say."""

from __future__ import annotations

import argparse
import os
import secrets
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import NoReturn
from urllib.parse import urlsplit

from async_oauth1 import SIGNATURE_METHODS, OAuth1Error, Policy
from async_oauth1.protocol.request import normalize_host

__all__ = ["Settings", "SettingsError", "read_settings"]

_MIN_SESSION_KEY = 32


class SettingsError(Exception):
    """One line for who started the provider."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How this provider runs.

    Attributes:
        host: name or address to listen on.
        port: 0 for any free one.
        store: URL of clients, users and token credentials; may hold a password.
        nonces: URL of nonces and temporary credentials.
        workers: how many processes serve.
        external_base_url: what Jane and clients see, where a proxy stands in front.
        session_key: signs the session cookie; the same in all workers.
        demo_data: add the story's user and client although others can reach this provider.
        trusted_proxies: networks whose ``X-Forwarded-For`` says where a request comes from; sign-ins are counted by it.
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

    @property
    def policy(self) -> Policy:
        """The library's rules for this provider: every signature method it ships, and its own URL."""
        return Policy(
            realm="Photos",
            signature_methods=tuple(SIGNATURE_METHODS),
            external_base_url=self.external_base_url,
        )

    @property
    def is_https(self) -> bool:
        """Whether browsers come by https, so that the cookie may ask for it."""
        return (self.external_base_url or "").lower().startswith("https:")

    @property
    def is_local(self) -> bool:
        """Whether this machine alone can connect, and nothing says that a proxy lets others in."""
        if self.is_https or self.trusted_proxies:
            return False
        try:
            found = socket.getaddrinfo(self.host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        except (OSError, UnicodeError):
            return False  # `listen` says why
        return all(ip_address(str(address[0]).partition("%")[0]).is_loopback for *_, address in found)

    @property
    def cookie_name(self) -> str:
        """The session cookie's name. Browsers take ``__Host-`` only from this host, over https, for every path."""
        return "__Host-photos_session" if self.is_https else "photos_session"

    @property
    def cookie_path(self) -> str:
        """What the session cookie is sent for: the provider's own paths, or all where its name demands that."""
        return "/" if self.is_https else self.path_prefix or "/"

    @property
    def path_prefix(self) -> str:
        """What a proxy removes from the front of each path; without a slash at its end."""
        return urlsplit(self.external_base_url or "").path.rstrip("/")


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        raise SettingsError(message)


def read_settings(arguments: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the command line, and the environment for what it leaves out.

    Args:
        arguments: without the program's name; ``None`` for those of the process.
        environ: the environment.

    Raises:
        SettingsError: something is out of range or not understood.
    """
    parser = _Parser(prog="photos", description="Serves Jane's photos to the applications that she lets in.")
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="name or address to listen on (%(default)s)")
    add("--port", type=int, default=8000, help="0 for any free one (%(default)s)")
    add("--store", metavar="URL", help="clients, users, tokens; PHOTOS_STORE, sqlite:///photos.db")
    add("--nonces", metavar="URL", help="nonces, temporary credentials; PHOTOS_NONCES, as --store")
    add("--workers", type=int, default=1, metavar="N", help="processes that serve (%(default)s)")
    add("--external-base-url", metavar="URL", help="behind a proxy, what clients see; PHOTOS_EXTERNAL_BASE_URL")
    add("--demo-data", action="store_true", help="add jane and the printer, not on loopback alone; PHOTOS_DEMO_DATA=1")
    add("--trusted-proxies", metavar="NETWORKS", help="whose X-Forwarded-For is believed; PHOTOS_TRUSTED_PROXIES")
    options = parser.parse_args(arguments)
    # A flag wins, also an empty one: it is a script's unset variable, and must not serve from another store.
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
        demo_data=options.demo_data or _switch(environ, "PHOTOS_DEMO_DATA"),
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
        raise SettingsError(f"--trusted-proxies takes networks such as 10.0.0.0/8,::1: {error}") from error
    return names


def _switch(environ: Mapping[str, str], name: str) -> bool:
    value = environ.get(name, "0").strip().lower()
    if value in ("1", "true", "yes", "on"):
        return True
    if value in ("", "0", "false", "no", "off"):
        return False
    raise SettingsError(f"{name} is 1 or 0, not {value!r}")


def _check(settings: Settings) -> None:
    if not 0 <= settings.port <= 65535:
        raise SettingsError(f"--port is a number from 0 to 65535, not {settings.port}")
    for option, url in (("--store", settings.store), ("--nonces", settings.nonces)):
        if not url:
            raise SettingsError(f"{option} is a URL, and empty here; leave it out for the default")
    if settings.workers < 1:
        raise SettingsError(f"--workers is a number above 0, not {settings.workers}")
    if len(settings.session_key) < _MIN_SESSION_KEY:
        raise SettingsError(f"PHOTOS_SESSION_KEY is at least {_MIN_SESSION_KEY} characters")
    try:
        settings.policy, settings.path_prefix  # noqa: B018 - reading them refuses an invalid URL
        if settings.external_base_url:
            parts = urlsplit(settings.external_base_url)
            normalize_host(parts.netloc, parts.scheme)
    except ValueError as error:
        raise SettingsError(f"--external-base-url: {error}") from error
    except OAuth1Error as error:
        raise SettingsError("--external-base-url: its host or port is malformed") from error
