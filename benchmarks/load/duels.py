"""Measuring two sides in turns, A B A B ..., so that both bursts of a pair run under the same conditions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.providers.settings import Settings

from .processes import ProviderProcess
from .signing import CLIENT_SECRET, Signer
from .wrk import FASTEST, Burst, RanOutError, burst, status_of

__all__ = ["Duel", "Plan", "Side", "Size", "fight", "open_sides"]

PROTECTED, TWIN = "/photos", "/albums"


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison: a provider and a route.

    Attributes:
        title: as in the tables.
        provider: name for `ProviderProcess`; sides with the same name share a process.
        path: `PROTECTED` or `TWIN`.
        cold: every request has a new token.
        genuine: the signatures are correct.
        refused: every request must be refused.
    """

    title: str
    provider: str
    path: str = PROTECTED
    cold: bool = False
    genuine: bool = True
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Size:
    """The size of a comparison.

    Attributes:
        connections: number of open connections.
        pairs: number of pairs of bursts.
        seconds: length of each burst.
    """

    connections: int
    pairs: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Duel:
    """Two sides, and the sizes at which they are compared."""

    key: str
    title: str
    sides: tuple[Side, Side]
    sizes: tuple[Size, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What all measurements share.

    Attributes:
        settings: of the providers.
        say: prints progress.
    """

    settings: Settings
    say: Callable[[str], None]


class Opponent:
    """A side with its running provider."""

    def __init__(self, side: Side, provider: ProviderProcess, known_tokens: int) -> None:
        """Prepare the signer."""
        self.side, self.provider = side, provider
        secret = CLIENT_SECRET if side.genuine else CLIENT_SECRET[::-1]
        self.signer = Signer(provider.host, side.path, cold=known_tokens if side.cold else 0, secret=secret)
        self.fastest = 0.0

    def burst(self, size: Size) -> Burst:
        """Measure one burst.

        Raises:
            AssertionError: an answer has an unexpected status, so the figures are not valid.
            RanOutError: the provider answered more requests than were signed, twice or with cold tokens.
        """
        try:
            result = self._burst(size)
        except RanOutError:
            if self.side.cold:  # the tokens are used up, and are not cold any more
                raise
            self.fastest = 3 * max(self.fastest, FASTEST / 2)
            result = self._burst(size)
        if not result.requests:  # with 1,000 connections, the slowest providers may need longer for the first answer
            result = self._burst(replace(size, seconds=4 * size.seconds))
        self.fastest = max(self.fastest, result.rate)
        self.check(result)
        return result

    def _burst(self, size: Size) -> Burst:
        expected = max(2 * self.fastest, FASTEST / 2)
        return burst(self.provider, self.signer, connections=size.connections, seconds=size.seconds, expected=expected)

    def probe(self) -> None:
        """Check the status of one answer.

        Raises:
            AssertionError: it is not the expected one.
        """
        status, wanted = status_of(self.provider, self.signer), 401 if self.side.refused else 200
        if status != wanted:
            raise AssertionError(f"{self.side.title} answers with {status} instead of {wanted}")

    def check(self, result: Burst) -> None:
        """Check that every answer had the expected status."""
        wanted = result.requests if self.side.refused else 0
        if result.not_ok != wanted or not result.requests:
            raise AssertionError(
                f"{self.side.title}: of {result.requests} answers, {result.not_ok} were refusals instead of {wanted};"
                f" the provider says:\n{self.provider.output()[-2000:]}"
            )


@contextmanager
def open_sides(sides: tuple[Side, ...], settings: Settings) -> Iterator[list[Opponent]]:
    """Start the providers of the sides, each once."""
    with ExitStack() as stack:
        providers: dict[str, ProviderProcess] = {}
        for name in dict.fromkeys(side.provider for side in sides):
            providers[name] = stack.enter_context(ProviderProcess(name, settings))
        opponents = [Opponent(side, providers[side.provider], settings.tokens) for side in sides]
        for opponent in opponents:
            opponent.probe()
        yield opponents


def fight(duel: Duel, plan: Plan) -> list[dict[str, Any]]:
    """Compare two sides, once for each size."""
    results = []
    with open_sides(duel.sides, plan.settings) as opponents:
        for size in duel.sizes:
            plan.say(f"{duel.title}, {size.connections:,} connections")
            for opponent in opponents:
                opponent.burst(
                    replace(size, seconds=(size.seconds + 1) // 2)
                )  # warms up, and measures how many requests to sign
            pairs = [[opponent.burst(size) for opponent in opponents] for _ in range(size.pairs)]
            results.append(
                {
                    "key": duel.key,
                    "title": duel.title,
                    "connections": size.connections,
                    "sides": [side.title for side in duel.sides],
                    "bursts": [[one.as_json() for one in pair] for pair in pairs],
                }
            )
    return results
