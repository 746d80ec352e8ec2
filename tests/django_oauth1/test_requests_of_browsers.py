"""HEAD, OPTIONS, preflights and odd methods; two places for OAuth parameters; hooks that fail."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse

from async_oauth1.django import CacheAuthorizationServer, ResourceProtector
from examples.django_provider.models import Client, Token

from .requesting import asgi, signed, wsgi

pytestmark = pytest.mark.usefixtures("database")


def view(_: HttpRequest) -> HttpResponse:
    return HttpResponse("photos")


def ask(request: Any, protector: Any = None, **demands: Any) -> Any:
    return (protector or ResourceProtector(Client, Token))(**demands)(view)(request)


def test_head_and_options_are_signed_like_other_methods() -> None:
    """A signature over GET is not one over HEAD, and OPTIONS needs one, too."""
    for method in ("HEAD", "OPTIONS"):
        assert ask(wsgi(*signed(method, "/photos"))).status_code == 200
        _, target, body, headers = signed("GET", "/photos")
        assert ask(wsgi(method, target, body, headers)).status_code == 401


def test_a_preflight_is_refused_with_400() -> None:
    """Browsers do not sign it; a CORS middleware answers it before the view."""
    fields = {"Origin": "https://a.example", "Access-Control-Request-Method": "GET"}
    assert ask(wsgi("OPTIONS", "/photos", b"", fields)).status_code == 400


def test_parameters_in_two_places_are_400() -> None:
    """Header and query, or header and form."""
    _, _, _, headers = signed("POST", "/photos", "a=1")
    assert ask(wsgi("POST", "/photos?oauth_nonce=n", b"a=1", headers)).status_code == 400
    assert ask(wsgi("POST", "/photos", b"oauth_nonce=n", headers)).status_code == 400


def test_a_form_that_a_middleware_has_parsed_is_verified() -> None:
    """``request.POST`` keeps an urlencoded body, under WSGI and ASGI."""
    for make in (wsgi, asgi):
        request = make(*signed("POST", "/photos", "a=1&a=2"))
        assert request.POST.getlist("a") == ["1", "2"]
        protector = ResourceProtector(Client, Token)
        assert protector.acquire_credential(request).client_id == "printer"


def test_two_legged_requests_need_the_views_consent() -> None:
    """Without a token, only if the view says so."""
    alone = {"resource_owner_key": None, "resource_owner_secret": None}
    assert ask(wsgi(*signed("GET", "/photos", **alone))).status_code == 400
    assert ask(wsgi(*signed("GET", "/photos", **alone)), two_legged=True).status_code == 200


@pytest.mark.parametrize(("granted", "status"), [("photos.read more", 200), ("photos", 403), ("", 403), (None, 403)])
def test_the_field_scope_is_compared_without_a_method(granted: str | None, status: int) -> None:
    """A model with the field ``scope`` needs no ``get_scope()``."""

    class Scoped(ResourceProtector[Client, Token]):
        def get_token_credential(self, request: Any) -> Any:
            credential: Any = Token.objects.get()
            credential.scope = granted
            return credential

    answer = ask(wsgi(*signed("GET", "/photos")), Scoped(Client, Token), scope="photos.read")
    assert answer.status_code == status


class Down(ResourceProtector[Client, Token]):
    """Its database is down."""

    def get_client_by_id(self, client_id: str) -> Any:
        raise OperationalError("could not connect")


class Broken(ResourceProtector[Client, Token]):
    """Has a mistake."""

    def get_client_by_id(self, client_id: str) -> Any:
        raise LookupError("a mistake")


def test_a_database_that_is_down_is_503_and_a_mistake_is_raised() -> None:
    """A mistake in a hook is Django's 500; it is not hidden, and accepts nothing."""
    assert ask(wsgi(*signed("GET", "/photos")), Down(Client, Token)).status_code == 503
    with pytest.raises(LookupError, match="a mistake"):
        ask(wsgi(*signed("GET", "/photos")), Broken(Client, Token))


def test_initiate_answers_other_methods_with_405() -> None:
    """With ``Allow``."""
    answer = CacheAuthorizationServer(Client, Token).create_temporary_credentials_response(wsgi("PUT", "/initiate"))
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
