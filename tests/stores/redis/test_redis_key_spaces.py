"""Several providers with the same clients in one Redis database do not affect each other."""

from __future__ import annotations

import pytest

from async_oauth1.stores import StoreError
from async_oauth1.stores.redis import RedisStore
from async_oauth1.stores.redis.url import RedisSettings

KINDS = ["valkey", "redis", "cluster"]
TOKEN = {"oauth_token": "hh5s93j4hdidpola", "oauth_token_secret": "s"}


async def _nothing_is_shared(first: RedisStore, second: RedisStore, seen_as: str) -> None:
    """The second store does not find the credentials of the first one, under any name with the same key."""
    pending = await first.create_temporary_credential(TOKEN, "c", "oob")
    for name in (TOKEN["oauth_token"], seen_as):
        assert await second.get_temporary_credential(name) is None
        foreign = type(pending)(oauth_token=name, oauth_token_secret="s", client_id="c", oauth_callback="oob")
        assert await second.create_authorization_verifier(foreign, "their user", "v") is False
        assert await second.deny_temporary_credential(name) is False
        assert await second.count_wrong_verifier(name) > 1_000_000
        assert await second.delete_temporary_credential(name) is False
    assert await first.get_temporary_credential(TOKEN["oauth_token"]) == pending
    assert await first.create_authorization_verifier(pending, "our user", "v") is True
    assert await first.count_wrong_verifier(TOKEN["oauth_token"]) == 1
    assert await first.delete_temporary_credential(TOKEN["oauth_token"]) is True
    assert await first.delete_temporary_credential(TOKEN["oauth_token"]) is False


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("first", "second", "seen_as"),
    [
        ("prefix=xt", "prefix=x", "t" + TOKEN["oauth_token"]),
        ("prefix=app:test", "prefix=app", "est:t" + TOKEN["oauth_token"]),
        ("provider=production", "provider=staging", ""),
        ("provider=production", "", ""),
        ("", "provider=staging", ""),
        ("prefix=a", "prefix=b", ""),
    ],
)
async def test_providers_are_separate(url: str, first: str, second: str, seen_as: str) -> None:
    """With different prefixes or names, neither reads, approves, denies, counts or takes the other's credentials."""
    async with RedisStore(f"{url}&{first}") as one, RedisStore(f"{url}&{second}") as other:
        await _nothing_is_shared(one, other, seen_as or TOKEN["oauth_token"])


@pytest.mark.parametrize("kind", ["valkey"])
async def test_workers_of_one_provider_share(url: str) -> None:
    """Stores with the same prefix, with or without its colon, and the same name belong to one provider."""
    async with (
        RedisStore(f"{url}&prefix=x&provider=p") as one,
        RedisStore(f"{url}&prefix=x:&provider=p") as other,
    ):
        pending = await one.create_temporary_credential(TOKEN, "c", "oob")
        assert await other.get_temporary_credential(TOKEN["oauth_token"]) == pending
        assert await one.exists_nonce("n", "4000000000", "c", None) is False
        assert await other.exists_nonce("n", "4000000000", "c", None) is True


def test_the_separator() -> None:
    """A prefix gets a colon if it has none. A provider name that is not printable or too long is refused."""
    prefixes = {query: RedisSettings.from_url(f"redis://a?{query}").prefix for query in ("", "prefix=x", "prefix=x:")}
    assert prefixes == {"": b"oauth1:", "prefix=x": b"x:", "prefix=x:": b"x:"}
    for name in ("a%00b", "a%0Ab", "n" * 256):
        with pytest.raises(StoreError, match="provider must be at most 255 printable bytes"):
            RedisSettings.from_url(f"redis://a?provider={name}")
