"""Every store: temporary credentials are decided once, taken once, and expire."""

from __future__ import annotations

import asyncio

import pytest

from async_oauth1.credentials import TemporaryCredential
from async_oauth1.policy import Policy
from async_oauth1.stores import Store, TransientStore

TOKEN = {"oauth_token": "nnch734d00sl2jdk", "oauth_token_secret": "pfkkdhi9sl3r4s00"}


async def test_credentials_are_read_as_they_were_created(store: TransientStore, pending) -> None:
    """Created credentials are found, undecided, until they are taken."""
    made = await pending()
    assert await store.get_temporary_credential(made.oauth_token) == made
    assert made == TemporaryCredential(
        oauth_token="hh5s93j4hdidpola",
        oauth_token_secret="hdhd0244k9j7ao03",
        client_id="dpf43f3p2l4k3l03",
        oauth_callback="http://printer.example.com/ready",
    )


async def test_unknown_credentials(full_store: Store) -> None:
    """Every method has an answer for a token that was never issued."""
    unknown = TemporaryCredential(oauth_token="x", oauth_token_secret="y", client_id="c", oauth_callback="oob")
    assert await full_store.get_temporary_credential("x") is None
    assert await full_store.delete_temporary_credential("x") is False
    assert await full_store.deny_temporary_credential("x") is False
    assert await full_store.create_authorization_verifier(unknown, "jane", "verifier") is False
    assert await full_store.count_wrong_verifier("x") > 1000
    assert await full_store.exchange(unknown, TOKEN) is None


async def test_approval_binds_user_and_verifier(store: TransientStore, approved) -> None:
    """Approved credentials have the user, the verifier and the decision."""
    credential = await approved()
    assert credential.user_id == "jane"
    assert credential.is_decided()
    assert credential.check_verifier("hfdp7dh39dks9884")
    assert not credential.check_verifier("hfdp7dh39dks9885")


async def test_a_second_approval_changes_nothing(store: TransientStore, approved) -> None:
    """Another user cannot approve them again, and the first verifier stays valid."""
    credential = await approved()
    assert await store.create_authorization_verifier(credential, "mallory", "other") is False
    assert await store.get_temporary_credential(credential.oauth_token) == credential


async def test_denial_is_final(store: TransientStore, pending) -> None:
    """Denied credentials are gone."""
    credential = await pending()
    assert await store.deny_temporary_credential(credential.oauth_token) is True
    assert await store.deny_temporary_credential(credential.oauth_token) is False
    assert await store.create_authorization_verifier(credential, "jane", "verifier") is False
    assert await store.get_temporary_credential(credential.oauth_token) is None
    assert await store.delete_temporary_credential(credential.oauth_token) is False


async def test_what_was_approved_cannot_be_denied(store: TransientStore, approved) -> None:
    """A late denial does not undo an approval."""
    credential = await approved()
    assert await store.deny_temporary_credential(credential.oauth_token) is False
    assert await store.get_temporary_credential(credential.oauth_token) == credential


async def test_of_forty_concurrent_decisions_one_counts(store: TransientStore, pending) -> None:
    """Of concurrent approvals and denials, exactly one decides."""
    for round_number in range(5):
        credential = await pending(f"token{round_number}")
        decisions = []
        for number in range(20):
            decisions.append(store.create_authorization_verifier(credential, f"user{number}", f"verifier{number}"))
            decisions.append(store.deny_temporary_credential(credential.oauth_token))
        results = await asyncio.gather(*decisions)
        assert results.count(True) == 1
        winner = results.index(True)
        kept = await store.get_temporary_credential(credential.oauth_token)
        if winner % 2:
            assert kept is None
        else:
            assert kept is not None
            assert (kept.user_id, kept.oauth_verifier) == (f"user{winner // 2}", f"verifier{winner // 2}")


async def test_of_thirty_concurrent_takes_one_wins(store: TransientStore, approved) -> None:
    """Of thirty concurrent takes, one succeeds."""
    credential = await approved()
    takes = await asyncio.gather(*(store.delete_temporary_credential(credential.oauth_token) for _ in range(30)))
    assert takes.count(True) == 1
    assert await store.get_temporary_credential(credential.oauth_token) is None


async def test_of_thirty_concurrent_exchanges_one_wins(full_store: Store, approved) -> None:
    """Of concurrent exchanges and takes, one succeeds; there is a token only if it was an exchange."""
    credential = await approved()
    attempts = []
    for number in range(15):
        token = {"oauth_token": f"token{number}", "oauth_token_secret": "secret"}
        attempts.append(full_store.exchange(credential, token))
        attempts.append(full_store.delete_temporary_credential(credential.oauth_token))
    results = await asyncio.gather(*attempts)
    winners = [result for result in results if result]
    assert len(winners) == 1
    assert await full_store.list_token_credentials() == [winner for winner in winners if winner is not True]


async def test_exchange_gives_the_client_a_token_for_the_user(full_store: Store, approved, clock) -> None:
    """The token credentials belong to the client and to the user who approved."""
    token = await full_store.exchange(await approved(), TOKEN)
    assert token is not None
    assert (token.client_id, token.user_id, token.created_at) == ("dpf43f3p2l4k3l03", "jane", clock())
    assert await full_store.query_token("dpf43f3p2l4k3l03", "nnch734d00sl2jdk") == token
    assert await full_store.get_temporary_credential("hh5s93j4hdidpola") is None


async def test_an_exchange_needs_an_approval(full_store: Store, pending) -> None:
    """Undecided credentials are not exchanged, and can still be approved."""
    credential = await pending()
    assert await full_store.exchange(credential, TOKEN) is None
    assert await full_store.get_temporary_credential(credential.oauth_token) == credential


async def test_an_exchange_that_cannot_be_finished_takes_nothing(full_store: Store, approved) -> None:
    """If the new token is taken, the temporary credentials stay."""
    first = await approved("first")
    assert await full_store.exchange(first, TOKEN) is not None
    second = await approved("second")
    with pytest.raises(ValueError, match="oauth_token is taken"):
        await full_store.exchange(second, TOKEN)
    assert await full_store.get_temporary_credential("second") == second
    assert await full_store.exchange(second, {**TOKEN, "oauth_token": "other"}) is not None


async def test_a_taken_identifier_is_refused(store: TransientStore, pending) -> None:
    """Credentials whose token is generated again are not replaced."""
    await pending("same")
    with pytest.raises(ValueError, match="oauth_token is taken"):
        await pending("same", client_id="other")
    found = await store.get_temporary_credential("same")
    assert found is not None
    assert found.client_id == "dpf43f3p2l4k3l03"


async def test_wrong_verifiers_are_counted_one_by_one(store: TransientStore, approved) -> None:
    """Twenty concurrent wrong verifiers are counted from 1 to 20."""
    credential = await approved()
    counts = await asyncio.gather(*(store.count_wrong_verifier(credential.oauth_token) for _ in range(20)))
    assert sorted(counts) == list(range(1, 21))


async def test_expired_credentials_are_gone(full_store: Store, pending, approved, clock) -> None:
    """After ten minutes they cannot be used."""
    undecided, decided = await pending("undecided"), await approved("decided")
    clock.advance(599)
    assert await full_store.get_temporary_credential("undecided") == undecided
    clock.advance(2)
    assert await full_store.get_temporary_credential("undecided") is None
    assert await full_store.create_authorization_verifier(undecided, "jane", "verifier") is False
    assert await full_store.deny_temporary_credential("undecided") is False
    assert await full_store.count_wrong_verifier("decided") > 1000
    assert await full_store.exchange(decided, TOKEN) is None
    assert await full_store.delete_temporary_credential("decided") is False


async def test_approval_does_not_prolong_them(store: TransientStore, approved, clock) -> None:
    """The ten minutes begin when they are created, not when they are approved."""
    clock.advance(0)
    await approved()
    clock.advance(601)
    assert await store.get_temporary_credential("hh5s93j4hdidpola") is None


@pytest.mark.parametrize("default_first", [True, False])
async def test_the_policy_sets_their_lifetime(store: TransientStore, pending, clock, *, default_first: bool) -> None:
    """The authorization server's lifetime is used, even if a resource protector shares the store."""
    configured = Policy(temporary_credential_lifetime=120)
    for policy in (Policy(), configured) if default_first else (configured, Policy()):
        store.prepare(policy)
    await pending()
    clock.advance(121)
    assert await store.get_temporary_credential("hh5s93j4hdidpola") is None


class WithMethod:
    """A user model with get_user_id()."""

    id = "not this"

    def get_user_id(self) -> int:
        """The identifier, a number."""
        return 7


class WithCoroutine:
    """A user model whose method is a coroutine function."""

    async def get_user_id(self) -> str:
        """The identifier."""
        return "seven"


class WithAttribute:
    """A user model with id."""

    id = 8


@pytest.mark.parametrize(
    ("grant_user", "user_id"),
    [("jane", "jane"), (7, "7"), (WithMethod(), "7"), (WithCoroutine(), "seven"), (WithAttribute(), "8")],
)
async def test_every_kind_of_user_is_accepted(store: TransientStore, pending, grant_user: object, user_id: str) -> None:
    """A user is an identifier, or a model with get_user_id() or id; numbers become text."""
    credential = await pending()
    assert await store.create_authorization_verifier(credential, grant_user, "verifier") is True
    found = await store.get_temporary_credential(credential.oauth_token)
    assert found is not None
    assert found.user_id == user_id


@pytest.mark.parametrize("user", [None, True, object(), "", "a\0b", "\ud800", 1.5, b"jane"])
async def test_a_value_without_a_user_cannot_approve(store: TransientStore, pending, user: object) -> None:
    """A value without a user's identifier is refused, and nothing is decided."""
    credential = await pending()
    with pytest.raises((TypeError, ValueError)):
        await store.create_authorization_verifier(credential, user, "verifier")
    assert await store.get_temporary_credential(credential.oauth_token) == credential


@pytest.mark.parametrize("bad", ["a\0b", "\ud800"])
async def test_text_that_cannot_be_stored(store: TransientStore, pending, bad: str) -> None:
    """A look-up returns None; storing is refused with an error that names the value."""
    credential = await pending()
    assert await store.get_temporary_credential(bad) is None
    assert await store.delete_temporary_credential(bad) is False
    assert await store.deny_temporary_credential(bad) is False
    assert await store.count_wrong_verifier(bad) > 1000
    with pytest.raises(ValueError, match="verifier holds a NUL"):
        await store.create_authorization_verifier(credential, "jane", bad)
    with pytest.raises(ValueError, match="oauth_token holds a NUL"):
        await pending(bad)


async def test_a_cancelled_exchange_is_complete_or_not_done(full_store: Store, approved) -> None:
    """Cancelled exchanges are done completely or not at all, and the store keeps working."""
    credentials = [await approved(f"token{number}") for number in range(20)]
    tasks = [
        asyncio.create_task(full_store.exchange(credential, {"oauth_token": f"new{number}", "oauth_token_secret": "s"}))
        for number, credential in enumerate(credentials)
    ]
    for turns, task in enumerate(tasks):
        for _ in range(turns % 4):
            await asyncio.sleep(0)
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await full_store.close()  # which ends what goes on without its caller
    await full_store.open()
    made = {token.oauth_token for token in await full_store.list_token_credentials()}
    for number in range(20):
        still_there = await full_store.get_temporary_credential(f"token{number}") is not None
        assert still_there != (f"new{number}" in made)
