"""What every store must do with temporary credentials (RFC 5849 sections 2.1 to 2.3)."""

from __future__ import annotations

import asyncio
from typing import Any

from async_oauth1.policy import Policy
from async_oauth1.stores.base import GONE
from async_oauth1.testing.clock import Clock

from .running import CLIENT, Conformance, check, fail

__all__ = ["ODD", "TemporaryCredentials", "approved", "pending"]

#: Names that no store can hold.
ODD = ("a\0b", "\0", "\ud800", "a\udfffb", "€" * 100_000)
COPIES = 200


async def pending(store: Any, name: str = "hh5s93j4hdidpola", client_id: str = CLIENT.client_id) -> Any:
    """New temporary credentials."""
    token = {"oauth_token": name, "oauth_token_secret": "hdhd0244k9j7ao03"}
    return await store.create_temporary_credential(token, client_id, "https://client.example/ready")


async def approved(store: Any, name: str = "hh5s93j4hdidpola", client_id: str = CLIENT.client_id) -> Any:
    """Temporary credentials that the user ``jane`` has approved."""
    made = await pending(store, name, client_id)
    counted = await store.create_authorization_verifier(made, "jane", "hfdp7dh39dks9884")
    check(counted is True, f"create_authorization_verifier answered {counted!r} to a first approval.")
    return await store.get_temporary_credential(name)


class TemporaryCredentials(Conformance):
    """Temporary credentials: bound to their client, decided once, taken once, and gone when they expire."""

    def test_credentials_are_read_as_they_were_created(self) -> None:
        """Created credentials are found with their secret, client and callback, undecided."""

        async def case(store: Any, _clock: Clock) -> None:
            await pending(store)
            found = await store.get_temporary_credential("hh5s93j4hdidpola")
            check(found is not None, "get_temporary_credential does not find what was created.")
            kept = (found.oauth_token_secret, found.client_id, found.oauth_callback, found.is_decided())
            wanted = ("hdhd0244k9j7ao03", CLIENT.client_id, "https://client.example/ready", False)
            check(
                kept == wanted, "get_temporary_credential does not return what was created: secret, client, callback."
            )

        self.run_case(case)

    def test_an_approval_binds_user_and_verifier(self) -> None:
        """Approved credentials have the user and the verifier; no later decision changes them."""

        async def case(store: Any, _clock: Clock) -> None:
            first = await approved(store)
            check(first.user_id == "jane" and first.is_decided(), "An approval does not bind the user.")
            check(first.check_verifier("hfdp7dh39dks9884"), "An approval does not keep the verifier.")
            again = await store.create_authorization_verifier(first, "mallory", "other")
            check(again is False, "create_authorization_verifier approved twice: another user can take over.")
            denied = await store.deny_temporary_credential(first.oauth_token)
            check(denied is False, "deny_temporary_credential denied what was approved.")
            kept = await store.get_temporary_credential(first.oauth_token)
            check(kept == first, "A second decision changed the credentials.")

        self.run_case(case)

    def test_a_denial_is_final(self) -> None:
        """Denied credentials are gone."""

        async def case(store: Any, _clock: Clock) -> None:
            made = await pending(store)
            answers = [await store.deny_temporary_credential(made.oauth_token) for _ in range(2)]
            check(answers == [True, False], f"deny_temporary_credential answered {answers} to two denials.")
            check(
                not await store.create_authorization_verifier(made, "jane", "v"), "A denial was undone by an approval."
            )
            check(await store.get_temporary_credential(made.oauth_token) is None, "Denied credentials are still found.")
            check(not await store.delete_temporary_credential(made.oauth_token), "Denied credentials can be taken.")

        self.run_case(case)

    def test_of_concurrent_decisions_one_counts(self) -> None:
        """Of concurrent approvals and denials, exactly one decides."""

        async def case(store: Any, _clock: Clock) -> None:
            for number in range(5):
                made = await pending(store, f"token{number}")
                decisions = [
                    store.create_authorization_verifier(made, f"user{user}", f"verifier{user}") for user in range(20)
                ]
                decisions += [store.deny_temporary_credential(made.oauth_token) for _ in range(20)]
                results = await asyncio.gather(*decisions)
                check(results.count(True) == 1, f"{results.count(True)} of 40 concurrent decisions counted.")
                kept = await store.get_temporary_credential(made.oauth_token)
                user = f"user{results.index(True)}" if results.index(True) < 20 else None
                check((kept and kept.user_id) == user, "Another decision is kept than the one that counted.")

        self.run_case(case)

    def test_of_two_hundred_takes_one_succeeds(self) -> None:
        """Of two hundred concurrent takes, one succeeds."""

        async def case(store: Any, _clock: Clock) -> None:
            made = await approved(store)
            takes = (store.delete_temporary_credential(made.oauth_token) for _ in range(COPIES))
            taken = (await asyncio.gather(*takes)).count(True)
            check(taken == 1, f"delete_temporary_credential let {taken} of {COPIES} concurrent callers take one.")
            check(await store.get_temporary_credential(made.oauth_token) is None, "Taken credentials are still found.")

        self.run_case(case)

    def test_a_taken_identifier_is_refused(self) -> None:
        """Credentials whose token is generated again are not replaced."""

        async def case(store: Any, _clock: Clock) -> None:
            await pending(store)
            try:
                await pending(store, client_id="other")
            except ValueError:
                pass
            else:
                fail("create_temporary_credential accepted a token that is taken: raise ValueError.")
            found = await store.get_temporary_credential("hh5s93j4hdidpola")
            check(found and found.client_id == CLIENT.client_id, "The credentials of another client were replaced.")

        self.run_case(case)

    def test_wrong_verifiers_are_counted_one_by_one(self) -> None:
        """Concurrent wrong verifiers are all counted, so that guessing ends."""

        async def case(store: Any, _clock: Clock) -> None:
            made = await approved(store)
            counts = await asyncio.gather(*(store.count_wrong_verifier(made.oauth_token) for _ in range(20)))
            check(
                sorted(counts) == list(range(1, 21)), f"count_wrong_verifier answered {sorted(counts)} to 20 callers."
            )

        self.run_case(case)

    def test_expired_credentials_are_gone(self) -> None:
        """After their lifetime they can be neither found, decided nor taken."""

        async def case(store: Any, clock: Clock) -> None:
            undecided, decided = await pending(store, "undecided"), await approved(store, "decided")
            lifetime = Policy().temporary_credential_lifetime
            clock.advance(lifetime - 1)
            check(await store.get_temporary_credential("undecided"), "Temporary credentials expired too early.")
            clock.advance(2)
            for made in (undecided, decided):
                found = await store.get_temporary_credential(made.oauth_token)
                check(found is None, f"Temporary credentials are found {lifetime + 1} s after they were made.")
            late = await store.create_authorization_verifier(undecided, "jane", "verifier")
            check(late is False, "create_authorization_verifier approved expired credentials.")
            check(not await store.delete_temporary_credential("decided"), "Expired credentials can be taken.")

        self.run_case(case)

    def test_odd_names_are_unknown(self) -> None:
        """A name that no store can hold is answered as an unknown one, and the next question as usual."""

        async def case(store: Any, _clock: Clock) -> None:
            for name in ("unknown", *ODD):
                found = (
                    await store.get_temporary_credential(name),
                    await store.delete_temporary_credential(name),
                    await store.deny_temporary_credential(name),
                    await store.count_wrong_verifier(name) >= GONE,
                )
                check(found == (None, False, False, True), f"{name[:9]!r} is not answered as an unknown token.")
            await store.ping()

        self.run_case(case)
