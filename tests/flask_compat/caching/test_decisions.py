"""Decisions on temporary credentials in a cache: made in one step, which no other process sees half done."""

from __future__ import annotations

import asyncio
from typing import Any

import cachelib
import pytest

from tests.flask_compat.caching.test_cache import AsyncCache
from tests.flask_compat.caching.test_caches import register
from tests.flask_compat.client import Client
from tests.flask_compat.ported import Variant, make_provider

KEY = "temporary_credential:"


async def initiated(cache: Any, *, is_async: bool = False) -> Client:
    """A client with temporary credentials in the cache."""
    ported = make_provider(Variant("quart", True, is_async))
    register(ported, cache)
    client = Client(ported.app)
    answer = await client.send("POST", "/initiate", callback="https://client.test/ready")
    client.token, client.token_secret = answer.form["oauth_token"], answer.form["oauth_token_secret"]
    return client


async def test_an_approval_that_was_cut_off_is_complete() -> None:
    """If a process ends right after the decision, the same user gets it, and it can be exchanged."""
    cache = cachelib.SimpleCache()
    client = await initiated(cache)
    undecided = cache.get(KEY + (client.token or ""))
    first = await client.approve()
    cache.set(KEY + (client.token or ""), undecided)
    assert (await client.approve(user="8")).status == 409
    assert (await client.approve(granted=False)).status == 409
    assert (await client.approve()).headers["Location"] == first.headers["Location"]
    assert (await client.send("POST", "/token", verifier=first.location["oauth_verifier"])).status == 200
    assert cache.get(KEY + (client.token or "")) is None


async def test_a_mark_of_the_release_before_decides_nothing_new() -> None:
    """It does not tell the user, so the credential cannot be approved, as before."""
    cache = cachelib.SimpleCache()
    client = await initiated(cache)
    cache.add(f"{KEY}{client.token}:decided", 1)
    assert (await client.approve()).status == 409


async def test_a_mark_that_was_dropped_does_not_let_another_user_approve() -> None:
    """A full cache may drop it, and the credential itself still has the approval."""
    cache = cachelib.SimpleCache()
    client = await initiated(cache)
    first = await client.approve()
    cache.delete(f"{KEY}{client.token}:decided")
    assert (await client.approve(user="8")).status == 409
    assert (await client.approve()).headers["Location"] == first.headers["Location"]
    assert (await client.send("POST", "/token", verifier=first.location["oauth_verifier"])).status == 200


class CutOffCache(AsyncCache):
    """A cache that is cancelled once, when the credential itself is about to be written."""

    is_cut_off = False

    async def set(self, key: str, value: Any, timeout: int) -> Any:  # type: ignore[override]
        """Set a value, unless the request is cancelled."""
        if self.is_cut_off and not key.endswith(":decided"):
            self.is_cut_off = False
            raise asyncio.CancelledError
        return await super().set(key, value, timeout)


@pytest.mark.filterwarnings("ignore:.*has no add")
async def test_a_second_click_has_the_result_of_the_first_one_that_it_cancelled() -> None:
    """Quart cancels the view of a browser that has sent the form again."""
    cache = CutOffCache()
    client = await initiated(cache, is_async=True)
    cache.is_cut_off = True
    await asyncio.gather(client.approve(), return_exceptions=True)
    assert not cache.is_cut_off
    decision = cache.values[f"{KEY}{client.token}:decided"]
    answer = await client.approve()
    assert answer.location["oauth_verifier"] == decision["oauth_verifier"]
    assert (await client.send("POST", "/token", verifier=decision["oauth_verifier"])).status == 200
