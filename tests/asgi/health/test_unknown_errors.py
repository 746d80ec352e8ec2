"""What the readiness check logs if a store fails with an error that is not an outage."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from async_oauth1.asgi import health_endpoints
from async_oauth1.errors import StoreUnavailableError
from async_oauth1.stores import MemoryStore
from tests.attacks.signer import Message
from tests.attacks.wire import call


class Failing(MemoryStore):
    """A store whose ping fails as it is told to."""

    def __init__(self, scheme: str) -> None:
        super().__init__()
        self.url = f"{scheme}://jane:hunter2@db/photos"
        self.failure: Exception | None = None

    async def ping(self) -> None:
        if self.failure is not None:
            raise self.failure


async def probe(first: Failing, second: Failing, failures: Sequence[Exception | None], times: int = 2) -> None:
    """Ask whether the stores are ready, some times for each failure of the first one."""
    app = health_endpoints(first, second)
    for failure in failures:
        first.failure = failure
        for _ in range(times):
            answer = await call(app, Message(method="GET", target=b"/health/ready"))
            assert answer.status == (503 if failure or second.failure else 200)


def tracebacks(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """The lines with an error, each with the error's text."""
    return [(each.message, str(each.exc_info[1])) for each in caplog.records if each.exc_info]


async def test_an_error_is_logged_once_until_it_changes(caplog: pytest.LogCaptureFixture) -> None:
    """With its traceback and the kind of the store; again after the store has answered."""
    failures = [
        RuntimeError("no table"),
        RuntimeError("no column"),
        StoreUnavailableError(),
        None,
        RuntimeError("no table"),
    ]
    await probe(Failing("sqlite"), Failing("redis"), failures)
    said = ["no table", "no column", "no table"]
    assert tracebacks(caplog) == [("health: sqlite failed", text) for text in said]
    assert "hunter2" not in caplog.text


async def test_an_outage_in_between_ends_no_error(caplog: pytest.LogCaptureFixture) -> None:
    """Only an answer does."""
    error = RuntimeError("no table")
    await probe(Failing("sqlite"), Failing("redis"), [error, StoreUnavailableError(), error])
    assert len(tracebacks(caplog)) == 1


async def test_each_store_has_errors_of_its_own(caplog: pytest.LogCaptureFixture) -> None:
    """The same error of two stores is logged for each, and one that answers ends none of the other."""
    first, second = Failing("sqlite"), Failing("redis")
    second.failure = RuntimeError("broken")
    await probe(first, second, [RuntimeError("broken"), None, RuntimeError("broken")])
    assert [line for line, _ in tracebacks(caplog)] == [
        f"health: {name} failed" for name in ("sqlite", "redis", "sqlite")
    ]


async def test_errors_that_always_differ_do_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """As those with an address or a time in them."""
    await probe(Failing("sqlite"), Failing("redis"), [RuntimeError(f"attempt {number}") for number in range(30)])
    assert len(tracebacks(caplog)) == 8
