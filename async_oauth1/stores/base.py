"""The base class of the stores, and the functions that they share."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from functools import lru_cache
from hashlib import blake2b
from types import TracebackType
from typing import Any, Self, cast

from async_oauth1.credentials import Client, TemporaryCredential, TokenCredential
from async_oauth1.policy import CLOCK_TOLERANCE, Policy
from async_oauth1.provider.approval.approvals import identifier_of

from .encryption import KeyRing
from .forks import ProcessBound
from .urls.redaction import redact_url

__all__ = [
    "EXPIRED_TOKENS_STAY",
    "GONE",
    "TOKEN_TAKEN",
    "BaseStore",
    "check_text",
    "is_text",
    "new_temporary_credential",
    "new_token_credential",
    "nonce_key",
    "nonce_seconds",
    "required_text",
    "user_id_of",
]

#: What ``count_wrong_verifier`` returns for temporary credentials that do not exist: more than any limit.
GONE = 2**31 - 1

#: The message if a token is already in use.
TOKEN_TAKEN = "oauth_token is taken: the token generator repeats itself"

#: Seconds for which expired token credentials are kept. If a clock jumps ahead and back, they are still there.
EXPIRED_TOKENS_STAY = 86_400

_DEFAULTS = Policy()
_MAX_SECONDS = 2**32 - 1


class BaseStore(ProcessBound):
    """The base of every store: lifetimes, encryption keys and ``async with``.

    A store of your own derives from it and adds the methods of `TransientStore` or `Store`.

    Attributes:
        url: printable, without password.
        shared: whether several processes may use the store at once.
        clock: Unix time, in seconds.
        keys: encrypt and decrypt the secrets at rest.
        nonce_lifetime: seconds for which a nonce is kept, counted from its timestamp.
        temporary_credential_lifetime: seconds.
        token_credential_lifetime: seconds; ``None`` if token credentials never expire.
        max_pending_per_client: temporary credentials that a client may have at once.
    """

    url: str
    shared: bool

    def __init__(
        self,
        url: str,
        *,
        nonce_lifetime: int | None = None,
        clock: Callable[[], float] = time.time,
        keys: Sequence[str] = (),
    ) -> None:
        """Remember the arguments; no I/O.

        Args:
            url: any password in it is hidden.
            nonce_lifetime: seconds; ``None`` for the longest that a server's policy needs.
            clock: Unix time, in seconds.
            keys: encrypt the secrets, newest first.

        Raises:
            StoreError: one of the keys is not valid.
        """
        self.url = redact_url(url)
        self.clock = clock
        self.keys = KeyRing(keys)
        self.token_credential_lifetime: int | None = None
        self._configured_nonce_lifetime = nonce_lifetime
        self.nonce_lifetime = _DEFAULTS.nonce_lifetime if nonce_lifetime is None else nonce_lifetime
        self._prepared = False
        self.temporary_credential_lifetime = _DEFAULTS.temporary_credential_lifetime
        self.max_pending_per_client = _DEFAULTS.max_pending_per_client

    def prepare(self, policy: Policy) -> None:
        """As `Store.prepare`."""
        needed = policy.nonce_lifetime
        if self._configured_nonce_lifetime is None:
            # Several servers may share the store, so the longest lifetime is used.
            self.nonce_lifetime = max(needed, self.nonce_lifetime) if self._prepared else needed
        elif self._configured_nonce_lifetime < needed:
            raise ValueError(
                f"{self.url}: keeps nonces for {self._configured_nonce_lifetime} s, but a timestamp window of "
                f"{policy.longest_window} s needs {needed} s"
            )
        self._prepared = True
        # A ResourceProtector has the default policy for temporary credentials, which must not undo the other server's.
        if policy.temporary_credential_lifetime != _DEFAULTS.temporary_credential_lifetime:
            self.temporary_credential_lifetime = policy.temporary_credential_lifetime
        if policy.max_pending_per_client != _DEFAULTS.max_pending_per_client:
            self.max_pending_per_client = policy.max_pending_per_client
        if policy.token_credential_lifetime is not None:
            self.token_credential_lifetime = policy.token_credential_lifetime

    @property
    def max_ended_per_client(self) -> int:
        """Temporary credentials of a client, pending and ended, up to which ended ones are kept."""
        return max(self.max_pending_per_client // 2, 1)

    def is_stale(self, seconds: int, now: float | None = None) -> bool:
        """Whether a nonce's timestamp is so old that the store may have forgotten the nonce.

        Every store must keep this rule: a nonce is new only if an earlier use of it would still be on record. A record
        is kept until its timestamp is ``nonce_lifetime`` old, and a timestamp is refused `CLOCK_TOLERANCE` before
        that. So the clocks of the workers may differ by that much. Call this after the store has answered: then the
        time that is spent waiting for a batch, a lock or the network counts too.
        If a clock jumps ahead, records are removed too early. So a store also remembers the newest timestamp that it
        has removed, and refuses everything up to it (except Redis, which removes records by itself).

        Args:
            seconds: the timestamp, see `nonce_seconds`.
            now: Unix time; ``None`` to read the clock.
        """
        lifetime = self.nonce_lifetime
        # min(CLOCK_TOLERANCE, lifetime // 2), written out because every request computes it.
        tolerance = CLOCK_TOLERANCE if lifetime >= 2 * CLOCK_TOLERANCE else lifetime // 2
        return seconds <= (self.clock() if now is None else now) - lifetime + tolerance

    def new_token_credential(
        self, token: Mapping[str, str], client_id: str, user_id: str, scope: str = ""
    ) -> TokenCredential:
        """The record for a new token, with the lifetime that the policy sets.

        The scope is what the resource owner granted. If that is empty, the token generator may set one.

        Raises:
            ValueError: text that cannot be stored.
        """
        now, lifetime = self.clock(), self.token_credential_lifetime
        token = {**token, "scope": scope} if scope else token
        return new_token_credential(token, client_id, user_id, now, None if lifetime is None else now + lifetime)

    async def migrate(self) -> None:
        """Create the tables, or bring them up to date; by default there are none."""

    async def open(self) -> None:
        """Connect; by default there is nothing to connect to."""

    async def close(self) -> None:
        """Disconnect; by default there is nothing to disconnect."""

    def leave_behind(self) -> None:
        """As `ProcessBound.leave_behind`; by default nothing is open."""

    async def __aenter__(self) -> Self:
        """Open the store."""
        await self.open()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the store."""
        await self.close()


def is_text(*values: str) -> bool:
    """Whether every database can store these values: text without NUL characters and lone surrogates."""
    try:
        return b"\0" not in "".join(values).encode()
    except (TypeError, UnicodeEncodeError):
        return False


def required_text(**values: Any) -> None:
    """Refuse values that not every database can store; their names are for the message.

    Raises:
        ValueError: a NUL character or a lone surrogate.
        TypeError: a value that is not text.
    """
    for name, value in values.items():
        if not isinstance(value, str):
            raise TypeError(f"{name} is text, not {type(value).__name__}")
    if not is_text(*values.values()):
        name = next(name for name, value in values.items() if not is_text(value))
        raise ValueError(f"{name} holds a NUL character or a lone surrogate")


def check_text(record: Client | TemporaryCredential | TokenCredential) -> None:
    """Refuse a record with text that not every database can store.

    Raises:
        ValueError: a NUL character or a lone surrogate; the message names the attribute.
        TypeError: an attribute that must be text and is not.
    """
    for item in fields(record):
        value = getattr(record, item.name)
        if isinstance(value, str):
            required_text(**{item.name: value})
        elif isinstance(value, tuple) and item.name != "overlaps_end_at":
            for element in cast("tuple[object, ...]", value):
                required_text(**{item.name: element})


def new_temporary_credential(
    token: Mapping[str, str], client_id: str, redirect_uri: str, scope: str = ""
) -> TemporaryCredential:
    """The record for a token that a token generator made, and the scope that the client asks for.

    Raises:
        ValueError: text that cannot be stored.
    """
    credential = TemporaryCredential(
        oauth_token=token["oauth_token"],
        oauth_token_secret=token["oauth_token_secret"],
        client_id=client_id,
        oauth_callback=redirect_uri,
        requested_scope=scope,
    )
    check_text(credential)
    return credential


def new_token_credential(
    token: Mapping[str, str], client_id: str, user_id: str, now: float, expires_at: float | None
) -> TokenCredential:
    """The record for a token that a token generator made.

    Args:
        token: ``oauth_token``, ``oauth_token_secret``, and optionally ``scope``.
        client_id: the client.
        user_id: the resource owner.
        now: Unix time, in seconds.
        expires_at: Unix time; ``None`` for a token that never expires.

    Raises:
        ValueError: text that cannot be stored.
    """
    credential = TokenCredential(
        oauth_token=token["oauth_token"],
        oauth_token_secret=token["oauth_token_secret"],
        client_id=client_id,
        user_id=user_id,
        scope=token.get("scope", ""),
        created_at=now,
        expires_at=expires_at,
    )
    check_text(credential)
    return credential


def nonce_key(nonce: str, timestamp: str, client_id: str, oauth_token: str | None) -> bytes:
    """A key of 16 bytes for a nonce together with its timestamp, client and token.

    The first four bytes are the timestamp, so new keys are neighbours in a sorted index. The rest is a hash of 96 bits,
    so a collision can be found neither by chance nor by search. If two keys collided, the second request would be
    refused.

    Raises:
        ValueError: text that cannot be stored.
    """
    try:
        whole = "\0".join((client_id, oauth_token or "", timestamp, nonce)).encode()
    except (TypeError, UnicodeEncodeError):
        whole = b""
    if whole.count(0) != 3:  # no value may hold a NUL, so different values never give the same text
        required_text(nonce=nonce, timestamp=timestamp, client_id=client_id, oauth_token=oauth_token or "")
    return nonce_seconds(timestamp).to_bytes(4, "big") + blake2b(whole, digest_size=12).digest()


@lru_cache(maxsize=2 * 660)  # twice the timestamps that a window of 300 seconds accepts
def nonce_seconds(timestamp: str) -> int:
    """A nonce's timestamp as a number; 0 if it is not a number of at most 32 bits.

    `BaseStore.is_stale` refuses 0, since a store could not know when to forget the nonce.
    """
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        return 0
    seconds = int(timestamp)
    return seconds if seconds <= _MAX_SECONDS else 0


async def user_id_of(grant_user: Any) -> str:
    """The identifier of a resource owner.

    Args:
        grant_user: the identifier itself, or an object with ``get_user_id()`` or ``id``. Numbers become text.

    Raises:
        TypeError: it has no identifier.
        ValueError: the identifier is empty or cannot be stored.
    """
    user_id = await identifier_of(grant_user)
    if user_id is None:
        raise TypeError(
            f"grant_user is a user's identifier, or has get_user_id() or id; {type(grant_user).__name__} has none"
        )
    if not user_id:
        raise ValueError("grant_user has an empty identifier")
    required_text(user_id=user_id)
    return user_id
