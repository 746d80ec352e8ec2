"""What the tool and the outcome service share: consumers and their switches, the rules, and explaining refusals."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

from async_oauth1.credentials import ClientLike, MaybeAwaitable
from async_oauth1.errors import OAuth1Error
from async_oauth1.explaining import LoopObserver, ThreadObserver
from async_oauth1.policy import Policy
from async_oauth1.protocol.request import OAuth1Request
from async_oauth1.provider.hooks import ExistsNonce, HookStore, QueryClient, call_hook
from async_oauth1.provider.leniency import apply_tolerances, tolerances_of
from async_oauth1.provider.verification import BaseServer
from async_oauth1.tolerances import TIMESTAMP_WINDOW

from .consumers import switch, window_tolerance

__all__ = ["DEFAULT_POLICY", "LTIServer"]

log = logging.getLogger("async_oauth1")

#: The largest window that a consumer may have unless the policy says otherwise, in seconds: an hour, as between time
#: zones and daylight saving time. Nonces are kept for it.
LONGEST_WINDOW = 3600

#: The rules without a policy of one's own.
DEFAULT_POLICY = Policy(signature_methods=("HMAC-SHA1", "HMAC-SHA256"))


class LTIServer(BaseServer):
    """Verifies what is signed with the secret of a consumer alone."""

    REQUIRED_HOOKS: ClassVar[dict[str, str]] = {"query_consumer": "get_client_by_id", "exists_nonce": "exists_nonce"}

    def __init__(
        self,
        query_consumer: QueryClient[ClientLike] | None,
        exists_nonce: ExistsNonce | None,
        policy: Policy | None,
        *,
        clock: Callable[[], float] = time.time,
        **hooks: Callable[..., Any],
    ) -> None:
        """Start with a policy and hooks.

        Args:
            query_consumer: the hook of that name.
            exists_nonce: the hook of that name.
            policy: the rules; ``None`` for `DEFAULT_POLICY`.
            clock: Unix time in seconds.
            hooks: more hooks by name.
        """
        super().__init__(_completed(policy or DEFAULT_POLICY), clock=clock, **hooks)
        self.refusal_observer = _Observer(self)
        if query_consumer is not None:
            self.register_hook("query_consumer", query_consumer)
        if exists_nonce is not None:
            self.register_hook("exists_nonce", exists_nonce)

    def register_hooks(self, store: HookStore) -> None:
        """Fill the hooks that nothing has filled yet with the store's methods; ``query_client`` finds consumers.

        Raises:
            ValueError: the store has none, or keeps nonces for less than the policy needs.
        """
        query_client = getattr(store, "query_client", None)
        finds_clients = callable(query_client) and not hasattr(store, "query_consumer")
        if not finds_clients or any(callable(getattr(store, name, None)) for name in self.HOOKS):
            super().register_hooks(store)
        if finds_clients and query_client is not None and self.hooks.get("query_consumer") is None:
            self.register_hook("query_consumer", query_client)

    def get_client_by_id(self, client_id: str) -> MaybeAwaitable[ClientLike | None]:
        """Look the consumer up; by default the hook ``query_consumer``."""
        found: MaybeAwaitable[ClientLike | None] = self._hook("query_consumer")(client_id)
        return found

    async def find_tolerances(self, request: OAuth1Request) -> None:
        """Tell a request what is tolerated of its consumer, its ``timestamp_window`` included."""
        names = await tolerances_of(request.client, request.client_id)
        if window := await switch(request.client, "timestamp_window"):
            others = (name for name in names if not name.startswith(TIMESTAMP_WINDOW))
            names = (*others, window_tolerance(window))
        apply_tolerances(request, names, self.policy.tolerances, self.longest_window, self.clock)

    async def look_up(self, request: OAuth1Request) -> bool:
        """Look the consumer up. A disabled one is treated like an unknown one."""
        request.client = await call_hook(self.get_client_by_id, request.client_id)
        if request.client is not None and await switch(request.client, "disabled"):
            log.info("Consumer %r is disabled, so its request is refused as from an unknown one.", request.client_id)
            request.client = None
        return False


class _Observer:
    """Explains refusals on the event loop, or in a thread if none runs here."""

    def __init__(self, server: LTIServer) -> None:
        self._on_loop = LoopObserver(server)
        self._in_thread = ThreadObserver(server, lambda: server.hooks.get("on_refusal"))

    def __call__(self, request: OAuth1Request, error: OAuth1Error) -> None:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            self._in_thread(request, error)
        else:
            self._on_loop(request, error)


def _completed(policy: Policy) -> Policy:
    longest = policy.longest_timestamp_window or max(LONGEST_WINDOW, policy.timestamp_window)
    return replace(policy, longest_timestamp_window=longest, explain_refusals=policy.explain_refusals or True)
