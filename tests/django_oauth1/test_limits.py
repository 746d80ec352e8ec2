"""Limits for the servers of async_oauth1.django, in synchronous and asynchronous views."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from limits.aio.storage import MemoryStorage as AsyncMemoryStorage
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from async_oauth1.django import CacheAuthorizationServer, ModelAuthorizationServer, ResourceProtector
from async_oauth1.django.rest_framework import OAuth1Authentication
from async_oauth1.limits import Limits, Rates
from async_oauth1.testing import Clock
from examples.django_provider.models import Client, Token

from .requesting import signed, wsgi

pytestmark = pytest.mark.usefixtures("database")
STEP = {"resource_owner_key": None, "resource_owner_secret": None, "callback_uri": "oob"}


def limited(server: Any, **rates: Rates) -> Any:
    """A server with limits in memory."""
    Limits(clock=Clock(1_700_000_000.0), **rates).limit(server)
    return server


def protector() -> Any:
    """A protector that lets a client fetch two resources a day."""
    return limited(ResourceProtector(Client, Token), resource=Rates(per_client="2/day", per_address="100/day"))


def check(answers: list[Any], kind: str) -> None:
    """Two answers and a 429, each with the fields of the limit."""
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    names = [f'"{kind}-client-86400s";r={left};' for left in (1, 0, 0)]
    assert all(name in answer["RateLimit"] for name, answer in zip(names, answers, strict=True))
    assert all(f'"{kind}-client-86400s";q=2;w=86400' in answer["RateLimit-Policy"] for answer in answers)
    assert [f'"{kind}-address-86400s"' in answer["RateLimit"] for answer in answers[:2]] == [True, True]
    assert int(answers[2]["Retry-After"]) > 0
    assert b"too_many_requests" in answers[2].content


def test_a_view() -> None:
    """Says what is left, and then 429."""

    @protector()
    def view(request: Any) -> HttpResponse:
        return HttpResponse("photos")

    check([view(wsgi(*signed("GET", "/photos"))) for _ in range(3)], "resource")


def test_an_async_view() -> None:
    """As a synchronous one."""

    @protector()
    async def view(request: Any) -> HttpResponse:
        await asyncio.sleep(0)
        return HttpResponse("photos")

    async def fetch() -> list[Any]:
        return [await view(wsgi(*signed("GET", "/photos"))) for _ in range(3)]

    check(asyncio.run(fetch()), "resource")


def test_a_view_of_the_rest_framework() -> None:
    """The fields are there as well."""

    class OAuth1(OAuth1Authentication):
        protector = protector()

    class Photos(APIView):
        authentication_classes = (OAuth1,)

        def get(self, request: Request) -> Response:
            return Response({"user": request.user.username})

    view = Photos.as_view()
    check(
        [view(wsgi(*signed("GET", "/photos"), HTTP_ACCEPT="application/json")).render() for _ in range(3)], "resource"
    )


@pytest.mark.parametrize("kind", [CacheAuthorizationServer, ModelAuthorizationServer])
@pytest.mark.parametrize("is_async", [False, True])
def test_the_endpoints(kind: Any, is_async: bool) -> None:
    """Form-encoded; only the client itself uses up its limit."""
    server = limited(kind(Client, Token), temporary_credentials=Rates(per_client="2/day", per_address="100/day"))

    def initiate(**more: Any) -> Any:
        request = wsgi(*signed("POST", "/initiate", **STEP, **more))
        if is_async:
            return asyncio.run(server.acreate_temporary_credentials_response(request))
        return server.create_temporary_credentials_response(request)

    assert [initiate(client_secret="guessed").status_code for _ in range(3)] == [401] * 3
    check([initiate() for _ in range(3)], "temporary_credentials")


def test_wrong_verifiers() -> None:
    """After too many, not even the right one is compared."""
    server = limited(ModelAuthorizationServer(Client, Token), wrong_verifiers=Rates(per_client="2/day"))
    made = server.create_temporary_credentials_response(wsgi(*signed("POST", "/initiate", **STEP)))
    pending = dict(pair.split("=") for pair in made.content.decode().split("&"))
    token = pending["oauth_token"]
    verifier = server.create_authorization_response(wsgi("POST", f"/authorize?oauth_token={token}"), User.objects.get())
    keys = {"resource_owner_key": token, "resource_owner_secret": pending["oauth_token_secret"]}

    def exchange(text: str) -> int:
        made = signed("POST", "/token", verifier=text, **keys)
        status: int = server.create_token_response(wsgi(*made)).status_code
        return status

    assert [exchange("wrong") for _ in range(3)] == [401, 401, 429]
    assert exchange(verifier.content.decode()) == 429


def test_no_field_without_limits() -> None:
    """As before."""
    view = ResourceProtector(Client, Token)(lambda request: HttpResponse("photos"))
    assert not view(wsgi(*signed("GET", "/photos"))).has_header("RateLimit")


def test_a_storage_that_needs_a_loop_is_refused() -> None:
    """When the limits are set."""
    with pytest.raises(TypeError, match=r"limits\.storage"):
        Limits(AsyncMemoryStorage()).limit(ResourceProtector(Client, Token))
