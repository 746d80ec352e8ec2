"""The authentication class and the permission of Django REST framework."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from async_oauth1.django import ResourceProtector
from async_oauth1.django.rest_framework import HasScope, OAuth1Authentication
from examples.django_provider.models import Client, Token

from .requesting import signed, wsgi

pytestmark = pytest.mark.usefixtures("database")


class OAuth1(OAuth1Authentication):
    protector = ResourceProtector(Client, Token)


class Photos(APIView):
    authentication_classes = (OAuth1,)
    permission_classes = (IsAuthenticated,)

    def get(self, request: Request) -> Response:
        auth: Any = request.auth
        return Response({"user": request.user.username, "token": auth.oauth_token})

    def post(self, request: Request) -> Response:
        return Response(dict(request.data.lists()))


class Scoped(Photos):
    permission_classes = (HasScope,)
    required_scopes = "photos.read"


def answer(request: Any, kind: type[APIView] = Photos) -> Any:
    with override_settings(REST_FRAMEWORK={"DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"]}):
        return kind.as_view()(request)


def test_user_and_auth_are_those_of_the_credential() -> None:
    """``request.user`` and ``request.auth``."""
    assert answer(wsgi(*signed("GET", "/photos"))).data == {"user": "jane", "token": "t"}


def test_the_view_has_the_form_that_was_verified() -> None:
    """The body is read once, and parsed by the framework afterwards."""
    assert answer(wsgi(*signed("POST", "/photos", "a=1&a=2"))).data == {"a": ["1", "2"]}


def test_a_refusal_is_401_with_a_challenge() -> None:
    """Unsigned requests are left to other classes, and are refused by the permission."""
    replayed = signed("GET", "/photos")
    assert answer(wsgi(*replayed)).status_code == 200
    for request in (wsgi(*replayed), wsgi("GET", "/photos")):
        refused = answer(request)
        assert refused.status_code == 401
        assert refused["WWW-Authenticate"].startswith('OAuth realm="')


def test_an_inactive_user_is_refused() -> None:
    """As in the framework's own classes."""
    from django.contrib.auth.models import User

    User.objects.update(is_active=False)
    assert answer(wsgi(*signed("GET", "/photos"))).status_code == 401


def test_a_token_without_the_scope_is_403() -> None:
    """The model has no scope at all, so that nothing is granted."""
    assert answer(wsgi(*signed("GET", "/photos")), Scoped).status_code == 403


def test_a_malformed_request_is_400() -> None:
    """Two places for one parameter."""
    method, target, body, headers = signed("GET", "/photos?oauth_token=t")
    assert answer(wsgi(method, target, body, headers)).status_code == 400


def test_problem_reporting_reaches_the_challenge() -> None:
    """With ``problem_reporting`` in the setting, the body and the challenge of a refusal report the problem."""
    setting = {**settings.AUTHLIB_OAUTH1_PROVIDER, "problem_reporting": True}
    with override_settings(AUTHLIB_OAUTH1_PROVIDER=setting):

        class Reporting(OAuth1Authentication):
            protector = ResourceProtector(Client, Token)

        class View(Photos):
            authentication_classes = (Reporting,)

        replayed = signed("GET", "/photos")
        assert answer(wsgi(*replayed), View).status_code == 200
        refused = answer(wsgi(*replayed), View)
    assert refused.data["oauth_problem"] == "nonce_used"
    assert 'oauth_problem="nonce_used"' in refused["WWW-Authenticate"]
