"""The Redis store's marks of exchanged tokens: keys that never expire."""

from __future__ import annotations

from abc import abstractmethod
from hashlib import blake2b
from typing import Any

from async_oauth1.stores.base import BaseStore, required_text

from .node import Script
from .scripts import MARK_EXCHANGED, UNMARK_EXCHANGED

__all__ = ["ExchangesInRedis"]

# What a key contains, after the prefix.
_EXCHANGED = b"x"


class ExchangesInRedis(BaseStore):
    """The part of the Redis store that implements `MarksExchanges`."""

    _provider: Any  # a property

    @abstractmethod
    async def _run(self, script: Script, name: str, *arguments: str | int, kind: bytes = b"") -> Any:
        """Run a script at the node that has a key."""

    async def mark_exchanged(self, client_id: str, oauth_token: str) -> bool:
        """As `MarksExchanges.mark_exchanged`."""
        name = self._exchange_name(client_id, oauth_token)
        return bool(await self._run(MARK_EXCHANGED, name, kind=_EXCHANGED))

    async def unmark_exchanged(self, client_id: str, oauth_token: str) -> bool:
        """As `MarksExchanges.unmark_exchanged`."""
        name = self._exchange_name(client_id, oauth_token)
        return bool(await self._run(UNMARK_EXCHANGED, name, kind=_EXCHANGED))

    def _exchange_name(self, client_id: str, oauth_token: str) -> str:
        required_text(client_id=client_id, oauth_token=oauth_token)  # no NUL, which keeps the values apart
        whole = f"{self._provider}\0{client_id}\0{oauth_token}".encode()
        return blake2b(whole, digest_size=32).hexdigest()
