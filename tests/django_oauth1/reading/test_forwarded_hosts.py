"""The host that clients sign, if a proxy sends it in X-Forwarded-Host."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpResponse
from django.test import override_settings

from async_oauth1.django import ResourceProtector
from examples.django_provider.models import Client, Token

from ..requesting import asgi, signer, wsgi

pytestmark = pytest.mark.usefixtures("database")

makes = pytest.mark.parametrize("make", [wsgi, asgi])


def ask(make: Any, signed_for: str, **fields: str) -> int:
    """The status of a request that the client signed for a host, and the proxy sent to ``localhost``."""
    _, headers, _ = signer().sign(f"https://{signed_for}/photos")
    sent = make("GET", "/photos", b"", {**headers, **{name.replace("_", "-"): value for name, value in fields.items()}})
    if isinstance(sent, ASGIRequest):
        sent.scope["scheme"] = "https"
    sent.META["wsgi.url_scheme"] = "https"
    status: int = ResourceProtector(Client, Token)()(lambda _: HttpResponse())(sent).status_code
    return status


@pytest.fixture(autouse=True)
def hosts() -> Iterator[None]:
    """The proxy's name, and the one that clients know."""
    with override_settings(ALLOWED_HOSTS=["localhost", "api.example"]):
        yield


@makes
def test_the_forwarded_host_is_the_one_that_was_signed(make: Any) -> None:
    """With USE_X_FORWARDED_HOST alone; the proxy's own name is not accepted then."""
    assert ask(make, "api.example", X_Forwarded_Host="api.example") == 401
    with override_settings(USE_X_FORWARDED_HOST=True):
        assert ask(make, "api.example", X_Forwarded_Host="api.example") == 200
        assert ask(make, "api.example:8080", X_Forwarded_Host="api.example:8080") == 200
        assert ask(make, "localhost", X_Forwarded_Host="api.example") == 401
        assert ask(make, "localhost") == 200


@makes
@pytest.mark.parametrize("host", ["evil.example", "api.example, evil.example", "api.example@evil", "\xfc.example", " "])
def test_a_forwarded_host_that_is_not_allowed_is_400(make: Any, host: str) -> None:
    """Not Django's page, and not an error of the server."""
    with override_settings(USE_X_FORWARDED_HOST=True):
        assert ask(make, "api.example", X_Forwarded_Host=host) == 400


@makes
def test_two_forwarded_hosts_are_400(make: Any) -> None:
    """Servers join them with a comma, and no host is like that."""
    with override_settings(USE_X_FORWARDED_HOST=True):
        assert ask(make, "api.example", X_Forwarded_Host="api.example,api.example") == 400


@makes
def test_any_host_is_verified_as_it_was_sent(make: Any) -> None:
    """``ALLOWED_HOSTS = ["*"]`` still compares the host with the signed one."""
    with override_settings(USE_X_FORWARDED_HOST=True, ALLOWED_HOSTS=["*"]):
        assert ask(make, "other.example", X_Forwarded_Host="other.example") == 200
        assert ask(make, "localhost", X_Forwarded_Host="other.example") == 401
