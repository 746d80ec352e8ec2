"""A store as another project would write it, with public names only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from async_oauth1 import TemporaryCredential
from async_oauth1.errors import TooManyPendingError
from async_oauth1.stores import (
    GONE,
    BaseStore,
    new_temporary_credential,
    nonce_key,
    nonce_seconds,
    required_text,
    user_id_of,
)


class ThirdPartyStore(BaseStore):
    """Nonces and temporary credentials in dicts. It never removes a nonce, so it is for tests only."""

    shared = False

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__("third-party://", clock=clock)
        self._nonces: set[bytes] = set()
        self._pending: dict[str, tuple[float, TemporaryCredential]] = {}
        self._wrong: dict[str, int] = {}

    async def ping(self) -> None:
        pass

    async def exists_nonce(self, nonce: str, timestamp: str, client_id: str, oauth_token: str | None) -> bool:
        key = nonce_key(nonce, timestamp, client_id, oauth_token)
        is_known = key in self._nonces
        self._nonces.add(key)
        return is_known or self.is_stale(nonce_seconds(timestamp))

    async def create_temporary_credential(
        self, token: dict[str, str], client_id: str, redirect_uri: str
    ) -> TemporaryCredential:
        credential = new_temporary_credential(token, client_id, redirect_uri)
        self._pending = {name: entry for name, entry in self._pending.items() if entry[0] > self.clock()}
        if credential.oauth_token in self._pending:
            raise ValueError("oauth_token is taken")
        if sum(made.client_id == client_id for _, made in self._pending.values()) >= self.max_pending_per_client:
            raise TooManyPendingError()
        self._keep(credential, self.clock() + self.temporary_credential_lifetime)
        return credential

    async def get_temporary_credential(self, oauth_token: str) -> TemporaryCredential | None:
        expires_at, credential = self._pending.get(oauth_token, (0.0, None))
        return credential if expires_at > self.clock() else None

    async def delete_temporary_credential(self, oauth_token: str) -> bool:
        is_live = await self.get_temporary_credential(oauth_token) is not None
        return is_live and self._pending.pop(oauth_token) is not None

    async def create_authorization_verifier(self, credential: Any, grant_user: Any, verifier: str) -> bool:
        user_id = await user_id_of(grant_user)
        required_text(verifier=verifier)
        found = await self.get_temporary_credential(credential.oauth_token)
        if found is None or found.decided:
            return False
        decided = replace(found, user_id=user_id, oauth_verifier=verifier, decided=True)
        self._keep(decided, self._pending[found.oauth_token][0])
        return True

    async def deny_temporary_credential(self, oauth_token: str) -> bool:
        found = await self.get_temporary_credential(oauth_token)
        return found is not None and not found.decided and await self.delete_temporary_credential(oauth_token)

    async def count_wrong_verifier(self, oauth_token: str) -> int:
        if await self.get_temporary_credential(oauth_token) is None:
            return GONE
        self._wrong[oauth_token] = self._wrong.get(oauth_token, 0) + 1
        return self._wrong[oauth_token]

    def _keep(self, credential: TemporaryCredential, expires_at: float) -> None:
        self._pending[credential.oauth_token] = (expires_at, credential)
