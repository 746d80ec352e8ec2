"""A session with the provider that a URL names, for the commands that try one from outside."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from async_oauth1.errors import OAuth1Error
from async_oauth1.explain.readers import ReadError, split_url
from async_oauth1.probing import Connections, Session, Target
from async_oauth1.probing.connection import address_of
from async_oauth1.probing.signing import Credentials
from async_oauth1.protocol.hosts import normalize_host

from ..console import CommandError, printable
from ..known_secrets import signing_keys

__all__ = ["CAFileOption", "checked_path", "open_session"]

CAFileOption = Annotated[
    Path | None, typer.Option("--ca-file", metavar="FILE", help="Certificates to trust besides the system's.")
]


def open_session(
    url: str,
    protected: str,
    *,
    client_id: str,
    token: str | None,
    rsa_private_key: Path | None,
    ca_file: Path | None,
    upstreams: Iterable[str] = (),
) -> Session:
    """A session in which nothing has been sent yet.

    Args:
        url: of the provider.
        protected: the value of ``--protected-path``.
        client_id: of the test client.
        token: of the test client; ``None`` without.
        rsa_private_key: a file; ``None`` without RSA.
        ca_file: certificates in PEM; ``None`` for the system's.
        upstreams: the values of ``--upstream``.

    Raises:
        CommandError: a value cannot be used, or there is no secret to sign with.
    """
    scheme, host, prefix = _provider_url(url)
    path, _, query = checked_path("--protected-path", protected, query=True).partition("?")
    tls = _trusted_certificates(ca_file)
    keys = signing_keys(rsa_private_key, has_token=token is not None)
    if not keys.client_secret and not keys.rsa_key:
        raise CommandError("the client secret is empty, so nothing can be signed; use a client with a secret or a key")
    target = Target(
        scheme=scheme,
        host=host,
        prefix=prefix,
        path=prefix + path,
        query=query,
        credentials=Credentials(client_id=client_id, keys=keys, token=token),
        upstreams=tuple(_checked_host("--upstream", name, scheme) for name in upstreams),
    )
    return Session(target, Connections(scheme, host, tls))


def checked_path(option: str, path: str, *, query: bool = False) -> str:
    """The value of an option that is a path below the provider's URL.

    Args:
        option: its name.
        path: its value.
        query: whether a query may follow.

    Raises:
        CommandError: it is no path.
    """
    outside = " #" if query else " #?"
    if not path.startswith("/") or not (path.isascii() and path.isprintable()) or set(outside) & set(path):
        raise CommandError(
            f"{option} {printable(path[:80])}: write a path that begins with a slash, with other characters"
            " percent-encoded, such as /my%20photos"
        )
    return path


def _provider_url(url: str) -> tuple[str, str, str]:
    """The scheme, host and path prefix of a provider's URL."""
    try:
        scheme, host, path, query, fragment = split_url(url)
    except ReadError:
        raise CommandError("URL: write an absolute http or https URL") from None
    if query or fragment is not None or "@" in url.partition("://")[2].partition("/")[0]:
        raise CommandError("URL: leave user, query and fragment out; --protected-path may have a query")
    return scheme, _checked_host("URL", host, scheme), path.decode().rstrip("/")


def _checked_host(option: str, host: str, scheme: str) -> str:
    try:
        address_of(host, scheme)
        return normalize_host(host, scheme)
    except (ValueError, OAuth1Error):
        raise CommandError(f"{option}: {printable(host[:80])!r} is not a host with an optional port") from None


def _trusted_certificates(ca_file: Path | None) -> ssl.SSLContext:
    """What TLS connections trust."""
    context = ssl.create_default_context()
    if ca_file is not None:
        try:
            context.load_verify_locations(ca_file)
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            reason = "is no file of certificates in PEM" if isinstance(error, ssl.SSLError) else "cannot be read"
            raise CommandError(f"--ca-file {printable(str(ca_file))}: {reason}") from None
    return context
