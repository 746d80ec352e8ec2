"""The announced end of OAuth 1.0 at a provider with Django, in synchronous, asynchronous and REST views."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.http import HttpResponse
from rest_framework.response import Response
from rest_framework.views import APIView

from async_oauth1 import Retirement
from async_oauth1.django import ResourceProtector
from async_oauth1.django.rest_framework import OAuth1Authentication
from examples.django_provider.models import Client, Token
from tests.django_oauth1.requesting import asgi, signed, wsgi

pytestmark = pytest.mark.usefixtures("database")
SINCE, LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC)
PAGE = "https://provider.example/ends"
UNREADABLE = {"Authorization": 'OAuth oauth_nonce="1", oauth_nonce="2"'}


def protector(**more: Any) -> ResourceProtector[Any, Any]:
    """A protector that announces the end."""
    made: ResourceProtector[Any, Any] = ResourceProtector(Client, Token)
    made.retirement = Retirement(SINCE, link=PAGE, **more)
    return made


def announces(answer: Any) -> bool:
    """Whether an answer announces the end."""
    return answer["Deprecation"] == f"@{int(SINCE.timestamp())}" and PAGE in answer["Link"]


def test_a_view() -> None:
    """Accepted, refused and unreadable requests are told; a header field of the view's own stays."""
    used: list[str] = []

    @protector(usage=lambda client_id, _: used.append(client_id))()
    def view(request: Any) -> HttpResponse:
        return HttpResponse("photos", headers={"Link": '<https://provider.example/2>; rel="next"'})

    answers = [
        view(wsgi(*signed("GET", "/photos"))),
        view(wsgi(*signed("GET", "/photos", client_secret="guessed"))),
        view(wsgi("GET", "/photos", headers=UNREADABLE)),
    ]
    assert [answer.status_code for answer in answers] == [200, 401, 400]
    assert all(announces(answer) for answer in answers)
    assert answers[0]["Link"].startswith('<https://provider.example/2>; rel="next", ')
    assert used == ["printer"]


async def test_an_async_view_in_a_brown_out() -> None:
    """Is not called: 410, also for what cannot be read."""

    @protector(brownouts=[(LONG_AGO, None)])()
    async def view(request: Any) -> HttpResponse:
        raise AssertionError("the view is called")

    for sent in (asgi(*signed("GET", "/photos")), asgi("GET", "/photos", headers=UNREADABLE)):
        answer = await view(sent)
        assert answer.status_code == 410
        assert announces(answer)


def test_a_rest_view() -> None:
    """The same with Django REST framework, which replaces fields of a response by those of the view."""

    class Authentication(OAuth1Authentication):
        """With the protector of this test."""

    Authentication.protector = protector()

    class View(APIView):
        """A protected resource."""

        authentication_classes = (Authentication,)

        def get(self, request: Any) -> Response:
            return Response("photos", headers={"Link": '<https://provider.example/2>; rel="next"'})

    view = View.as_view()
    answers = [view(wsgi(*signed("GET", "/photos", **more))) for more in ({}, {"client_secret": "guessed"})]
    assert [answer.status_code for answer in answers] == [200, 401]
    assert all(announces(answer) for answer in answers)
    assert answers[0]["Link"].startswith('<https://provider.example/2>; rel="next", ')


def test_a_view_that_is_protected_twice() -> None:
    """The link of the announcement is there once, behind the view's own."""
    protect = protector()

    @protect()
    @protect()
    def view(request: Any) -> HttpResponse:
        return HttpResponse("photos", headers={"Link": '<https://provider.example/2>; rel="next"'})

    answer = view(wsgi(*signed("GET", "/photos")))
    assert answer.status_code == 200
    assert answer["Link"].count(PAGE) == 1
    assert answer["Link"].startswith('<https://provider.example/2>; rel="next", ')
