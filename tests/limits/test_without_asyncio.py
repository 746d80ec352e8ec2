"""Counters in Redis without a loop of asyncio: in plain threads, and under trio."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import trio

from async_oauth1 import run_sync
from async_oauth1.errors import StoreUnavailableError, TooManyRequestsError
from async_oauth1.limits import Limits, Rates
from async_oauth1.testing import Clock
from tests.servers import Valkey


def attempt(limits: Limits, *, under_trio: bool) -> bool:
    """Whether one more attempt to sign in is admitted."""
    try:
        if under_trio:
            trio.run(limits.count_sign_in, "203.0.113.7")
        else:
            run_sync(limits.count_sign_in("203.0.113.7"))
    except TooManyRequestsError:
        return False
    return True


@pytest.mark.parametrize("under_trio", [False, True])
@pytest.mark.parametrize("store", ["memory", "valkey"])
def test_many_threads_share_one_limit(store: str, valkey: Valkey, clock: Clock, under_trio: bool) -> None:
    """All of them together admit what it says."""
    valkey.flush()
    url = "memory://" if store == "memory" else valkey.url
    limits = Limits(url, sign_in=Rates(per_address="20/day"), clock=clock, timeout=60.0)
    with ThreadPoolExecutor(8) as threads:
        admitted = list(threads.map(lambda _: attempt(limits, under_trio=under_trio), range(60)))
    assert admitted.count(True) == 20
    run_sync(limits.close())


def test_a_server_that_is_down_is_not_asked_by_each_thread(caplog: pytest.LogCaptureFixture) -> None:
    """Each attempt is refused, and the log has one line."""
    server = Valkey()
    server.close()
    limits = Limits(server.url, timeout=0.5)
    for _ in range(3):
        with pytest.raises(StoreUnavailableError):
            run_sync(limits.count_sign_in("203.0.113.7"))
    assert caplog.text.count("limits cannot be counted") == 1
    run_sync(limits.close())
