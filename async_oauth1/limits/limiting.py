"""Limits on what one client and one address may do."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Collection, Iterable
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any, Literal, ParamSpec

from async_oauth1.errors import StoreUnavailableError
from async_oauth1.policy import Policy
from async_oauth1.protocol.request import OAuth1Request
from async_oauth1.provider.hooks.limiting import Limitable

from .addresses import address_of
from .answers import Counted, header_fields, refuse_beyond
from .counting import Counter
from .rates import Rates, Rule, rules_of
from .storages import needs_loop, open_counter

if TYPE_CHECKING:
    from limits.aio.storage import Storage as AsyncStorage
    from limits.storage import Storage as BlockingStorage

__all__ = ["Limits"]

log = logging.getLogger("async_oauth1")

#: Windows of which it is remembered that they are used up, so that a flood asks no store.
_MOST_REMEMBERED = 10_000

P = ParamSpec("P")


class _RulesOf:
    """The rules of one endpoint."""

    def __init__(self, endpoint: str, rates: Rates) -> None:
        self.of_client = rules_of(endpoint, "client", rates.per_client)
        self.of_address = rules_of(endpoint, "address", rates.per_address)


class Limits:
    """Limits what one client and one address may do, and answers 429 beyond.

        limits = Limits("redis://127.0.0.1:6379/0", resource=Rates(per_client="600/minute"))
        limits.limit(server, require_oauth)

    Requests are counted in fixed windows of the clock, the refused ones, too. An address is counted as soon as its
    request arrives. A client is counted once its signature holds and its nonce is used, so that only the client itself
    can use up its limit.
    """

    def __init__(
        self,
        store: str | AsyncStorage | BlockingStorage = "memory://",
        *,
        temporary_credentials: Rates = Rates(per_address="300/minute", per_client="1000/minute"),  # noqa: B008 - frozen
        token: Rates = Rates(per_address="300/minute", per_client="1000/minute"),  # noqa: B008 - frozen
        wrong_verifiers: Rates = Rates(per_address="60/hour", per_client="60/hour"),  # noqa: B008 - frozen
        sign_in: Rates = Rates(per_address="60/minute"),  # noqa: B008 - frozen
        resource: Rates = Rates(),  # noqa: B008 - frozen
        trusted_proxies: Collection[str] | None = None,
        when_down: Literal["refuse", "allow"] = "refuse",
        timeout: float = 1.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Set the limits; nothing is counted before `limit` is called.

        Args:
            store: where requests are counted: ``memory://`` for each process by itself; the URL of a Redis or Valkey
                server for all together; or an open storage of ``limits.aio``, or of ``limits.storage``, which has a
                time limit of its own.
            temporary_credentials: of requests for temporary credentials (RFC 5849 section 2.1).
            token: of requests for token credentials (section 2.3).
            wrong_verifiers: of wrong ``oauth_verifier``s. Beyond, requests for token credentials are refused before
                the verifier is compared.
            sign_in: of attempts that `count_sign_in` counts.
            resource: of requests for protected resources.
            trusted_proxies: networks of proxies whose ``X-Forwarded-For`` and ``Forwarded`` say the address; ``None``
                for those of each server's policy.
            when_down: what happens if the store does not answer: ``refuse`` answers 503, ``allow`` counts nothing.
            timeout: seconds after which the store counts as down.
            clock: Unix time, in seconds.

        Raises:
            ValueError: a rate or a network that cannot be read, or another ``when_down``.
            StoreError: the store's URL has an unknown scheme.
        """
        if when_down not in ("refuse", "allow"):
            raise ValueError(f'when_down is "refuse" or "allow", not {when_down!r}')
        rates = {
            "temporary_credentials": temporary_credentials,
            "token": token,
            "wrong_verifiers": wrong_verifiers,
            "sign_in": sign_in,
            "resource": resource,
        }
        for network in trusted_proxies or ():
            ip_network(network)  # raises a ValueError that names the value
        self._rules = {name: _RulesOf(name, each) for name, each in rates.items()}
        self._when_down, self._clock = when_down, clock
        self._counter: Counter = open_counter(store, timeout, clock)
        self._used_up: set[str] = set()
        self._trusted_proxies = None if trusted_proxies is None else tuple(trusted_proxies)
        self._warned = False

    def limit(self, *servers: Any) -> None:
        """Limit servers from now on.

        Args:
            servers: authorization servers and resource protectors, also those of ``flask_compat`` and
                ``async_oauth1.django``.

        Raises:
            TypeError: something else than a server was given; or the storage needs an event loop, and a server may have
                none.
            ValueError: a server is limited already.
        """
        for server in servers:
            if not isinstance(server, Limitable):
                raise TypeError(f"limit takes resource protectors and authorization servers, not {server!r}")
            if needs_loop(self._counter) and getattr(server, "may_block", False):
                raise TypeError(
                    f"{type(server).__name__} counts without an event loop: use a URL, or a storage of limits.storage "
                    "instead of limits.aio"
                )
            if server.limiter is not None:
                raise ValueError(f"this {type(server).__name__} is limited already")
        for server in servers:
            server.limiter = self

    async def close(self) -> None:
        """Disconnect from the store."""
        await self._counter.close()

    async def count_sign_in(self, address: str) -> None:
        """Count an attempt to sign in.

        Args:
            address: as `client_address` returns it.

        Raises:
            TooManyRequestsError: there were too many.
            StoreUnavailableError: the store is down, unless ``when_down`` says otherwise.
        """
        await self._count(self._rules["sign_in"].of_address, address, "address")

    # Called by servers -----------------------------------------------------------------------------------------------

    async def count_arrival(self, request: OAuth1Request, endpoint: str, policy: Policy) -> None:
        """As `RequestLimiter.count_arrival`."""
        if rules := self._rules[endpoint].of_address:
            fields = await self._count(rules, self._address(request, policy), "address")
            request.response_fields = [*request.response_fields, *fields]

    async def count_client(self, request: OAuth1Request, endpoint: str) -> None:
        """As `RequestLimiter.count_client`."""
        if rules := self._rules[endpoint].of_client:
            fields = await self._count(rules, request.client_id or "", "client")
            request.response_fields = [*request.response_fields, *fields]

    async def admit_verifier(self, request: OAuth1Request, policy: Policy) -> None:
        """As `RequestLimiter.admit_verifier`."""
        for rules, subject, kind in self._of_verifiers(request, policy):
            refuse_beyond(await self._counts(rules, subject), kind, at=0)

    async def count_wrong_verifier(self, request: OAuth1Request, policy: Policy) -> None:
        """As `RequestLimiter.count_wrong_verifier`."""
        counts = [(await self._count_all(rules, who), kind) for rules, who, kind in self._of_verifiers(request, policy)]
        for counted, kind in counts:
            refuse_beyond(counted, kind)

    def _of_verifiers(self, request: OAuth1Request, policy: Policy) -> Iterable[tuple[tuple[Rule, ...], str, str]]:
        rules = self._rules["wrong_verifiers"]
        if rules.of_client:
            yield rules.of_client, request.client_id or "", "client"
        if rules.of_address:
            yield rules.of_address, self._address(request, policy), "address"

    def _address(self, request: OAuth1Request, policy: Policy) -> str:
        trusted = policy.trusted_proxies if self._trusted_proxies is None else self._trusted_proxies
        address = address_of(request, trusted)
        if not address and not self._warned:
            self._warned = True
            log.warning(
                "The server reports no addresses, so all requests count as those of one address. Let the server listen "
                "on a TCP port, name the proxy in trusted_proxies, or set no limits per address."
            )
        return address

    async def _count(self, rules: tuple[Rule, ...], subject: str, kind: str) -> list[tuple[str, str]]:
        """Count a request, and return the header fields that say what is left."""
        counted = await self._count_all(rules, subject)
        refuse_beyond(counted, kind)
        return header_fields(counted)

    async def _count_all(self, rules: tuple[Rule, ...], subject: str) -> list[Counted]:
        counted: list[Counted] = []
        for rule in rules:
            window = rule.window(subject, self._clock())
            if window.key in self._used_up:
                counted.append(Counted(rule, rule.amount + 1, window.ends_in))
            elif (count := await self._ask(self._counter.add, window.key, window.ends_in)) is not None:
                self._note(window.key, rule, count)
                counted.append(Counted(rule, count, window.ends_in))
        return counted

    async def _counts(self, rules: tuple[Rule, ...], subject: str) -> list[Counted]:
        """What is counted, without counting another one."""
        counted: list[Counted] = []
        for rule in rules:
            window = rule.window(subject, self._clock())
            if (count := await self._ask(self._counter.count, window.key)) is not None:
                counted.append(Counted(rule, count, window.ends_in))
        return counted

    async def _ask(self, question: Callable[P, Awaitable[int]], *args: P.args, **kwargs: P.kwargs) -> int | None:
        """Ask the store; ``None`` if it is down and that is allowed."""
        try:
            return await question(*args, **kwargs)
        except StoreUnavailableError:
            if self._when_down == "refuse":
                raise
            return None

    def _note(self, key: str, rule: Rule, count: int) -> None:
        """Remember a window that is used up: a count never falls, so that a flood need not ask the store."""
        if count > rule.amount:
            if len(self._used_up) >= _MOST_REMEMBERED:
                self._used_up.clear()
            self._used_up.add(key)
