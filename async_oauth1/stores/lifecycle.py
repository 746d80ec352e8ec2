"""Secrets that are rotated with an overlap, and tokens that expire."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace

from async_oauth1.credentials import Client, TokenCredential

__all__ = ["MAX_OVERLAPPING_SECRETS", "check_may_have_tokens", "is_live", "issued", "live_client", "rotated"]

#: Former secrets that a client may have at once. Each costs one more computation for a wrong signature.
MAX_OVERLAPPING_SECRETS = 4

# 192 bits, in hexadecimal digits: a token that begins with "-" would be an option on the command line.
_TOKEN_BYTES = 24
# 256 bits.
_SECRET_BYTES = 32


def is_live(token: TokenCredential, now: float) -> bool:
    """Whether token credentials have not expired; a model of the application may have no expiry."""
    expires_at = getattr(token, "expires_at", None)
    return expires_at is None or expires_at > now


def live_client(client: Client, now: float) -> Client:
    """A client without the former secrets that no longer verify; a model of the application drops them itself."""
    if not getattr(client, "overlaps_end_at", ()):
        return client
    left = [(secret, end) for secret, end in _overlaps(client) if end is None or end > now]
    return client if len(left) == len(client.overlapping_secrets) else _with_overlaps(client, left)


def rotated(client: Client, overlap: float, now: float) -> Client:
    """A client with a new secret.

    Args:
        client: with its current secret.
        overlap: seconds for which the current secret still verifies; former secrets keep their ends. With 0, only the
            new secret verifies: use that for a leaked secret.
        now: Unix time, in seconds.

    Raises:
        ValueError: a negative overlap; the client has no secret; too many former secrets still verify.
    """
    if not 0 <= overlap < float("inf"):
        raise ValueError(f"overlap is a number of seconds, 0 or more, not {overlap!r}")
    if client.client_secret is None:
        raise ValueError(f"client {client.client_id} has no secret: it signs with RSA")
    kept = _overlaps(live_client(client, now))
    if len(kept) >= MAX_OVERLAPPING_SECRETS and overlap:
        raise ValueError(f"client {client.client_id} has {len(kept)} former secrets that still verify; use no overlap")
    new = replace(client, client_secret=secrets.token_urlsafe(_SECRET_BYTES))
    return _with_overlaps(new, [(client.client_secret, now + overlap), *kept] if overlap else [])


def check_may_have_tokens(client: object, client_id: str) -> None:
    """Refuse to issue tokens to a client that could not use them.

    Raises:
        ValueError: there is no such client, or it is disabled.
    """
    if client is None:
        raise ValueError(f"there is no client {client_id}")
    if getattr(client, "disabled", False):  # a model of the application may have no such attribute
        raise ValueError(f"client {client_id} is disabled; enable it first")


def issued(client_id: str, user_id: str, scope: str, lifetime: float | None, now: float) -> TokenCredential:
    """New token credentials, issued without asking the resource owner.

    Args:
        client_id: the client.
        user_id: the resource owner.
        scope: separated by spaces.
        lifetime: seconds; ``None`` for credentials that never expire.
        now: Unix time, in seconds.

    Raises:
        ValueError: a lifetime that is infinite or not above 0.
    """
    if lifetime is not None and not 0 < lifetime < float("inf"):
        raise ValueError(f"lifetime is a number of seconds above 0, not {lifetime!r}")
    return TokenCredential(
        oauth_token=secrets.token_hex(_TOKEN_BYTES),
        oauth_token_secret=secrets.token_urlsafe(_SECRET_BYTES),
        client_id=client_id,
        user_id=user_id,
        scope=scope,
        created_at=now,
        expires_at=None if lifetime is None else now + lifetime,
    )


def _overlaps(client: Client) -> list[tuple[str, float | None]]:
    ends = client.overlaps_end_at or (None,) * len(client.overlapping_secrets)
    return list(zip(client.overlapping_secrets, ends, strict=True))


def _with_overlaps(client: Client, overlaps: Sequence[tuple[str, float | None]]) -> Client:
    return replace(
        client,
        overlapping_secrets=tuple(secret for secret, _ in overlaps),
        overlaps_end_at=tuple(end for _, end in overlaps) if any(end is not None for _, end in overlaps) else (),
    )
