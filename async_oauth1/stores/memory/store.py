"""The memory store: everything in dicts, for one process, lost when it ends.

No method waits for anything, so other coroutines see each call as one step. A lock does the same for threads, since a
WSGI server calls the hooks from several.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from threading import Lock
from typing import Any

from async_oauth1.credentials import Client, TemporaryCredential, TokenCredential
from async_oauth1.errors import StoreUnavailableError, TooManyPendingError
from async_oauth1.provider.approval.scopes import granted_scope_of
from async_oauth1.provider.hooks import resolve
from async_oauth1.provider.records.audit import Actor
from async_oauth1.stores.base import (
    GONE,
    TOKEN_TAKEN,
    check_text,
    new_temporary_credential,
    nonce_seconds,
    required_text,
    user_id_of,
)
from async_oauth1.stores.forks import LeftBehind
from async_oauth1.stores.lifecycle import check_may_have_tokens, issued, live_client
from async_oauth1.stores.uses.last_use import LastUse

from .administration import AdministrationInMemory
from .exchanges import ExchangesInMemory
from .nonce_table import MAX_NONCES, NonceTable
from .pending_table import MAX_TEMPORARY_CREDENTIALS, PURGED_TOGETHER, Pending, PendingTable
from .token_table import TokenTable

__all__ = ["MemoryStore"]

_NonceKey = tuple[str, str, str, str]


class MemoryStore(AdministrationInMemory, ExchangesInMemory):
    """A store in dicts. Its size is limited: when it is full it refuses new entries, and never forgets a live nonce."""

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
            nonce_lifetime: seconds, as for `BaseStore`.
            max_nonces: live nonces at most.
            max_temporary_credentials: pending ones at most.
            clock: Unix time, in seconds.
            keys: checked but not used: nothing is at rest here.
        """
        super().__init__("memory://", nonce_lifetime=nonce_lifetime, clock=clock, keys=keys)
        self._max_temporary_credentials = max_temporary_credentials
        self._clients: dict[str, Client] = {}
        self._tokens = TokenTable()
        self._temporary, self._ended = PendingTable(self._note_expired_temporary), PendingTable()
        self._start_audit()
        self._nonces: NonceTable[_NonceKey] = NonceTable(max_nonces)
        self._lock, self._opened = Lock(), False
        self._bind()

    async def open(self) -> None:
        """Bind the store to this process: in a process that is forked from it, every use is refused."""
        with self._lock:
            self._opened = True

    async def close(self) -> None:
        """Nothing to disconnect. A process that is forked later may use the store if it holds only clients."""
        self._opened = False

    async def migrate(self) -> None:
        """Nothing to create."""

    async def ping(self) -> None:
        """Return at once; raises in a forked process."""
        with self._lock:
            pass

    async def query_client(self, client_id: str) -> Client | None:
        """As `Store.query_client`."""
        return self.peek(client_id, None)[0]

    async def query_token(self, client_id: str, oauth_token: str) -> TokenCredential | None:
        """As `Store.query_token`."""
        token = self._tokens.live(oauth_token, self.clock())
        return token if token is not None and token.client_id == client_id else None

    async def query_credentials(self, client_id: str, oauth_token: str) -> tuple[Client | None, TokenCredential | None]:
        """As `Store.query_credentials`."""
        return self.peek(client_id, oauth_token)

    def peek(self, client_id: str, oauth_token: str | None) -> tuple[Client | None, TokenCredential | None]:
        """What `query_credentials` returns, or `query_client` without a token; it need not wait for either."""
        if oauth_token is None:
            client, token = self._clients.get(client_id), None
        else:
            client, token = self._clients.get(client_id), self._tokens.get(oauth_token)
            if self._clients.get(client_id) is not client:  # another thread has changed the client meanwhile
                with self._lock:
                    client, token = self._clients.get(client_id), self._tokens.get(oauth_token)
        if client is not None and (client.disabled or client.overlaps_end_at):
            client = None if client.disabled else live_client(client, self.clock())
        if token is not None and token.expires_at is not None:
            token = self._tokens.live(token.oauth_token, self.clock())
        return client, token if token is not None and token.client_id == client_id else None

    async def exists_nonce(self, nonce: str, timestamp: str, client_id: str, oauth_token: str | None) -> bool:
        """As `Store.exists_nonce`.

        Raises:
            StoreUnavailableError: there are as many live nonces as the store may hold.
        """
        if not _is_printable(nonce, timestamp, client_id, oauth_token or ""):
            required_text(nonce=nonce, timestamp=timestamp, client_id=client_id, oauth_token=oauth_token or "")
        return self.exists_nonce_at_once(nonce, timestamp, client_id, oauth_token)

    def exists_nonce_at_once(self, nonce: str, timestamp: str, client_id: str, oauth_token: str | None) -> bool:
        """Like `exists_nonce`, but without waiting. The caller has checked that all arguments are printable."""
        key = (client_id, oauth_token or "", timestamp, nonce)
        seconds, nonces, lifetime, clock = nonce_seconds(timestamp), self._nonces, self.nonce_lifetime, self.clock
        with self._lock:
            now = clock()
            # No timestamp in the newer half of the lifetime is stale.
            if seconds <= now - lifetime // 2 and self.is_stale(seconds, now):
                return True
            try:
                return not nonces.add(seconds, key, now, lifetime)
            except OverflowError:
                raise StoreUnavailableError() from None

    async def create_temporary_credential(
        self, token: dict[str, str], client_id: str, redirect_uri: str, *, scope: str = ""
    ) -> TemporaryCredential:
        """As `Store.create_temporary_credential`.

        Raises:
            StoreUnavailableError: there are as many live ones as the store may hold.
        """
        credential = new_temporary_credential(token, client_id, redirect_uri, scope)
        now = self.clock()
        with self._lock:
            self._temporary.purge(now, PURGED_TOGETHER)
            if credential.oauth_token in self._temporary:
                raise ValueError(TOKEN_TAKEN)
            if not self._temporary.has_room(client_id, self.max_pending_per_client, now):
                raise TooManyPendingError()
            if len(self._temporary) >= self._max_temporary_credentials:
                raise StoreUnavailableError()
            expires_at = now + self.temporary_credential_lifetime
            self._temporary[credential.oauth_token] = (expires_at, Pending(credential))
            self._note_temporary("temporary.created", credential, Actor("client", client_id))
        return credential

    async def get_temporary_credential(self, oauth_token: str) -> TemporaryCredential | None:
        """As `Store.get_temporary_credential`."""
        pending = self._temporary.live(oauth_token, self.clock())
        return pending.credential if pending is not None else None

    async def delete_temporary_credential(self, oauth_token: str) -> bool:
        """As `Store.delete_temporary_credential`."""
        now = self.clock()
        with self._lock:
            pending = self._temporary.live(oauth_token, now)
            if pending is None:
                return False
            self._end(oauth_token)
            self._note_temporary("temporary.ended", pending.credential)
            return True

    async def get_ended_temporary_credential(self, oauth_token: str) -> TemporaryCredential | None:
        """As the hook `GetEndedTemporaryCredential`."""
        pending = self._ended.live(oauth_token, self.clock())
        return pending.credential if pending is not None else None

    def _end(self, oauth_token: str) -> None:
        has_room = len(self._ended) < self._max_temporary_credentials
        limit = self.max_ended_per_client if has_room else 0
        self._temporary.end(oauth_token, self._ended, limit, self.clock())

    async def create_authorization_verifier(
        self, credential: Any, grant_user: Any, verifier: str, *, scope: str = ""
    ) -> bool:
        """As `Store.create_authorization_verifier`."""
        oauth_token = await resolve(credential.get_oauth_token())
        user_id = await user_id_of(grant_user)
        required_text(verifier=verifier, scope=scope)
        with self._lock:
            pending = self._temporary.live(oauth_token, self.clock())
            if pending is None or pending.credential.decided:
                return False
            pending.credential = replace(
                pending.credential, user_id=user_id, oauth_verifier=verifier, scope=scope, decided=True
            )
            self._note_temporary("consent.given", pending.credential, Actor("user", user_id))
            return True

    async def deny_temporary_credential(self, oauth_token: str) -> bool:
        """As `Store.deny_temporary_credential`."""
        with self._lock:
            pending = self._temporary.live(oauth_token, self.clock())
            if pending is None or pending.credential.decided:
                return False
            self._end(oauth_token)
            self._note_temporary("consent.denied", pending.credential, Actor("user"))
            return True

    async def count_wrong_verifier(self, oauth_token: str) -> int:
        """As `Store.count_wrong_verifier`."""
        with self._lock:
            pending = self._temporary.live(oauth_token, self.clock())
            if pending is None:
                return GONE
            pending.wrong_verifiers += 1
            return pending.wrong_verifiers

    async def create_token_credential(self, token: dict[str, str], temporary_credential: Any) -> TokenCredential:
        """As `Store.create_token_credential`."""
        client_id = await resolve(temporary_credential.get_client_id())
        user_id = await user_id_of(await resolve(temporary_credential.get_user_id()))
        scope = await granted_scope_of(temporary_credential)
        with self._lock:
            return self._add(self.new_token_credential(token, client_id, user_id, scope), Actor("client", client_id))

    async def exchange(self, temporary_credential: Any, token: dict[str, str]) -> TokenCredential | None:
        """As `Store.exchange`."""
        oauth_token = await resolve(temporary_credential.get_oauth_token())
        client_id = await resolve(temporary_credential.get_client_id())
        with self._lock:
            pending = self._temporary.live(oauth_token, self.clock())
            if pending is None:
                return None
            kept = pending.credential
            if kept.user_id is None or not kept.decided or kept.client_id != client_id:
                return None
            new = self.new_token_credential(token, kept.client_id, kept.user_id, kept.scope)
            credential = self._add(new, Actor("client", client_id))
            self._end(oauth_token)
            return credential

    async def list_token_credentials(
        self, *, user_id: str | None = None, client_id: str | None = None
    ) -> list[TokenCredential]:
        """As `Store.list_token_credentials`."""
        with self._lock:
            found = self._selected(user_id, client_id)
        return sorted(found, key=lambda token: (token.created_at, token.oauth_token))

    async def revoke_token_credential(self, oauth_token: str, *, user_id: str | None = None) -> bool:
        """As `Store.revoke_token_credential`."""
        with self._lock:
            token = self._tokens.live(oauth_token, self.clock())
            if token is None or user_id not in (None, token.user_id):
                return False
            del self._tokens[oauth_token]
            self._note_token("token.revoked", token, _revoker(user_id))
            return True

    async def revoke_token_credentials(self, *, user_id: str | None = None, client_id: str | None = None) -> int:
        """As `Store.revoke_token_credentials`."""
        if user_id is None and client_id is None:
            raise ValueError("revoke_token_credentials needs a user_id, a client_id or both")
        with self._lock:
            found = self._selected(user_id, client_id)
            for token in found:
                del self._tokens[token.oauth_token]
                self._note_token("token.revoked", token, _revoker(user_id))
        return len(found)

    async def issue_token_credential(
        self, client_id: str, user_id: Any, *, scope: str = "", lifetime: float | None = None
    ) -> TokenCredential:
        """As `Store.issue_token_credential`."""
        credential = issued(client_id, await user_id_of(user_id), scope, lifetime, self.clock())
        with self._lock:
            check_may_have_tokens(self._clients.get(client_id), client_id)
            check_text(credential)
            return self._add(credential, Actor("application"))

    def note_use(self, client_id: str, oauth_token: str | None, user_agent: str = "") -> None:
        """As `RecordsUses.note_use`."""
        token = self._tokens.get(oauth_token or "")
        if client_id not in self._clients if oauth_token is None else token is None:
            return
        if self._tokens.note_use(client_id, oauth_token or "", self.clock(), user_agent):
            usual = Actor("client", client_id)
            with self._lock:
                if token is None:
                    self._note("client.first_used", client_id, usual=usual)
                else:
                    self._note_token("token.first_used", token, usual)

    async def last_uses(self, *, user_id: str | None = None, client_id: str | None = None) -> list[LastUse]:
        """As `RecordsUses.last_uses`."""
        with self._lock:
            return self._tokens.last_uses(user_id, client_id)

    async def reencrypt(self) -> int:
        """Nothing is encrypted in memory."""
        return 0

    def _add(self, credential: TokenCredential, usual: Actor) -> TokenCredential:
        added = self._tokens.add(credential)
        self._note_token("token.created", added, usual)
        return added

    def leave_behind(self) -> None:
        """As `ProcessBound.leave_behind`."""
        if not (self._opened or self._nonces or self._temporary or self._tokens):
            self._bind()  # only clients, which a program may register before it forks
            self._lock = Lock()
            return
        nothing: Any = LeftBehind(
            self.url, "make a memory store in each worker, or use one that processes can share, such as sqlite:///"
        )
        self._clients = self._tokens = self._temporary = self._ended = self._nonces = self._lock = nothing


def _is_printable(*texts: str) -> bool:
    """Whether all are text that every store can keep: the usual case, found in one step."""
    try:
        return "".join(texts).isprintable()
    except TypeError:
        return False


def _revoker(user_id: str | None) -> Actor:
    return Actor("application") if user_id is None else Actor("user", user_id)
