"""Two sides in turns: A B A B ..., so that each pair of bursts meets the same machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.providers.settings import Settings

from .processes import ProviderProcess
from .signing import CLIENT_SECRET, Signer
from .wrk import FASTEST, Burst, burst, status_of

__all__ = ["Duel", "Plan", "Side", "Size", "fight", "open_sides"]

PROTECTED, TWIN = "/photos", "/albums"


@dataclass(frozen=True, slots=True)
class Side:
    """Who is asked for what.

    Attributes:
        title: as in the tables.
        provider: as `ProviderProcess` knows it; sides of one name share a process.
        path: `PROTECTED` or `TWIN`.
        cold: every request has a token that was not seen before.
        genuine: the signatures hold.
        refused: every answer is expected to be a refusal.
    """

    title: str
    provider: str
    path: str = PROTECTED
    cold: bool = False
    genuine: bool = True
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Size:
    """How long a duel takes.

    Attributes:
        connections: open at the same time.
        pairs: of bursts.
        seconds: of each burst.
    """

    connections: int
    pairs: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Duel:
    """Two sides, and how long they are compared."""

    key: str
    title: str
    sides: tuple[Side, Side]
    sizes: tuple[Size, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What all duels share.

    Attributes:
        settings: of the providers.
        say: told what is being measured.
    """

    settings: Settings
    say: Callable[[str], None]


class Opponent:
    """A side whose provider runs."""

    def __init__(self, side: Side, provider: ProviderProcess, known_tokens: int) -> None:
        """Get ready to sign."""
        self.side, self.provider = side, provider
        secret = CLIENT_SECRET if side.genuine else CLIENT_SECRET[::-1]
        self.signer = Signer(provider.host, side.path, cold=known_tokens if side.cold else 0, secret=secret)
        self.fastest = 0.0

    def burst(self, size: Size) -> Burst:
        """One burst, of which every answer is the one expected.

        Raises:
            AssertionError: some were not; what was measured is something else.
        """
        result = self._burst(size)
        if (
            not result.requests
        ):  # at a thousand connections the slowest providers may need longer for their first answer
            result = self._burst(replace(size, seconds=4 * size.seconds))
        self.fastest = max(self.fastest, result.rate)
        self.check(result)
        return result

    def _burst(self, size: Size) -> Burst:
        expected = max(2 * self.fastest, FASTEST / 2)
        return burst(self.provider, self.signer, connections=size.connections, seconds=size.seconds, expected=expected)

    def probe(self) -> None:
        """See one answer before thousands are counted.

        Raises:
            AssertionError: it has another status.
        """
        status, wanted = status_of(self.provider, self.signer), 401 if self.side.refused else 200
        if status != wanted:
            raise AssertionError(f"{self.side.title} answers with {status} instead of {wanted}")

    def check(self, result: Burst) -> None:
        """Every answer was the one expected."""
        wanted = result.requests if self.side.refused else 0
        if result.not_ok != wanted or not result.requests:
            raise AssertionError(
                f"{self.side.title}: of {result.requests} answers {result.not_ok} were refusals, and not {wanted};"
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
                opponent.burst(replace(size, seconds=(size.seconds + 1) // 2))  # warms up, and says how many to sign
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
