"""The log of a flood of refusals is bounded, and says how many refusals it does not show."""

from __future__ import annotations

import io
import json
import logging
import random
from collections.abc import Iterator

import psutil  # type: ignore[import-untyped]
import pytest

from async_oauth1 import Policy
from async_oauth1.errors import InvalidSignatureError
from async_oauth1.logs import JSONFormatter
from async_oauth1.provider.records.sampling import MAX_KINDS, WINDOW, Kind, RefusalSampler, kind_of
from async_oauth1.provider.refusals import log_refusal
from tests.protocol.wire import Signer, Wire
from tests.provider.provider import Clock, Provider
from tests.stress import STRESS

FLOOD = 100_000 if STRESS else 2_000


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What the logger writes at INFO, as JSON."""
    log, stream = logging.getLogger("async_oauth1"), io.StringIO()
    handler, level = logging.StreamHandler(stream), log.level
    handler.setFormatter(JSONFormatter())
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    yield stream
    log.removeHandler(handler)
    log.setLevel(level)


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    """The objects that were written."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def suppressed(stream: io.StringIO) -> int:
    """How many refusals the log says that it does not show."""
    counts = [line["oauth1.suppressed"] for line in lines(stream) if "oauth1.suppressed" in line]
    return sum(count for count in counts if isinstance(count, int))


@pytest.mark.stress
def test_a_flood_from_one_address(written: io.StringIO) -> None:
    """100,000 refusals: under 1 MB of log and flat memory, although each names another client, and none is lost."""
    provider = Provider()
    sampler = provider.protector._sampler
    signer = Signer()
    before = psutil.Process().memory_info().rss
    for number in range(FLOOD):
        provider.refusal(signer.wire(oauth_consumer_key=f"c{number}"), two_legged=True)
    assert psutil.Process().memory_info().rss - before < 20_000_000
    sampler.flush()
    assert len(written.getvalue()) < 1_000_000
    shown = [line for line in lines(written) if line["event.name"] == "oauth1.request.refused"]
    assert len(shown) + suppressed(written) == FLOOD
    assert len(shown) >= 60


def test_kinds_are_told_apart(written: io.StringIO) -> None:
    """A flood hides neither other reasons nor other addresses, nor the refusals of clients that exist."""
    provider = Provider(Policy(logged_refusals_per_minute=2))
    for _ in range(10):
        provider.refusal(Signer("made-up").wire(), two_legged=True)
    provider.refusal(Wire())
    provider.refusal(Signer("made-up").wire(peer="192.0.2.8"), two_legged=True)
    provider.refusal(provider.client.wire(signature="x"), two_legged=True)
    assert [line["error.type"] for line in lines(written)] == [
        "invalid_client",
        "invalid_client",
        "unsigned_request",
        "invalid_client",
        "invalid_signature",
    ]


def test_the_minute_ends(written: io.StringIO) -> None:
    """The next refusal logs how many were not logged, and is logged itself."""
    clock = Clock(0.0)
    sampler = RefusalSampler(clock)
    for _ in range(5):
        log_refusal(InvalidSignatureError(), None, sampler, 2)
    assert suppressed(written) == 0
    clock.now = WINDOW
    log_refusal(InvalidSignatureError(), None, sampler, 2)
    events = [line["event.name"] for line in lines(written)]
    assert events == [*["oauth1.request.refused"] * 2, "oauth1.refusals.suppressed", "oauth1.request.refused"]
    assert suppressed(written) == 3


def test_the_minute_ends_without_another_refusal() -> None:
    """A timer reports: after a flood, the log is complete."""
    sampler = RefusalSampler(Clock(0.0))
    kind = Kind("invalid_signature", None, "192.0.2.7")
    assert [sampler.admits(kind, 1) for _ in range(2)] == [True, False]
    assert sampler._waiting is not None
    assert sampler._waiting.daemon
    assert sampler._waiting.interval == WINDOW
    sampler.flush()
    assert sampler._waiting is None


def test_one_in_a_thousand_is_logged() -> None:
    """Above the limit the log still shows examples."""
    sampler = RefusalSampler(Clock(0.0))
    kind = Kind("invalid_signature", None, "192.0.2.7")
    assert sum(sampler.admits(kind, 60) for _ in range(10_060)) == 60 + 10
    sampler.flush()


def test_no_limit() -> None:
    """With `None` each refusal is logged."""
    sampler = RefusalSampler(Clock(0.0))
    assert all(sampler.admits(Kind("invalid_token", None, None), None) for _ in range(1_000))


def test_many_addresses_do_not_fill_the_memory() -> None:
    """Kinds are bounded, and addresses of one IPv6 network are one."""
    sampler = RefusalSampler(Clock(0.0))
    logged = sum(sampler.admits(Kind("invalid_token", None, str(number)), 1) for number in range(5_000))
    assert len(sampler._counts) == MAX_KINDS + 1
    assert logged < MAX_KINDS + 10
    sampler.flush()
    numbers = random.Random(0)
    peers = [f"2001:db8::{numbers.randrange(0xFFFF):x}" for _ in range(100)]
    assert len({kind_of("invalid_token", None, peer) for peer in peers}) == 1
    assert kind_of("x", None, "fe80::1%a\n").peer == "fe80:0000:0000:0000::/64"


@pytest.mark.parametrize("wrong", [0, -1, True, "60"])
def test_a_limit_that_cannot_be(wrong: object) -> None:
    """The policy refuses it by name."""
    with pytest.raises(ValueError, match="logged_refusals_per_minute"):
        Policy(logged_refusals_per_minute=wrong)  # type: ignore[arg-type]
