"""What every store that keeps clients and token credentials must do with them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from async_oauth1.testing.clock import Clock

from .pending import ODD, approved, pending
from .running import CLIENT, TOKEN, Conformance, check, fail

__all__ = ["TokenCredentials"]


class TokenCredentials(Conformance):
    """Token credentials: made once of an approval, for one client and user, and gone at their end."""

    def test_an_exchange_gives_a_token_for_client_and_user(self) -> None:
        """The token credentials belong to the client and to the user who approved; the temporary ones are gone."""

        async def case(store: Any, _clock: Clock) -> None:
            made = await approved(store)
            token = await store.exchange(made, TOKEN)
            check(token is not None, "exchange refused approved credentials.")
            check((token.client_id, token.user_id) == (CLIENT.client_id, "jane"), "A token has another client or user.")
            check(
                await store.query_token(CLIENT.client_id, token.oauth_token) == token, "query_token finds no new token."
            )
            check(await store.get_temporary_credential(made.oauth_token) is None, "exchange keeps what it has taken.")

        self.run_case(case, full=True)

    def test_an_exchange_needs_an_approval(self) -> None:
        """Undecided credentials are not exchanged, and can still be approved."""

        async def case(store: Any, _clock: Clock) -> None:
            made = await pending(store)
            check(await store.exchange(made, TOKEN) is None, "exchange made a token that no user has approved.")
            check(await store.get_temporary_credential(made.oauth_token), "exchange took undecided credentials.")

        self.run_case(case, full=True)

    def test_of_concurrent_exchanges_one_succeeds(self) -> None:
        """Of concurrent exchanges and takes, one succeeds; there is a token only if it was an exchange."""

        async def case(store: Any, _clock: Clock) -> None:
            made = await approved(store)
            attempts = [
                store.exchange(made, {"oauth_token": f"token{number}", "oauth_token_secret": "secret"})
                for number in range(100)
            ]
            attempts += [store.delete_temporary_credential(made.oauth_token) for _ in range(100)]
            winners = [result for result in await asyncio.gather(*attempts) if result]
            check(len(winners) == 1, f"{len(winners)} of 200 concurrent exchanges and takes of one succeeded.")
            kept = await store.list_token_credentials()
            check(kept == [one for one in winners if one is not True], "The tokens kept are not those of the exchange.")

        self.run_case(case, full=True)

    def test_an_exchange_that_cannot_be_finished_takes_nothing(self) -> None:
        """If the new token is taken, the temporary credentials stay."""

        async def case(store: Any, _clock: Clock) -> None:
            await store.exchange(await approved(store, "first"), TOKEN)
            second = await approved(store, "second")
            try:
                await store.exchange(second, TOKEN)
            except ValueError:
                pass
            else:
                fail("exchange accepted a token that is taken: raise ValueError.")
            check(await store.get_temporary_credential("second"), "exchange lost what it could not exchange.")

        self.run_case(case, full=True)

    def test_a_token_works_only_for_its_client(self) -> None:
        """A token is unknown if another client uses it."""

        async def case(store: Any, _clock: Clock) -> None:
            other = replace(CLIENT, client_id="other")
            await store.add_client(CLIENT)
            await store.add_client(other)
            token = await store.issue_token_credential(CLIENT.client_id, "jane")
            check(
                await store.query_token(CLIENT.client_id, token.oauth_token) == token, "query_token finds no new token."
            )
            check(await store.query_token("other", token.oauth_token) is None, "Another client can use a token.")
            both = await store.query_credentials("other", token.oauth_token)
            check(both == (other, None), "query_credentials gives a token to another client.")

        self.run_case(case, full=True)

    def test_an_expired_token_is_unknown(self) -> None:
        """A token is valid until it expires; then it is neither found nor listed."""

        async def case(store: Any, clock: Clock) -> None:
            await store.add_client(CLIENT)
            token = await store.issue_token_credential(CLIENT.client_id, "jane", lifetime=60)
            clock.advance(59)
            check(await store.query_token(CLIENT.client_id, token.oauth_token), "A token expired too early.")
            clock.advance(2)
            check(await store.query_token(CLIENT.client_id, token.oauth_token) is None, "An expired token is accepted.")
            both = await store.query_credentials(CLIENT.client_id, token.oauth_token)
            check(both[1] is None, "query_credentials returns an expired token.")
            check(await store.list_token_credentials() == [], "An expired token is listed.")

        self.run_case(case, full=True)

    def test_users_revoke_only_their_own_tokens(self) -> None:
        """A user cannot revoke another user's token; a revoked token is unknown at once."""

        async def case(store: Any, _clock: Clock) -> None:
            await store.add_client(CLIENT)
            name = (await store.issue_token_credential(CLIENT.client_id, "jane")).oauth_token
            revoked = await store.revoke_token_credential(name, user_id="mallory")
            check(revoked is False, "A user revoked the token of another one.")
            check(await store.revoke_token_credential(name, user_id="jane"), "A user cannot revoke a token.")
            check(await store.query_token(CLIENT.client_id, name) is None, "A revoked token is accepted.")

        self.run_case(case, full=True)

    def test_removing_a_client_removes_its_credentials(self) -> None:
        """The tokens and temporary credentials of a removed client are gone, and those of others stay."""

        async def case(store: Any, _clock: Clock) -> None:
            await store.add_client(CLIENT)
            await store.add_client(replace(CLIENT, client_id="other"))
            gone = await store.issue_token_credential(CLIENT.client_id, "jane")
            kept = await store.issue_token_credential("other", "jane")
            await pending(store)
            check(await store.remove_client(CLIENT.client_id), "remove_client found no client.")
            check(await store.query_client(CLIENT.client_id) is None, "A removed client is found.")
            check(
                await store.query_token(CLIENT.client_id, gone.oauth_token) is None, "A removed client keeps a token."
            )
            check(await store.get_temporary_credential("hh5s93j4hdidpola") is None, "Temporary credentials survived.")
            check(await store.query_token("other", kept.oauth_token) == kept, "Another client lost its token.")

        self.run_case(case, full=True)

    def test_odd_clients_and_tokens_are_unknown(self) -> None:
        """No client or token has a name that no store can hold, and the next question is answered as usual."""

        async def case(store: Any, _clock: Clock) -> None:
            await store.add_client(CLIENT)
            for name in ("unknown", *ODD):
                found = (
                    await store.query_client(name),
                    await store.query_token(name, "t"),
                    await store.query_token(CLIENT.client_id, name),
                    (await store.query_credentials(CLIENT.client_id, name))[1],
                    await store.remove_client(name),
                    await store.revoke_token_credential(name),
                )
                wanted = (None, None, None, None, False, False)
                check(found == wanted, f"{name[:9]!r} is not answered as an unknown name.")

        self.run_case(case, full=True)

    def test_a_client_is_read_as_it_was_added(self) -> None:
        """The secret, name and callbacks survive, and a taken identifier is refused."""

        async def case(store: Any, _clock: Clock) -> None:
            await store.add_client(CLIENT)
            check(await store.query_client(CLIENT.client_id) == CLIENT, "query_client returns another client.")
            try:
                await store.add_client(replace(CLIENT, client_secret="other"))
            except ValueError:
                pass
            else:
                fail("add_client accepted an identifier that is taken: raise ValueError.")
            check(await store.query_client(CLIENT.client_id) == CLIENT, "add_client replaced a client.")

        self.run_case(case, full=True)
