"""Django's database cache says "exists" if a statement fails. That refuses nothing and accepts nothing twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import caches
from django.core.cache.backends.db import DatabaseCache
from django.core.management import call_command
from django.db import connection
from django.http import HttpResponse
from django.test import override_settings

from async_oauth1.django import CacheAuthorizationServer, ResourceProtector
from async_oauth1.django import caches as django_caches
from examples.django_provider.models import Client, Token

from ..requesting import signed, wsgi

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "oauth1_cache",
        "OPTIONS": {"MAX_ENTRIES": 1_000_000},
    }
}


@pytest.fixture(autouse=True)
def table(database: None) -> Iterator[None]:
    with override_settings(CACHES=CACHES, AUTHLIB_OAUTH1_PROVIDER={}):
        call_command("createcachetable", verbosity=0)
        yield
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE oauth1_cache")


class Flaky:
    """Makes ``add`` fail in silence, as another transaction does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, failures: int) -> None:
        self.failures, add = failures, DatabaseCache.add

        def flaky(cache: DatabaseCache, *args: Any, **kwargs: Any) -> bool:
            self.failures -= 1
            return False if self.failures >= 0 else add(cache, *args, **kwargs)

        monkeypatch.setattr(DatabaseCache, "add", flaky)


def answer(request: Any) -> int:
    status: int = ResourceProtector(Client, Token)()(lambda _: HttpResponse())(request).status_code
    return status


def test_a_step_that_failed_in_silence_is_taken_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The request is accepted, and its copy is not."""
    made = signed("GET", "/photos")
    assert answer(wsgi(*signed("GET", "/photos"))) == 200  # the cache has been tried
    Flaky(monkeypatch, 2)
    assert [answer(wsgi(*made)), answer(wsgi(*made))] == [200, 401]


def test_a_cache_that_never_stores_is_503(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not taken for a repeated nonce."""
    assert answer(wsgi(*signed("GET", "/photos"))) == 200
    monkeypatch.setattr(django_caches, "_RETRY_SECONDS", 0)
    Flaky(monkeypatch, 1_000)
    assert answer(wsgi(*signed("GET", "/photos"))) == 503


def test_wrong_verifiers_are_counted_for_the_whole_lifetime() -> None:
    """``incr`` of the database cache is not atomic, and would forget the count after five minutes."""
    server = CacheAuthorizationServer(Client, Token)
    assert [server.count_wrong_verifier("token") for _ in range(7)] == [1, 2, 3, 4, 5, 5, 5]
    assert caches["default"].get("temporary_credential:token:wrong:5") == 1


def test_a_silent_failure_is_not_taken_for_an_unsuitable_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first request tries the cache; a lock at this moment is no configuration error."""
    Flaky(monkeypatch, 1)
    django_caches.refuse_unsuitable("default")
