"""Every store: a limit of pending temporary credentials for each client."""

from __future__ import annotations

import asyncio

import pytest
import pytest_asyncio

from async_oauth1.errors import StoreUnavailableError, TooManyPendingError
from async_oauth1.policy import Policy
from async_oauth1.provider.responses import server_error_response
from async_oauth1.stores import MemoryStore, Store, TransientStore

LIMIT = 5


@pytest_asyncio.fixture
async def full(store: TransientStore, pending) -> None:
    """Give the client as many as it may have."""
    store.prepare(Policy(max_pending_per_client=LIMIT))
    for number in range(LIMIT):
        await pending(f"token{number}")


async def test_one_client_more_than_its_share_is_refused(store: TransientStore, pending, full: None) -> None:
    """The sixth is refused and not stored, and the others are not affected."""
    with pytest.raises(TooManyPendingError):
        await pending("one too many")
    assert await store.get_temporary_credential("one too many") is None
    for number in range(LIMIT):
        assert await store.get_temporary_credential(f"token{number}") is not None


async def test_another_client_is_served(store: TransientStore, pending, full: None) -> None:
    """A client at its limit does not affect another client."""
    with pytest.raises(TooManyPendingError):
        await pending("one too many")
    for number in range(LIMIT):
        assert await pending(f"other{number}", client_id="another")
    with pytest.raises(TooManyPendingError):
        await pending("other", client_id="another")


@pytest.mark.parametrize("way", ["take", "deny"])
async def test_a_take_or_denial_makes_room(store: TransientStore, pending, full: None, way: str) -> None:
    """For each one that is taken or denied, exactly one more is accepted."""
    remove = store.delete_temporary_credential if way == "take" else store.deny_temporary_credential
    assert await remove("token0") is True
    assert await remove("token0") is False
    assert await pending("new")
    with pytest.raises(TooManyPendingError):
        await pending("one too many")


async def test_an_exchange_makes_room(full_store: Store, pending, full: None) -> None:
    """An exchange makes room for another one."""
    for number in range(3 * LIMIT):
        await full_store.delete_temporary_credential(f"token{number}")
        credential = await pending(f"token{number + LIMIT}")
        assert await full_store.create_authorization_verifier(credential, "jane", "verifier")
        token = {"oauth_token": f"granted{number}", "oauth_token_secret": "secret"}
        found = await full_store.get_temporary_credential(f"token{number + LIMIT}")
        assert await full_store.exchange(found, token)
        assert await pending(f"token{number + LIMIT}")


async def test_expired_credentials_make_room(store: TransientStore, pending, full: None, clock) -> None:
    """Expired ones do not count."""
    clock.advance(601)
    for number in range(LIMIT):
        assert await pending(f"new{number}")
    with pytest.raises(TooManyPendingError):
        await pending("one too many")


async def test_a_taken_identifier_uses_no_share(store: TransientStore, pending) -> None:
    """A refusal for another reason does not count."""
    store.prepare(Policy(max_pending_per_client=2))
    await pending("same")
    for _ in range(5):
        with pytest.raises(ValueError, match="oauth_token is taken"):
            await pending("same")
    assert await pending("different")


async def test_concurrent_callers_share_the_limit(store: TransientStore, pending) -> None:
    """Concurrent callers exceed the limit by no more than the pool's connections."""
    store.prepare(Policy(max_pending_per_client=LIMIT))
    results = await asyncio.gather(*(pending(f"token{number}") for number in range(50)), return_exceptions=True)
    made = [result for result in results if not isinstance(result, TooManyPendingError)]
    assert not any(isinstance(result, BaseException) for result in made)
    assert LIMIT <= len(made) <= LIMIT + 10


async def test_a_protector_on_the_same_store_does_not_undo_the_limit(store: TransientStore, pending) -> None:
    """The authorization server's limit is used, in either order of registration."""
    store.prepare(Policy(max_pending_per_client=1))
    store.prepare(Policy())
    await pending("first")
    with pytest.raises(TooManyPendingError):
        await pending("second")


@pytest.mark.parametrize("kind", ["memory"])
async def test_no_client_can_fill_the_memory_store_by_default(store: MemoryStore, pending) -> None:
    """By default a client that never stops is refused, and another client is served."""
    for number in range(Policy().max_pending_per_client):
        await pending(f"token{number}")
    with pytest.raises(TooManyPendingError):
        await pending("one too many")
    assert await pending("other", client_id="another")


async def test_a_full_memory_store_is_a_503(clock) -> None:
    """The limit for all clients together is still a 503."""
    store = MemoryStore(clock=clock, max_temporary_credentials=2)
    for number in range(2):
        await store.create_temporary_credential(_token(number), f"client{number}", "oob")
    with pytest.raises(StoreUnavailableError):
        await store.create_temporary_credential(_token(2), "client2", "oob")


def test_the_response_says_when_to_retry() -> None:
    """The response is a form-encoded 429 with Retry-After."""
    answer = server_error_response(TooManyPendingError(), realm="Photos", allow="POST")
    assert answer.status_code == 429
    assert dict(answer.headers)["Retry-After"] == "30"
    assert answer.body.startswith("error=too_many_pending&")


def _token(number: int) -> dict[str, str]:
    return {"oauth_token": f"token{number}", "oauth_token_secret": "secret"}
