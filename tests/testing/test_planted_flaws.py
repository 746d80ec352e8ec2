"""`StoreConformance` finds each of ten flaws that stores of applications have, and says which call is wrong."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from async_oauth1.errors import StoreUnavailableError
from async_oauth1.stores import MemoryStore
from async_oauth1.testing import Clock, StoreConformance


class Sound(MemoryStore):
    """A store without a flaw, whose server can be taken away."""

    down = False

    def answer(self) -> None:
        """Raise if there is no server."""
        if self.down:
            raise StoreUnavailableError


def _with_server(name: str) -> None:
    inherited: Callable[..., Awaitable[Any]] = getattr(MemoryStore, name)

    async def method(self: Sound, *args: Any, **keywords: Any) -> Any:
        self.answer()
        return await inherited(self, *args, **keywords)

    setattr(Sound, name, method)


for _name in (
    "exists_nonce", "get_temporary_credential", "delete_temporary_credential", "create_authorization_verifier",
    "count_wrong_verifier", "ping", "query_client", "query_token", "query_credentials", "exchange",
):  # fmt: skip
    _with_server(_name)


class RacyNonce(Sound):
    """Looks for a nonce, and adds it afterwards."""

    async def exists_nonce(self, nonce: str, timestamp: str, client_id: str, oauth_token: str | None) -> bool:
        self.seen: set[Any] = getattr(self, "seen", set())
        key = (nonce, timestamp, client_id, oauth_token or "")
        known = key in self.seen
        await asyncio.sleep(0)
        self.seen.add(key)
        return known or await super().exists_nonce(f"{nonce}-{len(self.seen)}-{id(key)}", timestamp, client_id, "")


class RacyTake(Sound):
    """Looks for temporary credentials, and deletes them afterwards."""

    async def delete_temporary_credential(self, oauth_token: str) -> bool:
        found = await self.get_temporary_credential(oauth_token)
        await asyncio.sleep(0)
        await super().delete_temporary_credential(oauth_token)
        return found is not None


class UnboundToken(Sound):
    """Finds a token whichever client uses it."""

    async def query_token(self, client_id: str, oauth_token: str) -> Any:
        return next((t for t in await self.list_token_credentials() if t.oauth_token == oauth_token), None)


class UnboundApproval(Sound):
    """Makes tokens for a client that is named elsewhere."""

    async def exchange(self, temporary_credential: Any, token: dict[str, str]) -> Any:
        made = await super().exchange(temporary_credential, token)
        return made and replace(made, client_id="")


class NoExpiry(Sound):
    """Keeps temporary credentials for ever."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.temporary_credential_lifetime = 10**6


class TokensNeverExpire(Sound):
    """Ignores the lifetime of a token."""

    async def issue_token_credential(self, client_id: str, user_id: Any, **options: Any) -> Any:
        return await super().issue_token_credential(client_id, user_id, scope=options.get("scope", ""))


class JoinedKey(Sound):
    """Joins the parts of a nonce's key with a character that they may contain."""

    async def exists_nonce(self, nonce: str, timestamp: str, client_id: str, oauth_token: str | None) -> bool:
        if set("\0\ud800") & set(nonce + client_id + (oauth_token or "")):
            raise ValueError("NUL character or a lone surrogate")
        return await super().exists_nonce(f"{client_id}:{oauth_token or ''}:{nonce}", timestamp, "", None)


class FailsOpen(Sound):
    """Takes a nonce for new if there is no server."""

    async def exists_nonce(self, nonce: str, timestamp: str, client_id: str, oauth_token: str | None) -> bool:
        try:
            return await super().exists_nonce(nonce, timestamp, client_id, oauth_token)
        except StoreUnavailableError:
            return False


class ApprovesTwice(Sound):
    """Lets the last user who decides have the credentials."""

    async def create_authorization_verifier(
        self, credential: Any, grant_user: Any, verifier: str, *, scope: str = ""
    ) -> bool:
        done = await super().create_authorization_verifier(credential, grant_user, verifier, scope=scope)
        return done or await self.get_temporary_credential(credential.oauth_token) is not None


class ShortMemory(Sound):
    """Forgets nonces before their timestamps are refused."""

    def is_stale(self, seconds: int, now: float | None = None) -> bool:
        return False

    async def exists_nonce(self, nonce: str, timestamp: str, client_id: str, oauth_token: str | None) -> bool:
        known = await super().exists_nonce(nonce, timestamp, client_id, oauth_token)
        return known and self.clock() - int(timestamp) < 300


#: Each flaw, a test that finds it, and what the failure says.
FLAWS: list[tuple[type[Sound], str, str]] = [
    (RacyNonce, "test_of_two_hundred_copies_one_is_new", "accepted 200 of 200 concurrent copies of one nonce"),
    (RacyTake, "test_of_two_hundred_takes_one_succeeds", "let 200 of 200 concurrent callers take one"),
    (UnboundToken, "test_a_token_works_only_for_its_client", "Another client can use a token"),
    (UnboundApproval, "test_an_exchange_gives_a_token_for_client_and_user", "another client or user"),
    (NoExpiry, "test_expired_credentials_are_gone", "are found 601 s after they were made"),
    (TokensNeverExpire, "test_an_expired_token_is_unknown", "An expired token is accepted"),
    (JoinedKey, "test_parts_are_never_confused", "confuses its parts if one of them contains ':'"),
    (FailsOpen, "test_faults_fail_closed", "exists_nonce without a server answered bool"),
    (ApprovesTwice, "test_an_approval_binds_user_and_verifier", "another user can take over"),
    (
        ShortMemory,
        "test_a_nonce_lives_as_long_as_its_timestamp_may_be_accepted",
        "forgot a nonce within nonce_lifetime",
    ),
]


class Suite(StoreConformance):
    """The suite for one of the stores above."""

    kind: type[Sound] = Sound

    def make_store(self, clock: Clock) -> Any:
        """In memory."""
        return self.kind(clock=clock)

    def cut(self, store: Any) -> bool:
        """Take the server away."""
        store.down = True
        return True

    def mend(self, store: Any) -> None:
        """Give it back."""
        store.down = False


def failures(kind: type[Sound], timeout: float = 30.0) -> dict[str, str]:
    """The tests of the suite that fail for a store, and what they say."""
    suite = Suite()
    suite.kind, suite.call_timeout = kind, timeout
    found: dict[str, str] = {}
    for name in dir(suite):
        if name.startswith("test_"):
            try:
                getattr(suite, name)()
            except AssertionError as error:
                found[name] = str(error)
    return found


def test_a_sound_store_passes() -> None:
    """Nothing is found if there is nothing to find."""
    assert failures(Sound) == {}


@pytest.mark.parametrize(("kind", "test", "says"), FLAWS, ids=[kind.__name__ for kind, _, _ in FLAWS])
def test_a_flaw_is_found(kind: type[Sound], test: str, says: str) -> None:
    """The test that is meant for the flaw fails, and names it."""
    suite = Suite()
    suite.kind, suite.call_timeout = kind, 30.0
    with pytest.raises(AssertionError, match=says):
        getattr(suite, test)()


class Hanging(Sound):
    """Never answers to a take."""

    async def delete_temporary_credential(self, oauth_token: str) -> bool:
        await asyncio.Event().wait()
        return False


class Blocking(Sound):
    """Blocks the event loop until it is released."""

    released = threading.Event()

    async def delete_temporary_credential(self, oauth_token: str) -> bool:
        self.released.wait()
        return False


@pytest.mark.parametrize(("kind", "timeout", "says"), [
    (Hanging, 3.0, "delete_temporary_credential did not return within 3 s"),
    (Blocking, 1.0, "delete_temporary_credential blocks the event loop"),
])  # fmt: skip
def test_a_call_that_hangs_is_named(
    kind: type[Sound], timeout: float, says: str, request: pytest.FixtureRequest
) -> None:
    """The failure names the call, and the suite goes on to its other tests."""
    suite = Suite()
    suite.kind, suite.call_timeout = kind, timeout
    Blocking.released.clear()
    request.addfinalizer(Blocking.released.set)
    with pytest.raises(AssertionError, match=says):
        suite.test_of_two_hundred_takes_one_succeeds()
    suite.call_timeout = 30.0
    suite.test_a_nonce_is_new_once()


def test_what_is_not_defined_is_named() -> None:
    """Without `make_store`, or without `reopen` for a shared store, the error says what to define."""
    with pytest.raises(NotImplementedError, match=r"StoreConformance: define make_store"):
        StoreConformance().test_a_nonce_is_new_once()
    suite = Suite()
    suite.kind = type("Shared", (Sound,), {"shared": True})
    with pytest.raises(AssertionError, match=r"define reopen\(\)"):
        suite.test_several_processes_share_a_store()
