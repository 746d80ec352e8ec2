"""Bad requests beside good ones: the effect on the good ones, and the memory and rows that the bad ones take.

Good requests are sent at 30% of the rate that the provider answers, bad ones at 30% of the rate that it refuses.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.servers import Postgres, Valkey

from .load.duels import PROTECTED, Opponent, Plan, Side, Size, open_sides
from .load.pacing import paced
from .load.processes import ROOT, ProviderProcess
from .load.signing import Signer
from .load.wrk import Burst, Pace, burst, status_of

__all__ = ["KINDS", "run"]

SHARE = 0.3
#: Many clients with long pauses, so that the rate hardly depends on how long the answers take.
GOOD_CONNECTIONS, BAD_CONNECTIONS = 200, 16
#: 30% of the thousand connections of the other measurements.
SLOW_CONNECTIONS = 300
PARAMETERS = 400_000
HEADER_BYTES = 64_000


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of bad requests.

    Attributes:
        title: as in the table.
        make: makes the request that is repeated, for a host; ``None`` for signed or slow requests.
        slow: bodies are sent slowly.
        explained: the provider explains refusals (`Policy.explain_refusals`).
    """

    title: str
    make: Callable[[str], bytes] | None = None
    slow: bool = False
    explained: bool = False


def _head(host: str, method: str, *lines: str) -> bytes:
    head = [f"{method} {PROTECTED} HTTP/1.1", f"Host: {host}", *lines, "", ""]
    return "\r\n".join(head).encode()


def _authorization(host: str, more: str = "") -> str:
    signer = Signer(host, PROTECTED, secret="wrong" * 4)
    [header] = signer.headers(1)
    return f"Authorization: {header}{more}"


def many_parameters(host: str) -> bytes:
    """A form of 400,000 parameters that is not larger than a form may be."""
    body = b"&".join([b"a"] * PARAMETERS)
    form = "Content-Type: application/x-www-form-urlencoded"
    return _head(host, "POST", _authorization(host), form, f"Content-Length: {len(body)}") + body


def large_header(host: str) -> bytes:
    """An Authorization header of 64 kB, just below the limit, so that the provider reads all of it."""
    one = ', x{:03d}="' + "v" * 68 + '"'
    return _head(host, "GET", _authorization(host, "".join(one.format(n) for n in range(HEADER_BYTES // len(one)))))


KINDS = {
    "signature": Kind("wrong signatures"),
    "explained": Kind("wrong signatures, explained", explained=True),
    "parameters": Kind("400,000 parameters", many_parameters),
    "header": Kind("64 kB headers", large_header),
    "slow": Kind("slow bodies, 300 at a time", slow=True),
}


def bad_burst(opponent: Opponent, kind: Kind, seconds: int, pace: Pace | None = None) -> Burst:
    """Send bad requests, and check that each is refused."""
    make = kind.make
    requests = opponent.signer if make is None else make(opponent.provider.host)
    if not 400 <= (status := status_of(opponent.provider, requests)) < 500:
        raise AssertionError(f"{kind.title} are answered with {status}")
    result = burst(
        opponent.provider, requests, connections=BAD_CONNECTIONS, seconds=seconds, pace=pace, settle=pace is None
    )
    opponent.check(result)
    return result


@contextmanager
def slow_bodies(provider: ProviderProcess) -> Iterator[None]:
    """Keep connections open that send their bodies one octet at a time."""
    command = [sys.executable, "-m", "benchmarks.load.slow_bodies", provider.host, str(SLOW_CONNECTIONS)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL)
    try:
        time.sleep(1.0)
        yield
        if process.poll() is not None:
            raise OSError("the slow bodies have ended early")
    finally:
        process.terminate()
        process.wait()


@contextmanager
def bad_load(opponent: Opponent, kind: Kind, capacity: float, seconds: int) -> Iterator[None]:
    """Send bad requests in the background."""
    if kind.slow:
        with slow_bodies(opponent.provider):
            yield
        return
    think = BAD_CONNECTIONS / (SHARE * capacity) * 1_000
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(bad_burst, opponent, kind, seconds, Pace(think))
        yield
        running.result()


_ROWS = """\
SELECT 'nonce ' || md5(t::text) FROM oauth1_nonce t
UNION ALL SELECT 'temporary ' || md5(t::text) FROM oauth1_temporary_credential t
UNION ALL SELECT 'token ' || md5(t::text) FROM oauth1_token_credential t
UNION ALL SELECT 'client ' || md5(t::text) FROM oauth1_client t"""


def stored(postgres: Postgres, valkey: Valkey) -> set[str]:
    """All nonces and credentials in both servers; as a set, because expired ones would hide new ones in a count."""
    with valkey.client() as client:
        keys = {f"valkey {key.hex()}" for key in client.scan_iter(count=10_000)}
    return keys.union(postgres.sql(_ROWS).splitlines())


def run(plan: Plan, postgres: Postgres, valkey: Valkey, *, quick: bool = False) -> list[dict[str, Any]]:
    """Measure every kind.

    Args:
        plan: shared by all measurements.
        postgres: the server whose rows are counted.
        valkey: the server whose keys are counted.
        quick: measure one pair of short bursts.
    """
    results: list[dict[str, Any]] = []
    for explained in (False, True):
        kinds = {key: kind for key, kind in KINDS.items() if kind.explained is explained}
        results += _measured(plan, postgres, valkey, kinds, quick=quick)
    return results


def _measured(
    plan: Plan, postgres: Postgres, valkey: Valkey, kinds: dict[str, Kind], *, quick: bool
) -> list[dict[str, Any]]:
    """Measure the kinds for which the provider is configured alike."""
    name = "ours-redis+middleware+lingering"
    if any(kind.explained for kind in kinds.values()):
        name += "+explaining"
    sides = (Side("good", name), Side("bad", name, genuine=False, refused=True))
    size = Size(GOOD_CONNECTIONS, 1 if quick else 11, 1 if quick else 2)
    with open_sides(sides, plan.settings) as (good, bad):
        capacity = good.burst(Size(64, 1, 2)).rate
        _warm_up(good, SHARE * capacity, size)
        results = []
        for key, kind in kinds.items():
            plan.say(f"bad input: {kind.title}")
            before = stored(postgres, valkey)
            refused = _alone(bad, kind, size.seconds)
            left_behind = len(stored(postgres, valkey) - before)
            rate = SHARE * capacity
            _pair(good, bad, kind, rate, refused, size)  # warms up: the first connections and buffers are not growth
            memory = good.provider.resident_bytes()
            pairs = [_pair(good, bad, kind, rate, refused, size) for _ in range(size.pairs)]
            results.append(
                {
                    "key": key,
                    "title": kind.title,
                    "good_rate": rate,
                    "refused_per_second": refused,
                    "left_behind": left_behind,
                    "memory": [memory, good.provider.resident_bytes()],
                    "bursts": pairs,
                }
            )
    return results


def _warm_up(good: Opponent, rate: float, size: Size) -> None:
    """Send as many bursts of good requests as are measured beside one kind of bad ones.

    What the server keeps of their closed connections until the garbage is collected is then not taken for growth.
    """
    for _ in range(2 * size.pairs):
        paced(good, rate, size)


def _alone(bad: Opponent, kind: Kind, seconds: int) -> float:
    if kind.slow:
        with slow_bodies(bad.provider):
            time.sleep(seconds)
        bad.provider.settle()
        return float(SLOW_CONNECTIONS)
    return bad_burst(bad, kind, seconds).rate


def _pair(good: Opponent, bad: Opponent, kind: Kind, rate: float, capacity: float, size: Size) -> list[dict[str, Any]]:
    """Good requests alone, and beside bad ones."""
    alone = paced(good, rate, size)
    with bad_load(bad, kind, capacity, size.seconds + 2):
        beside = paced(good, rate, size)
    bad.provider.settle()
    return [alone.as_json(), beside.as_json()]
