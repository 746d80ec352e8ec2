"""What `async-oauth1 explain` knows of a client and its token: from the environment, a prompt, or a store."""

from __future__ import annotations

import getpass
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from async_oauth1.credentials import Client, TemporaryCredential, TokenCredential
from async_oauth1.explain import Cause, Secrets, WireRequest
from async_oauth1.policy import Policy
from async_oauth1.protocol.rsa_keys import public_key
from async_oauth1.protocol.signature import SIGNATURE_METHODS, SigningKeys
from async_oauth1.stores import Store
from async_oauth1.stores.sql_store import SQLStore

from .console import CommandError, printable
from .request_options import CLIENT_SECRET, TOKEN_SECRET
from .store_access import with_store

__all__ = ["Knowledge", "from_environment", "from_store", "is_given", "signing_keys"]

_MAX_KEY_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What is known before a signature is explained.

    Attributes:
        secrets: of the client and its token.
        policy: which signature methods are enabled.
        causes: what is wrong with the credentials.
        notes: what was assumed; sentences for the user.
    """

    secrets: Secrets
    policy: Policy
    causes: tuple[Cause, ...] = ()
    notes: tuple[str, ...] = ()


def is_given(rsa_public_key: Path | None) -> bool:
    """Whether the environment or an option has a secret or a key."""
    return rsa_public_key is not None or CLIENT_SECRET in os.environ


def from_environment(request: WireRequest, rsa_public_key: Path | None) -> Knowledge:
    """Secrets from the environment, or asked for at a terminal.

    Raises:
        CommandError: there is no client secret and no key, or the key cannot be read.
    """
    key = None if rsa_public_key is None else _rsa_key(rsa_public_key)
    client_secret = os.environ.get(CLIENT_SECRET)
    if client_secret is None and key is None:
        client_secret = _asked_client_secret(
            f"no secret is known: set {CLIENT_SECRET} (and {TOKEN_SECRET}), or use --store or --rsa-public-key"
        )
    token_secret = os.environ.get(TOKEN_SECRET)
    notes: tuple[str, ...] = ()
    if token_secret is None and request.protocol.get("oauth_token") and key is None:
        token_secret, notes = _asked_token_secret()
    known = () if client_secret is None else (_text(client_secret),)
    secrets = Secrets(client_secrets=known, token_secret=_text(token_secret or ""), rsa_public_key=key)
    return Knowledge(secrets, _every_method(), notes=notes)


def signing_keys(rsa_private_key: Path | None, *, has_token: bool) -> SigningKeys:
    """What a client signs with, from the environment, or asked for at a terminal.

    Args:
        rsa_private_key: a file; ``None`` without RSA.
        has_token: the client has a token, so that a token secret is asked for.

    Raises:
        CommandError: there is neither a secret nor a key, or the key cannot be read.
    """
    key = None if rsa_private_key is None else _private_key(rsa_private_key)
    client_secret = os.environ.get(CLIENT_SECRET)
    if client_secret is None and key is None:
        client_secret = _asked_client_secret(f"no secret is known: set {CLIENT_SECRET}, or use --rsa-private-key")
    token_secret = os.environ.get(TOKEN_SECRET)
    if token_secret is None and has_token and key is None:
        token_secret, _ = _asked_token_secret()
    return SigningKeys(_text(client_secret or ""), _text(token_secret or ""), key, token_secret_suffices=True)


def _private_key(path: Path) -> str:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    shown = f"--rsa-private-key {printable(str(path))}"
    try:
        with path.open("rb") as file:
            pem = file.read(_MAX_KEY_BYTES)
    except (OSError, ValueError) as error:
        raise CommandError(f"{shown}: {getattr(error, 'strerror', None) or 'cannot be read'}") from None
    try:
        key = load_pem_private_key(pem, password=None)
    except TypeError:
        raise CommandError(f"{shown}: it is encrypted; decrypt it into a file that only you can read") from None
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise CommandError(f"{shown}: it is not a private RSA key in PEM")
    return pem.decode("ascii", "replace")


def _text(secret: str) -> str:
    """A secret as text; octets of the environment that are not UTF-8 are replaced."""
    return secret.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _asked_client_secret(missing: str) -> str:
    if not sys.stdin.isatty():
        raise CommandError(missing)
    return getpass.getpass("Client secret: ")


def _asked_token_secret() -> tuple[str, tuple[str, ...]]:
    if sys.stdin.isatty():
        return getpass.getpass("Token secret (empty if there is none): "), ()
    return "", (f"The token secret was taken for empty; set {TOKEN_SECRET} to give it.",)


def _every_method() -> Policy:
    return Policy(signature_methods=tuple(SIGNATURE_METHODS), require_https=False)


def _rsa_key(path: Path) -> str:
    try:
        with path.open("rb") as file:
            pem = file.read(_MAX_KEY_BYTES).decode("ascii")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not PEM"
        raise CommandError(f"--rsa-public-key {printable(str(path))}: {reason}") from None
    try:
        key = public_key(pem)
    except (ValueError, TypeError):
        key = None
    if key is None:
        raise CommandError(f"--rsa-public-key {printable(str(path))}: it is not an RSA public key in PEM")
    return pem


def from_store(url: str, request: WireRequest) -> Knowledge:
    """The secrets of the request's client and token, also those that have ended.

    Raises:
        CommandError: the store keeps no clients.
    """
    sent = request.protocol
    client_id, token = sent.get("oauth_consumer_key", ""), sent.get("oauth_token", "")

    async def work(store: Store) -> Knowledge:
        client, found = await _credentials(store, client_id, token)
        causes = tuple(_causes(client, found, client_id, token)) if client_id else ()
        return Knowledge(_secrets(client, found), _policy(client), causes)

    return with_store(url, work)


Found = TokenCredential | TemporaryCredential | None


async def _credentials(store: Store, client_id: str, token: str) -> tuple[Client | None, Found]:
    """What the store has, also what has ended if it is one of this package's."""
    found: Found
    if isinstance(store, SQLStore):
        client, found = await store.find_also_ended(client_id, token)
    else:
        client, found = await store.query_credentials(client_id, token)
    if found is None and token:
        found = await store.get_temporary_credential(token)
    return client, found


def _secrets(client: Client | None, found: Found) -> Secrets:
    token_secret = found.oauth_token_secret if found is not None else ""
    if client is None:
        return Secrets(token_secret=token_secret)
    now = time.time()
    ends = client.overlaps_end_at or (None,) * len(client.overlapping_secrets)
    overlaps = list(zip(client.overlapping_secrets, ends, strict=True))
    current = (client.client_secret, *(secret for secret, end in overlaps if end is None or end > now))
    return Secrets(
        client_secrets=tuple(secret for secret in current if secret is not None),
        token_secret=token_secret,
        rsa_public_key=client.rsa_public_key,
        former=tuple(("client", secret) for secret, end in overlaps if end is not None and end <= now),
    )


def _policy(client: Client | None) -> Policy:
    methods = client.get_signature_methods() if client is not None else None
    return Policy(signature_methods=methods or tuple(SIGNATURE_METHODS), require_https=False)


def _causes(client: Client | None, found: Found, client_id: str, token: str) -> Iterator[Cause]:
    if client is None:
        text = f"The store has no client {printable(client_id[:80])!r}."
        yield Cause("credentials", text, "Register the client, or correct oauth_consumer_key.")
    elif token and found is None:
        text = f"The store has no token {printable(token[:80])!r}: it is unknown, revoked, exchanged or expired."
        yield Cause("credentials", text, "Let the client ask for a new token.")
    elif found is not None and found.client_id != client_id:
        yield Cause("credentials", "The token belongs to another client.", "Use a token of this client.")
    elif isinstance(found, TokenCredential) and found.expires_at is not None and found.expires_at <= time.time():
        yield Cause("credentials", "The token has ended.", "Let the client ask for a new token.")
