"""A second click on "Approve", a reload and the way back: the same answer of the same user has the same result."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from async_oauth1 import TemporaryCredential
from async_oauth1.errors import AlreadyDecidedError, InvalidTokenError
from async_oauth1.provider.authorization_server import AuthorizationDecision
from async_oauth1.provider.sync_driver import run_sync
from tests.protocol.wire import Wire

from .provider import CALLBACK, Provider

USER_ID = UUID("12345678123456781234567812345678")


class WithCoroutine:
    """A user model whose method is a coroutine function."""

    async def get_user_id(self) -> str:
        """The identifier."""
        return "jane"


def look(provider: Provider, token: str | None, user: object = None) -> Any:
    """Open the consent page."""
    wire = Wire(raw_path=b"/authorize", raw_query=f"oauth_token={token}".encode())
    return run_sync(provider.server.check_authorization_request(wire.read(), user))


def count_approvals(provider: Provider) -> int:
    """How often the hook was called."""
    return provider.hooks.calls.count("create_authorization_verifier")


@pytest.mark.parametrize("callback", [CALLBACK, "oob"])
def test_the_same_user_gets_the_same_decision(provider: Provider, callback: str) -> None:
    """The redirect or the code is the same until the exchange, which it does not disturb."""
    temporary = provider.temporary(callback=callback)
    first, *others = (provider.decide(temporary.token, "jane") for _ in range(3))
    assert others == [first, first]
    assert count_approvals(provider) == 1
    answer = provider.exchange(temporary.wire("POST", b"/token", oauth_verifier=first.verifier))
    assert answer.status_code == 200
    [token] = run_sync(provider.store.list_token_credentials())
    assert token.user_id == "jane"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("7", 7),
        (USER_ID, str(USER_ID)),
        ("jane", SimpleNamespace(id="jane")),
        (SimpleNamespace(id=8), SimpleNamespace(id="not this", get_user_id=lambda: "8")),
        ("jane", WithCoroutine()),
    ],
    ids=["number", "UUID", "id", "get_user_id", "coroutine"],
)
def test_users_are_compared_by_the_stored_identifier(provider: Provider, first: object, second: object) -> None:
    """A user is an identifier or a model, and is the same user in either form."""
    token = provider.temporary().token
    assert provider.decide(token, first) == provider.decide(token, second)


@pytest.mark.parametrize("other", ["mallory", "JANE", "jane ", SimpleNamespace(id="mallory"), None])
def test_another_user_or_another_answer_is_refused(provider: Provider, other: object) -> None:
    """No verifier reaches another user, an approval cannot be denied afterwards, and the approval stays."""
    temporary = provider.temporary()
    verifier = provider.decide(temporary.token, "jane").verifier
    with pytest.raises(AlreadyDecidedError):
        provider.decide(temporary.token, other)
    answer = provider.exchange(temporary.wire("POST", b"/token", oauth_verifier=verifier))
    assert answer.status_code == 200


@pytest.mark.parametrize("user", [object(), SimpleNamespace(id=None), SimpleNamespace(id=True), "", True, 1.5])
def test_a_value_without_a_user_is_not_the_user_who_approved(provider: Provider, user: object) -> None:
    """It does not get the verifier, also if the store has lost the user's identifier."""
    token = provider.temporary().token
    provider.decide(token, "True")
    with pytest.raises(AlreadyDecidedError):
        provider.decide(token, user)


def test_the_consent_page_opens_again_for_the_user_who_approved(provider: Provider) -> None:
    """Also if the view does not say who is signed in. For another user it is refused."""
    token = provider.temporary().token
    provider.decide(token, "jane")
    for user in ("jane", None):
        assert look(provider, token, user).credential.is_decided()
    with pytest.raises(AlreadyDecidedError):
        look(provider, token, "mallory")


@pytest.mark.parametrize("without", [(), ("deny_temporary_credential",)])
@pytest.mark.parametrize("second", ["jane", None])
def test_a_denial_is_final(without: tuple[str, ...], second: object) -> None:
    """It is neither repeated nor reversed."""
    provider = Provider(without=without)
    token = provider.temporary().token
    provider.decide(token, None)
    with pytest.raises(InvalidTokenError):
        provider.decide(token, second)
    with pytest.raises(InvalidTokenError):
        look(provider, token, "jane")


def test_an_approval_is_not_deleted_by_a_denial() -> None:
    """If denials delete, they do not delete what was approved."""
    provider = Provider(without=("deny_temporary_credential",))
    token = provider.temporary().token
    first = provider.decide(token, "jane")
    with pytest.raises(AlreadyDecidedError):
        provider.decide(token, None)
    assert provider.decide(token, "jane") == first


@pytest.mark.parametrize("end", ["exchanged", "expired", "wrong verifiers"])
def test_afterwards_nothing_is_repeated(provider: Provider, end: str) -> None:
    """Exchanged and expired credentials, and those that wrong verifiers have consumed, stay refused."""
    temporary = provider.temporary()
    verifier = provider.decide(temporary.token, "jane").verifier
    if end == "expired":
        provider.clock.now += provider.server.policy.temporary_credential_lifetime + 1
    else:
        sent = ["wrong"] * provider.server.policy.max_wrong_verifiers if end == "wrong verifiers" else [verifier]
        for text in sent:
            provider.exchange(temporary.wire("POST", b"/token", oauth_verifier=text))
    with pytest.raises(InvalidTokenError):
        provider.decide(temporary.token, "jane")
    with pytest.raises(InvalidTokenError):
        look(provider, temporary.token, "jane")


def test_a_repetition_does_not_forgive_wrong_verifiers(provider: Provider) -> None:
    """They are still counted from the first one."""
    temporary = provider.temporary()
    for _ in range(provider.server.policy.max_wrong_verifiers):
        provider.decide(temporary.token, "jane")
        provider.exchange(temporary.wire("POST", b"/token", oauth_verifier="wrong"))
    with pytest.raises(InvalidTokenError):
        provider.decide(temporary.token, "jane")


def lose(provider: Provider, winner: object) -> None:
    """Let another request decide while the next approval is between its look-up and its hook."""
    hook = provider.store.create_authorization_verifier

    async def slow(credential: TemporaryCredential, grant_user: object, verifier: str) -> bool:
        del provider.hooks.replaced["create_authorization_verifier"]
        if winner is None:
            await provider.store.deny_temporary_credential(credential.oauth_token)
        else:
            await hook(credential, winner, "the winner's verifier")
        return await hook(credential, grant_user, verifier)

    provider.hooks.replaced["create_authorization_verifier"] = slow


def test_of_two_approvals_at_once_the_loser_gives_the_winners_answer(provider: Provider) -> None:
    """Both clicks end at the same place."""
    token = provider.temporary().token
    lose(provider, "jane")
    decision = provider.decide(token, "jane")
    assert decision.verifier == "the winner's verifier"
    assert provider.decide(token, "jane") == decision


@pytest.mark.parametrize("winner", ["mallory", None])
def test_the_loser_against_another_decision_is_refused(provider: Provider, winner: object) -> None:
    """Another user's approval or a denial in between is not answered with a verifier."""
    token = provider.temporary().token
    lose(provider, winner)
    with pytest.raises(AlreadyDecidedError):
        provider.decide(token, "jane")


class Model:
    """A temporary credential of another project, with the methods that `TemporaryCredentialLike` requires."""

    def __init__(self, token: str, secret: str, client_id: str, callback: str) -> None:
        self._token, self._secret, self._client_id, self._callback = token, secret, client_id, callback
        self.approved: tuple[Any, str] | None = None

    def get_oauth_token(self) -> str:
        return self._token

    def get_oauth_token_secret(self) -> str:
        return self._secret

    def get_client_id(self) -> str:
        return self._client_id

    def get_redirect_uri(self) -> str:
        return self._callback

    def check_verifier(self, verifier: str) -> bool:
        return self.approved is not None and self.approved[1] == verifier


class Decided(Model):
    """It knows whether it was decided."""

    def is_decided(self) -> bool:
        return self.approved is not None


class WithAttributes(Model):
    """It tells by attributes, as Authlib's SQLAlchemy models do."""

    @property
    def user_id(self) -> Any:
        return self.approved and self.approved[0]

    @property
    def oauth_verifier(self) -> Any:
        return self.approved and self.approved[1]


class WithMethods(Decided):
    """It tells by methods, which are coroutine functions."""

    async def get_user_id(self) -> Any:
        return self.approved and self.approved[0]

    async def get_verifier(self) -> Any:
        return self.approved and self.approved[1]


class Hashed(WithMethods):
    """It keeps a hash of the verifier, which is no verifier."""

    async def get_verifier(self) -> str:
        return "hash"


def own_models(model: type[Model], *, once: bool) -> Provider:
    """A provider whose hooks use models of their own.

    Args:
        model: their class.
        once: the hook refuses a second approval.
    """
    provider = Provider()
    kept: dict[str, Model] = {}

    def create(token: dict[str, str], client_id: str, redirect_uri: str) -> Model:
        made = model(token["oauth_token"], token["oauth_token_secret"], client_id, redirect_uri)
        return kept.setdefault(token["oauth_token"], made)

    def approve(credential: Model, grant_user: Any, verifier: str) -> bool:
        if once and credential.approved is not None:
            return False
        credential.approved = grant_user, verifier
        return True

    provider.hooks.replaced.update(
        create_temporary_credential=create,
        get_temporary_credential=kept.get,
        create_authorization_verifier=approve,
    )
    return provider


@pytest.mark.parametrize("once", [False, True])
@pytest.mark.parametrize("model", [WithAttributes, WithMethods])
def test_a_model_that_tells_user_and_verifier(model: type[Model], once: bool) -> None:
    """The answer is repeated, whether or not the model has is_decided()."""
    provider = own_models(model, once=once)
    token = provider.temporary().token
    decisions = [provider.decide(token, "jane") for _ in range(3)]
    assert decisions == decisions[:1] * 3
    assert count_approvals(provider) == 1
    assert look(provider, token, "jane")


def refused(provider: Provider, token: str | None, user: object) -> bool:
    """Whether an approval is refused."""
    try:
        decision = provider.decide(token, user)
    except AlreadyDecidedError:
        return True
    assert isinstance(decision, AuthorizationDecision)
    return False


@pytest.mark.parametrize("model", [Decided, Hashed])
def test_a_model_that_cannot_tell_is_decided_once(model: type[Model]) -> None:
    """Without user and verifier, or with a hash of it, a second approval is refused as before."""
    provider = own_models(model, once=False)
    token = provider.temporary().token
    assert [refused(provider, token, user) for user in ("jane", "jane", "mallory")] == [False, True, True]
    with pytest.raises(AlreadyDecidedError):
        look(provider, token)


@pytest.mark.parametrize("once", [False, True])
def test_without_any_optional_method_the_hook_decides(once: bool) -> None:
    """As before, a second approval is refused if the hook returns False."""
    provider = own_models(Model, once=once)
    token = provider.temporary().token
    assert [refused(provider, token, user) for user in ("jane", "jane", "mallory")] == [False, once, once]
