"""Signatures are verified over the path that the client sent, if the provider is below a prefix."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpResponse
from django.test import override_settings

from async_oauth1.django import ResourceProtector
from examples.django_provider.models import Client, Token

from ..requesting import asgi, signed, wsgi

pytestmark = pytest.mark.usefixtures("database")


def ask(request: Any, **setting: Any) -> int:
    with override_settings(AUTHLIB_OAUTH1_PROVIDER={"nonces": "models", **setting}):
        status: int = ResourceProtector(Client, Token)()(lambda _: HttpResponse())(request).status_code
    return status


def below(target: str, sent: str, **environ: str) -> Any:
    """A request for one target that the client signed as another."""
    _, _, body, headers = signed("GET", sent)
    return wsgi("GET", target, body, headers, **environ)


def test_a_server_may_know_the_prefix() -> None:
    """SCRIPT_NAME, whether the server keeps the prefix in the target or not."""
    kept = {"SCRIPT_NAME": "/api", "PATH_INFO": "/photos/a/b"}
    assert ask(below("/api/photos/a%2Fb", "/api/photos/a%2Fb", **kept)) == 200
    assert ask(below("/photos/a%2Fb", "/api/photos/a%2Fb", **kept)) == 200
    assert ask(below("/photos/a%2Fb", "/photos/a%2Fb", **kept)) == 401


@pytest.mark.parametrize("prefix", ["/api", "/api/"])
def test_a_setting_may_know_the_prefix(prefix: str) -> None:
    """FORCE_SCRIPT_NAME, under WSGI and ASGI, whether a proxy removes the prefix or not."""
    with override_settings(FORCE_SCRIPT_NAME=prefix):
        assert ask(below("/photos/a%2Fb", "/api/photos/a%2Fb")) == 200
        assert ask(below("/api/photos", "/api/photos", PATH_INFO="/photos")) == 200
        assert ask(below("/photos", "/photos")) == 401
        for target in ("/photos", "/api/photos"):
            _, _, body, headers = signed("GET", "/api/photos")
            request = asgi("GET", target, body, headers)
            assert isinstance(request, ASGIRequest)
            assert ask(request) == 200


@pytest.mark.parametrize("prefix", ["", "/"])
def test_an_empty_setting_removes_the_prefix(prefix: str) -> None:
    """As for Django's own paths: a rewriting rule has put it there, and clients do not know it."""
    with override_settings(FORCE_SCRIPT_NAME=prefix):
        below_script = {"SCRIPT_NAME": "/app.cgi", "PATH_INFO": "/photos"}
        assert ask(below("/app.cgi/photos", "/photos", **below_script)) == 200


def test_the_external_address_comes_first() -> None:
    """Its prefix is not put there twice."""
    request = below("/photos", "/api/photos")
    with override_settings(FORCE_SCRIPT_NAME="/api"):
        assert ask(request, external_base_url="http://localhost/api") == 200
