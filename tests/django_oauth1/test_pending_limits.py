"""A client has a limited number of pending temporary credentials, in the cache and in the models."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import override_settings

from async_oauth1.django import CacheAuthorizationServer, ModelAuthorizationServer
from examples.django_provider.models import Client, Token

from .requesting import signed, wsgi

pytestmark = [
    pytest.mark.usefixtures("database"),
    pytest.mark.parametrize("kind", [CacheAuthorizationServer, ModelAuthorizationServer]),
]
STEP = {"resource_owner_key": None, "resource_owner_secret": None, "callback_uri": "oob"}


def server_of(kind: Any, **setting: Any) -> Any:
    cache.clear()
    with override_settings(AUTHLIB_OAUTH1_PROVIDER={"max_pending_per_client": 2, **setting}):
        return kind(Client, Token)


def initiate(server: Any) -> Any:
    return server.create_temporary_credentials_response(wsgi(*signed("POST", "/initiate", **STEP)))


def token_of(response: Any) -> str:
    return dict(pair.split("=") for pair in response.content.decode().split("&"))["oauth_token"]


def decide(server: Any, token: str, user: Any) -> Any:
    return server.create_authorization_response(wsgi("POST", f"/authorize?oauth_token={token}"), user)


def test_one_too_many_is_429(kind: Any) -> None:
    """With ``Retry-After``; another client is served."""
    server = server_of(kind)
    assert [initiate(server).status_code for _ in range(2)] == [200, 200]
    refused = initiate(server)
    assert (refused.status_code, refused["Retry-After"]) == (429, "30")
    assert b"too_many_pending" in refused.content
    assert server.create_temporary_credential(other_request()).get_client_id() == "other"


def other_request() -> Any:
    request: Any = type("Request", (), {"client_id": "other", "redirect_uri": "oob", "requested_scope": ""})()
    return request


def test_what_is_denied_or_exchanged_makes_room(kind: Any) -> None:
    """Each once."""
    server, jane = server_of(kind), User.objects.get()
    denied, exchanged = token_of(initiate(server)), initiate(server)
    decide(server, denied, None)
    code = decide(server, token_of(exchanged), jane).content.decode()
    pending = dict(pair.split("=") for pair in exchanged.content.decode().split("&"))
    made = signed(
        "POST",
        "/token",
        resource_owner_key=pending["oauth_token"],
        resource_owner_secret=pending["oauth_token_secret"],
        verifier=code,
    )
    assert server.create_token_response(wsgi(*made)).status_code == 200
    assert [initiate(server).status_code for _ in range(3)] == [200, 200, 429]


def test_a_second_click_is_the_same_answer(kind: Any) -> None:
    """Also for a user model whose primary key is not ``id``; another user is refused."""
    from async_oauth1.errors import AlreadyDecidedError

    server = server_of(kind)
    token = token_of(initiate(server))
    assert decide(server, token, Account("a")).content == decide(server, token, Account("a")).content
    with pytest.raises(AlreadyDecidedError):
        decide(server, token, Account("b"))


class Account:
    """What the flows know of a user model with another primary key; its ``id`` is the same for all."""

    _meta = None
    id = 1

    def __init__(self, pk: str) -> None:
        self.pk = pk
