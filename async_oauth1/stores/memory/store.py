"""The memory store: everything in dicts, for one process, gone when it ends.

No method waits for anything, so each one is a single step for other coroutines. A lock keeps it so where a WSGI server
drives the hooks from several threads.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from threading import Lock
from typing import Any

from async_oauth1.credentials import Client, TemporaryCredential, TokenCredential
from async_oauth1.errors import StoreUnavailableError, TooManyPendingError
from async_oauth1.provider.hooks import resolve
from async_oauth1.stores.base import (
    EXPIRED_TOKENS_STAY,
    GONE,
    BaseStore,
    check_text,
    is_text,
    new_temporary_credential,
    nonce_seconds,
    required_text,
    user_id_of,
)
from async_oauth1.stores.forks import LeftBehind
from async_oauth1.stores.lifecycle import is_live, issued, live_client, rotated

from .nonce_table import NonceTable
from .pending_table import Pending, PendingTable

__all__ = ["MemoryStore"]

#: Live nonces; about 300 bytes each. At the default lifetime of 660 s this is 750 requests a second, sustained.
MAX_NONCES = 500_000
#: Live temporary credentials; about 1 KB each. 80 new ones a second, sustained.
MAX_TEMPORARY_CREDENTIALS = 50_000

# Each insertion removes up to this many expired entries: more than one, so that a backlog shrinks; few, so that no
# request pays for the others.
_PURGED_PER_INSERTION = 4

_NonceKey = tuple[str, str, str, str]


class MemoryStore(BaseStore):
    """All hooks over dicts. Bounded: full of live entries, it refuses new ones rather than forget a live nonce."""

    shared = False

    def __init__(
        self,
        *,
        nonce_lifetime: int | None = None,
        max_nonces: int = MAX_NONCES,
        max_temporary_credentials: int = MAX_TEMPORARY_CREDENTIALS,
        clock: Callable[[], float] = time.time,
        keys: Sequence[str] = (),
    ) -> None:
        """Start empty.

        Args:
            nonce_lifetime: seconds; ``None`` for the longest that a server's policy asks for.
            max_nonces: how many live nonces are remembered at most.
            max_temporary_credentials: how many of them may be pending at once.
            clock: Unix time, in seconds.
            keys: checked and not used: nothing is at rest here.
        """
        super().__init__("memory://", nonce_lifetime=nonce_lifetime, clock=clock, keys=keys)
        self._max_temporary_credentials = max_temporary_credentials
        self._clients: dict[str, Client] = {}
        self._tokens: dict[str, TokenCredential] = {}
        self._temporary = PendingTable()
        self._nonces: NonceTable[_NonceKey] = NonceTable(max_nonces)
        self._lock = Lock()
        self._opened = False
        self._bind()

    async def open(self) -> None:
        """Belong to this process: in one that is forked from it later every use is refused."""
        with self._lock:
            self._opened = True

    async def close(self) -> None:
        """Nothing to disconnect; a process that is forked later may use what the store holds if it is clients alone."""
        self._opened = False

    async def migrate(self) -> None:
        """Nothing to create."""

    async def ping(self) -> None:
        """Memory always answers, in the process that it belongs to."""
        with self._lock:
            pass

    async def query_client(self, client_id: str) -> Client | None:
        """Look a client up."""
        client = self._clients.get(client_id)
        return live_client(client, self.clock()) if client is not None else None

    async def query_token(self, client_id: str, oauth_token: str) -> TokenCredential | None:
        """Look token credentials up; ``None`` where they belong to another client."""
        token = self._live_token(oauth_token)
        return token if token is not None and token.client_id == client_id else None

    async def query_credentials(self, client_id: str, oauth_token: str) -> tuple[Client | None, TokenCredential | None]:
        """Look client and token credentials up."""
        now = self.clock()
        with self._lock:
            token = self._live_token(oauth_token)
            client = self._clients.get(client_id)
        return (
            live_client(client, now) if client is not None else None,
            token if token is not None and token.client_id == client_id else None,
        )

    async def exists_nonce(self, nonce: str, timestamp: str, client_id: str, oauth_token: str | None) -> bool:
        """Remember a nonce and say whether it was known, in one atomic step (RFC 5849 section 3.3).

        Raises:
            StoreUnavailableError: as many live nonces as the store may hold.
        """
        key = (client_id, oauth_token or "", timestamp, nonce)
        if not is_text(*key):
            required_text(nonce=nonce, timestamp=timestamp, client_id=client_id, oauth_token=oauth_token or "")
        seconds, nonces = nonce_seconds(timestamp), self._nonces
        with self._lock:
            now = self.clock()
            if self.is_stale(seconds, now):
                return True
            try:
                return not nonces.add(seconds, key, now, self.nonce_lifetime)
            except OverflowError:
                raise StoreUnavailableError() from None

    async def create_temporary_credential(
        self, token: dict[str, str], client_id: str, redirect_uri: str
    ) -> TemporaryCredential:
        """Keep new temporary credentials (section 2.1).

        Raises:
            StoreUnavailableError: as many live ones as the store may hold.
            TooManyPendingError: as many live ones as the client may have.
            ValueError: the token is taken, or text that cannot be stored.
        """
        credential = new_temporary_credential(token, client_id, redirect_uri)
        now = self.clock()
        with self._lock:
            self._temporary.purge(now, _PURGED_PER_INSERTION)
            if credential.oauth_token in self._temporary:
                raise ValueError("oauth_token is taken: the token generator repeats itself")
            if not self._temporary.has_room(client_id, self.max_pending_per_client, now):
                raise TooManyPendingError()
            if len(self._temporary) >= self._max_temporary_credentials:
                raise StoreUnavailableError()
            expires_at = now + self.temporary_credential_lifetime
            self._temporary[credential.oauth_token] = (expires_at, Pending(credential))
        return credential

    async def get_temporary_credential(self, oauth_token: str) -> TemporaryCredential | None:
        """Look temporary credentials up; ``None`` once expired, denied or taken."""
        pending = self._temporary.live(oauth_token, self.clock())
        return pending.credential if pending is not None else None

    async def delete_temporary_credential(self, oauth_token: str) -> bool:
        """Take temporary credentials; of any number of callers one gets ``True``, and none once they expired."""
        now = self.clock()
        with self._lock:
            if self._temporary.live(oauth_token, now) is None:
                return False
            del self._temporary[oauth_token]
            return True

    async def create_authorization_verifier(self, credential: Any, grant_user: Any, verifier: str) -> bool:
        """Bind user and verifier to temporary credentials; ``False`` where they were decided before, or are gone."""
        oauth_token = await resolve(credential.get_oauth_token())
        user_id = await user_id_of(grant_user)
        required_text(verifier=verifier)
        with self._lock:
            pending = self._temporary.live(oauth_token, self.clock())
            if pending is None or pending.credential.decided:
                return False
            pending.credential = replace(pending.credential, user_id=user_id, oauth_verifier=verifier, decided=True)
            return True

    async def deny_temporary_credential(self, oauth_token: str) -> bool:
        """Record a refusal by removing the credentials; ``False`` where they were decided before, or are gone."""
        with self._lock:
            pending = self._temporary.live(oauth_token, self.clock())
            if pending is None or pending.credential.decided:
                return False
            del self._temporary[oauth_token]
            return True

    async def count_wrong_verifier(self, oauth_token: str) -> int:
        """Count a wrong verifier and return how many there were; more than any limit where they are gone."""
        with self._lock:
            pending = self._temporary.live(oauth_token, self.clock())
            if pending is None:
                return GONE
            pending.wrong_verifiers += 1
            return pending.wrong_verifiers

    async def create_token_credential(self, token: dict[str, str], temporary_credential: Any) -> TokenCredential:
        """Keep new token credentials, for the client and user of the temporary ones (section 2.3).

        Raises:
            ValueError: the token is taken, or text that cannot be stored.
        """
        client_id = await resolve(temporary_credential.get_client_id())
        user_id = await user_id_of(await resolve(temporary_credential.get_user_id()))
        with self._lock:
            return self._add_token(self.new_token_credential(token, client_id, user_id))

    async def exchange(self, temporary_credential: Any, token: dict[str, str]) -> TokenCredential | None:
        """Take approved temporary credentials and keep new token credentials, both or neither."""
        oauth_token = await resolve(temporary_credential.get_oauth_token())
        client_id = await resolve(temporary_credential.get_client_id())
        with self._lock:
            pending = self._temporary.live(oauth_token, self.clock())
            if pending is None:
                return None
            kept = pending.credential
            if kept.user_id is None or not kept.decided or kept.client_id != client_id:
                return None
            credential = self._add_token(self.new_token_credential(token, kept.client_id, kept.user_id))
            del self._temporary[oauth_token]
            return credential

    async def add_client(self, client: Client) -> None:
        """Register a client.

        Raises:
            ValueError: the identifier is taken.
        """
        check_text(client)
        with self._lock:
            if client.client_id in self._clients:
                raise ValueError(f"client_id {client.client_id} is taken")
            self._clients[client.client_id] = client

    async def list_clients(self) -> list[Client]:
        """Every client, by name."""
        with self._lock:
            clients = sorted(self._clients.values(), key=lambda client: (client.name, client.client_id))
        return [live_client(client, self.clock()) for client in clients]

    async def remove_client(self, client_id: str) -> bool:
        """Remove a client with its token and temporary credentials; ``False`` where there is none."""
        with self._lock:
            if self._clients.pop(client_id, None) is None:
                return False
            for oauth_token in [key for key, token in self._tokens.items() if token.client_id == client_id]:
                del self._tokens[oauth_token]
            for oauth_token in [k for k, (_, e) in self._temporary.items() if e.credential.client_id == client_id]:
                del self._temporary[oauth_token]
            return True

    async def list_token_credentials(
        self, *, user_id: str | None = None, client_id: str | None = None
    ) -> list[TokenCredential]:
        """Token credentials, oldest first; of one resource owner or one client, where given."""
        with self._lock:
            found = self._tokens_of(user_id, client_id)
        return sorted(found, key=lambda token: (token.created_at, token.oauth_token))

    async def revoke_token_credential(self, oauth_token: str, *, user_id: str | None = None) -> bool:
        """Revoke token credentials, of that resource owner alone where given; ``False`` where there are none."""
        with self._lock:
            token = self._live_token(oauth_token)
            if token is None or user_id not in (None, token.user_id):
                return False
            del self._tokens[oauth_token]
            return True

    async def revoke_token_credentials(self, *, user_id: str | None = None, client_id: str | None = None) -> int:
        """Revoke all token credentials of a resource owner, of a client, or of both together.

        Returns:
            How many there were.

        Raises:
            ValueError: neither is given.
        """
        if user_id is None and client_id is None:
            raise ValueError("revoke_token_credentials needs a user_id, a client_id or both")
        with self._lock:
            found = self._tokens_of(user_id, client_id)
            for token in found:
                del self._tokens[token.oauth_token]
        return len(found)

    async def issue_token_credential(
        self, client_id: str, user_id: Any, *, scope: str = "", lifetime: float | None = None
    ) -> TokenCredential:
        """Issue token credentials without asking the resource owner: for a client and a user that are one person's.

        Args:
            client_id: a registered client.
            user_id: the resource owner, as ``grant_user`` elsewhere.
            scope: separated by spaces.
            lifetime: seconds; ``None`` for credentials that never expire.

        Raises:
            ValueError: there is no such client; text that cannot be stored; no lifetime.
        """
        credential = issued(client_id, await user_id_of(user_id), scope, lifetime, self.clock())
        with self._lock:
            if client_id not in self._clients:
                raise ValueError(f"there is no client {client_id}")
            check_text(credential)
            return self._add_token(credential)

    async def rotate_client_secret(self, client_id: str, *, overlap: float) -> Client | None:
        """Give a client a new secret.

        Args:
            client_id: of a client with a secret.
            overlap: seconds for which the current secret verifies, too; 0 ends every former one at once.

        Returns:
            The client with its new secret; ``None`` where there is none of that name.

        Raises:
            ValueError: a negative overlap; no secret to rotate; too many former ones that still verify.
        """
        with self._lock:
            client = self._clients.get(client_id)
            if client is None:
                return None
            self._clients[client_id] = new = rotated(client, overlap, self.clock())
            return new

    async def reencrypt(self) -> int:
        """Nothing is encrypted in memory."""
        return 0

    def leave_behind(self) -> None:
        """As `ProcessBound.leave_behind`."""
        if not (self._opened or self._nonces or self._temporary or self._tokens):
            self._bind()  # clients alone, which a program registers before it forks
            self._lock = Lock()
            return
        nothing: Any = LeftBehind(
            self.url, "make a memory store in each worker, or use one that processes can share, such as sqlite:///"
        )
        self._clients = self._tokens = self._temporary = self._nonces = self._lock = nothing

    def _live_token(self, oauth_token: str) -> TokenCredential | None:
        token = self._tokens.get(oauth_token)
        return token if token is not None and is_live(token, self.clock()) else None

    def _tokens_of(self, user_id: str | None, client_id: str | None) -> list[TokenCredential]:
        now = self.clock()
        for name in [name for name, token in self._tokens.items() if not is_live(token, now - EXPIRED_TOKENS_STAY)]:
            del self._tokens[name]
        return [
            token
            for token in self._tokens.values()
            if user_id in (None, token.user_id) and client_id in (None, token.client_id) and is_live(token, now)
        ]

    def _add_token(self, credential: TokenCredential) -> TokenCredential:
        if credential.oauth_token in self._tokens:
            raise ValueError("oauth_token is taken: the token generator repeats itself")
        self._tokens[credential.oauth_token] = credential
        return credential
