"""A client asks for a scope, the resource owner grants one, and the token credentials have it."""

from __future__ import annotations

from typing import Any

import pytest

from async_oauth1.errors import AlreadyDecidedError, InsufficientScopeError, InvalidRequestError
from async_oauth1.provider.approval.scopes import MAX_SCOPE_LENGTH, takes_scope
from async_oauth1.provider.sync_driver import run_sync
from tests.protocol.wire import Octets, Signer, Wire
from tests.provider.provider import CALLBACK, Provider, fields, with_credentials

from .conftest import StoreProvider


def ask(provider: Provider, *pairs: Octets, place: str = "query") -> Any:
    """The response to a request for temporary credentials with these parameters."""
    parameters: Any = {place: list(pairs)}
    return provider.initiate(provider.client.wire("POST", b"/initiate", oauth_callback=CALLBACK, **parameters))


def asked(provider: Provider, *pairs: Octets, place: str = "query") -> Signer:
    """The client with temporary credentials."""
    return with_credentials(provider.client, ask(provider, *pairs, place=place))


def opened(token: str | None) -> Any:
    """The request of a browser that opens the authorization page."""
    return Wire(raw_path=b"/authorize", raw_query=f"oauth_token={token}".encode()).read()


def shown(provider: Provider, temporary: Signer) -> str:
    """What the authorization page can show."""
    scope: str = run_sync(
        provider.server.check_authorization_request(opened(temporary.token))
    ).credential.requested_scope
    return scope


def grant(provider: Provider, temporary: Signer, scope: str | None, user: str = "jane") -> Any:
    """The user's approval, with a scope."""
    return run_sync(provider.server.authorize(opened(temporary.token), user, scope=scope))


def exchanged(provider: Provider, temporary: Signer, verifier: str) -> Signer:
    """The client with token credentials."""
    return with_credentials(temporary, provider.exchange(temporary.wire("POST", b"/token", oauth_verifier=verifier)))


@pytest.mark.parametrize("place", ["query", "form"])
@pytest.mark.parametrize("name", [b"scope", b"x_oauth_scope"])
def test_from_the_first_request_to_the_protected_route(provider: StoreProvider, name: bytes, place: str) -> None:
    """A route that requires the scope is reached, and a route that requires another one is not."""
    temporary = asked(provider, (name, b"photos.read photos.write"), place=place)
    assert shown(provider, temporary) == "photos.read photos.write"
    jane = exchanged(provider, temporary, grant(provider, temporary, "photos.read").verifier)
    assert provider.protect(jane.wire(), scope="photos.read").credential.get_scope() == "photos.read"
    assert isinstance(provider.refusal(jane.wire(), scope="photos.write"), InsufficientScopeError)


def test_what_the_view_does_not_grant_is_not_granted(provider: StoreProvider) -> None:
    """A view that says nothing of scopes grants none, whatever the client asks for."""
    temporary = asked(provider, (b"scope", b"photos.read"))
    jane = exchanged(provider, temporary, provider.decide(temporary.token).verifier)
    assert isinstance(provider.refusal(jane.wire(), scope="photos.read"), InsufficientScopeError)


def test_the_view_may_grant_what_the_client_did_not_ask_for(provider: StoreProvider) -> None:
    """The provider decides: a client that knows no scopes can be given one."""
    temporary = asked(provider)
    assert shown(provider, temporary) == ""
    jane = exchanged(provider, temporary, grant(provider, temporary, " photos.read  photos.read ").verifier)
    assert provider.protect(jane.wire(), scope="photos.read").credential.scope == "photos.read"


def test_create_authorization_response_grants_a_scope(provider: StoreProvider) -> None:
    """As `authorize` does."""
    temporary = asked(provider)
    server = provider.server
    answer = run_sync(server.create_authorization_response(opened(temporary.token), "jane", scope="photos.read"))
    verifier = dict(answer.headers)["Location"].partition("oauth_verifier=")[2]
    jane = exchanged(provider, temporary, verifier)
    assert provider.protect(jane.wire(), scope="photos.read")


def test_a_scope_that_was_added_on_the_way_is_refused(provider: StoreProvider) -> None:
    """The signature covers the scope."""
    wire = provider.client.wire("POST", b"/initiate", oauth_callback=CALLBACK)
    response = provider.initiate(wire.changed(raw_query=b"scope=photos.write"))
    assert (response.status_code, fields(response)["error"]) == (401, "invalid_signature")


def test_a_scope_in_a_body_that_is_not_signed_is_not_read(provider: StoreProvider) -> None:
    """JSON is not covered by the signature."""
    wire = provider.client.wire("POST", b"/initiate", oauth_callback=CALLBACK)
    headers = (*wire.headers, (b"content-type", b"application/json"))
    temporary = with_credentials(
        provider.client, provider.initiate(wire.changed(headers=headers, body=b'{"scope": "photos.read"}'))
    )
    assert shown(provider, temporary) == ""


@pytest.mark.parametrize(
    "pairs",
    [
        [(b"scope", b"photos\0")],
        [(b"scope", b"photos\n.read")],
        [(b"scope", "fotos.länge".encode())],
        [(b"scope", b"\xff")],
        [(b"scope", b"x" * (MAX_SCOPE_LENGTH + 1))],
        [(b"scope", b"photos.read"), (b"scope", b"photos.write")],
        [(b"scope", b"photos.read"), (b"x_oauth_scope", b"photos.read")],
    ],
)
def test_a_malformed_scope_is_a_400(provider: StoreProvider, pairs: list[Octets]) -> None:
    """The description says what a scope is, and no credentials are made."""
    response = ask(provider, *pairs)
    assert (response.status_code, fields(response)["error"]) == (400, "invalid_request")
    assert "scope" in fields(response)["error_description"]


def test_a_malformed_grant_decides_nothing(provider: StoreProvider) -> None:
    """It may come from a browser's form, so it is an `OAuth1Error`."""
    temporary = asked(provider)
    with pytest.raises(InvalidRequestError, match="scope"):
        grant(provider, temporary, "photos\0")
    with pytest.raises(TypeError, match="one string"):
        run_sync(provider.server.authorize(opened(temporary.token), "jane", scope=["photos.read"]))  # type: ignore[arg-type]
    assert grant(provider, temporary, "photos.read").verifier


def test_a_second_click_with_the_same_scope_is_the_same_answer(provider: StoreProvider) -> None:
    """The order of the names does not matter."""
    temporary = asked(provider)
    first = grant(provider, temporary, "photos.read photos.write")
    assert grant(provider, temporary, "photos.write photos.read") == first


@pytest.mark.parametrize("other", ["photos.write", "photos.read photos.write", None])
def test_a_second_click_with_another_scope_is_another_answer(provider: StoreProvider, other: str | None) -> None:
    """It is refused, and what was granted first counts."""
    temporary = asked(provider)
    first = grant(provider, temporary, "photos.read")
    with pytest.raises(AlreadyDecidedError):
        grant(provider, temporary, other)
    jane = exchanged(provider, temporary, first.verifier)
    assert provider.protect(jane.wire()).credential.scope == "photos.read"


def test_a_hook_says_what_the_client_asks_for() -> None:
    """It may read another parameter, and refuse what does not exist."""

    async def requested_scope(request: Any) -> str | None:
        assert request.client.client_id == "dpf43f3p2l4k3l03"
        permission = dict(request.query_params).get("permission")
        if permission not in (None, "read", "write"):
            raise InvalidRequestError(f"There is no permission {permission!r}; there are read and write.")
        return f"photos.{permission}" if permission else None

    provider = StoreProvider(requested_scope=requested_scope)
    assert shown(provider, asked(provider, (b"permission", b"read"))) == "photos.read"
    assert shown(provider, asked(provider, (b"scope", b"everything"))) == ""
    response = ask(provider, (b"permission", b"all"))
    assert response.status_code == 400
    assert "There is no permission 'all'" in fields(response)["error_description"]


class OldHooks(Provider):
    """A provider with hooks that know no scopes."""


@pytest.mark.parametrize("scope", [b"photos.read", b"\xff\0 anything"])
def test_hooks_without_a_scope_work_as_before(scope: bytes) -> None:
    """They are called with the arguments that they take, and ``scope`` is the application's own parameter."""
    provider = OldHooks()
    temporary = asked(provider, (b"scope", scope), (b"scope", b"again"))
    jane = exchanged(provider, temporary, provider.decide(temporary.token).verifier)
    assert provider.protect(jane.wire()).credential.scope == ""


def test_a_grant_that_a_hook_would_lose_is_named() -> None:
    """It says which parameter is missing; nothing is decided."""
    provider = OldHooks()
    temporary = asked(provider)
    with pytest.raises(TypeError, match='"create_authorization_verifier" has no parameter "scope"'):
        grant(provider, temporary, "photos.read")
    assert provider.decide(temporary.token).verifier


def test_a_hook_takes_the_scope_by_its_name() -> None:
    """A parameter ``scope`` counts, a wrapper with ``**kwargs`` does not."""

    class Store:
        def method(self, token: Any, client_id: str, redirect_uri: str, scope: str = "") -> None: ...

    def keyword(*args: Any, scope: str) -> None: ...

    def wrapper(*args: Any, **kwargs: Any) -> None: ...

    def positional(scope: str, /) -> None: ...

    assert [takes_scope(func) for func in (Store().method, keyword)] == [True, True]
    assert [takes_scope(func) for func in (wrapper, positional, print, None, dict)] == [False] * 5
