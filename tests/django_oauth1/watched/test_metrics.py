"""Metrics of the servers of async_oauth1.django, in synchronous and asynchronous views."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpResponse
from prometheus_client import CollectorRegistry

from async_oauth1.django import ModelAuthorizationServer, ResourceProtector
from async_oauth1.telemetry import instrument
from examples.django_provider.models import Client, Token
from tests.django_oauth1.requesting import asgi, signed, wsgi
from tests.telemetry.test_metrics import requests

pytestmark = pytest.mark.usefixtures("database")
ACCEPTED, FORGED = ("resource", "accepted", ""), ("resource", "refused", "invalid_signature")


def measured(server: Any) -> CollectorRegistry:
    """A registry with the metrics of one server."""
    registry = CollectorRegistry()
    instrument(server, registry=registry)
    return registry


def test_a_view() -> None:
    """Accepted, refused and unreadable requests count once each."""
    protector = ResourceProtector(Client, Token)
    registry = measured(protector)

    @protector()
    def view(request: Any) -> HttpResponse:
        return HttpResponse("photos")

    answers = [
        view(wsgi(*signed("GET", "/photos"))),
        view(wsgi(*signed("GET", "/photos", client_secret="guessed"))),
        view(wsgi("GET", "/photos", headers={"Authorization": 'OAuth oauth_nonce="1", oauth_nonce="2"'})),
    ]
    assert [answer.status_code for answer in answers] == [200, 401, 400]
    counted = requests(registry)
    assert (counted[ACCEPTED], counted[FORGED], sum(counted.values())) == (1, 1, 3)


async def test_an_async_view() -> None:
    """The same."""
    protector = ResourceProtector(Client, Token)
    registry = measured(protector)

    @protector()
    async def view(request: Any) -> HttpResponse:
        return HttpResponse("photos")

    assert (await view(asgi(*signed("GET", "/photos")))).status_code == 200
    assert (await view(asgi(*signed("GET", "/photos", client_secret="guessed")))).status_code == 401
    assert requests(registry) == {ACCEPTED: 1, FORGED: 1}


def test_an_endpoint() -> None:
    """Its name is a label."""
    server = ModelAuthorizationServer(Client, Token)
    registry = measured(server)
    first: dict[str, Any] = {"resource_owner_key": None, "resource_owner_secret": None, "callback_uri": "oob"}
    for secret in ("secret", "guessed"):
        server.create_temporary_credentials_response(wsgi(*signed("POST", "/", client_secret=secret, **first)))
    assert requests(registry) == {
        ("temporary_credentials", "accepted", ""): 1,
        ("temporary_credentials", "refused", "invalid_signature"): 1,
    }
    with pytest.raises(ValueError, match="this ModelAuthorizationServer is instrumented already"):
        instrument(server, registry=registry)
