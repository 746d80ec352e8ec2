"""A flood from one address costs neither memory nor a large log, and others are served."""

from __future__ import annotations

import io
import logging
import tracemalloc
from typing import Any

import pytest

from async_oauth1 import OAuth1Error, ResourceProtector
from async_oauth1.asgi import request_from_scope
from async_oauth1.limits import Limits, Rates
from async_oauth1.stores import MemoryStore
from async_oauth1.testing import Clock
from tests.attacks.signer import Keys, sign
from tests.attacks.wire import scope_of
from tests.stress import STRESS

CLIENT = Keys(client_id="client", client_secret="secret")
REQUESTS = 100_000 if STRESS else 1_000


@pytest.mark.stress
async def test_a_flood_from_one_address(store: MemoryStore, clock: Clock) -> None:
    """Each request names another client; 429 is logged as a sample, and a client at another address is served."""
    protector = ResourceProtector()
    protector.register_hooks(store)
    limits = Limits(clock=clock, resource=Rates(per_address="10/day", per_client="10/day"))
    limits.limit(protector)
    written = io.StringIO()
    handler, logger = logging.StreamHandler(written), logging.getLogger("async_oauth1")
    logger.addHandler(handler)
    level, logger.level = logger.level, logging.INFO

    def scope_from(keys: Keys, address: str = "203.0.113.7") -> dict[str, Any]:
        return scope_of(sign(keys, "GET", "/photos", content_type=None), client=(address, 4_000))

    flood = [scope_from(Keys(client_id=f"made up {number}", client_secret="x")) for number in range(500)]

    async def send(scope: dict[str, Any]) -> int:
        try:
            await protector.validate_request(request_from_scope(scope, protector.policy), two_legged=True)
        except OAuth1Error as error:
            return error.status_code
        return 200

    try:
        assert {await send(scope) for scope in flood} == {401, 429}
        tracemalloc.start()
        before, _ = tracemalloc.get_traced_memory()
        assert {await send(flood[number % 500]) for number in range(REQUESTS)} == {429}
        after, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert await send(scope_from(CLIENT, "198.51.100.1")) == 200
    finally:
        logger.removeHandler(handler)
        logger.level = level
    assert after - before < 1_000_000
    assert 0 < len(written.getvalue()) < 1_000_000
