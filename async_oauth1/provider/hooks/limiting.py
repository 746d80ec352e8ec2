"""What may limit the requests to a server; `async_oauth1.limits` does."""

from __future__ import annotations

import inspect
from typing import Any, ClassVar, Protocol, runtime_checkable

from async_oauth1.policy import Policy
from async_oauth1.protocol.request import OAuth1Request
from async_oauth1.retirement import Retirement

__all__ = ["Limitable", "LimitedByFlows", "RequestLimiter", "RetiredByFlows"]


class RequestLimiter(Protocol):
    """Limits how many requests a client and an address may send. `async_oauth1.limits.Limits` is one.

    Its methods raise `TooManyRequestsError`. ``endpoint`` is ``temporary_credentials``, ``token`` or ``resource``.
    """

    async def count_arrival(self, request: OAuth1Request, endpoint: str, policy: Policy) -> None:
        """Count a request for its address, before anything is looked up."""
        ...

    async def count_client(self, request: OAuth1Request, endpoint: str) -> None:
        """Count a request for its client, once the signature holds and the nonce is used."""
        ...

    async def admit_verifier(self, request: OAuth1Request, policy: Policy) -> None:
        """Refuse to compare a verifier if there were too many wrong ones."""
        ...

    async def count_wrong_verifier(self, request: OAuth1Request, policy: Policy) -> None:
        """Count a wrong verifier."""
        ...


@runtime_checkable
class Limitable(Protocol):
    """A server whose requests can be limited.

    Attributes:
        limiter: limits them; ``None`` for no limits.
    """

    limiter: RequestLimiter | None


class LimitedByFlows:
    """A server with Authlib's surface, whose flows count its requests."""

    #: Whether the flows may run in a thread without an event loop.
    may_block: ClassVar[bool] = True
    _flows: Any

    @property
    def limiter(self) -> RequestLimiter | None:
        """What limits the requests; `async_oauth1.limits.Limits.limit` sets it."""
        limiter: RequestLimiter | None = self._flows.limiter
        return limiter

    @limiter.setter
    def limiter(self, limiter: RequestLimiter | None) -> None:
        self._flows.limiter = limiter


class RetiredByFlows:
    """A resource protector with Authlib's surface, whose flows announce the end of OAuth 1.0."""

    _flows: Any

    @property
    def retirement(self) -> Retirement | None:
        """The announced end of OAuth 1.0; ``None`` if it goes on. Set it before the first request.

        Its ``usage`` must be a plain function that returns at once: in synchronous views the request waits for it.

        Raises:
            TypeError: ``usage`` is a coroutine function, and synchronous views have no event loop.
        """
        retirement: Retirement | None = self._flows.retirement
        return retirement

    @retirement.setter
    def retirement(self, retirement: Retirement | None) -> None:
        if retirement is not None and inspect.iscoroutinefunction(retirement.usage):
            raise TypeError(
                f"usage must be a plain function for this {type(self).__name__}; synchronous views have no event loop"
            )
        self._flows.retirement = retirement
