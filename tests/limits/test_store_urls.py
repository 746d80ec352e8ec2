"""The URLs of servers on which limits are counted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from async_oauth1.errors import StoreError, TooManyRequestsError
from async_oauth1.limits import Limits, Rates
from async_oauth1.testing import Clock
from tests.servers import Valkey


@pytest.fixture
def socket_server() -> Iterator[Valkey]:
    """A Valkey server that also listens on a Unix socket."""
    server = Valkey("--unixsocket", "socket")
    yield server
    server.close()


async def test_a_unix_socket(socket_server: Valkey, clock: Clock) -> None:
    """Requests are counted on the server behind the socket."""
    url = f"unix://{socket_server.folder}/socket"
    limits = Limits(url, sign_in=Rates(per_address="1/day"), clock=clock, timeout=60.0)
    try:
        await limits.count_sign_in("203.0.113.7")
        with pytest.raises(TooManyRequestsError):
            await limits.count_sign_in("203.0.113.7")
    finally:
        await limits.close()
    with socket_server.client() as client:
        assert client.dbsize() == 1


@pytest.mark.parametrize("scheme", ["redis", "rediss", "valkey", "valkeys"])
async def test_the_port_may_be_left_out(scheme: str) -> None:
    """As in the URL of a store."""
    await Limits(f"{scheme}://user:password@127.0.0.1/0").close()


@pytest.mark.parametrize("url", ["http://127.0.0.1", "127.0.0.1:6379", "memcached://127.0.0.1"])
def test_another_scheme(url: str) -> None:
    """It is refused, and the message names the schemes."""
    with pytest.raises(StoreError, match="memory://, redis://, rediss://, valkey:// or unix://"):
        Limits(url)
