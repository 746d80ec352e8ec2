"""A nonce that was used stays used, also if the transaction of the view that verified the request is rolled back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from django.test import override_settings
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from async_oauth1.django import ResourceProtector
from async_oauth1.django.models import Nonce
from async_oauth1.django.rest_framework import OAuth1Authentication
from async_oauth1.errors import OAuth1Error
from examples.django_provider.models import Client, Token

from ..requesting import signed, wsgi
from ..test_checks import found
from .test_database_cache import CACHES

MODELS: dict[str, Any] = {"AUTHLIB_OAUTH1_PROVIDER": {"nonces": "models"}}
TABLE: dict[str, Any] = {"AUTHLIB_OAUTH1_PROVIDER": {}, "CACHES": CACHES}


@pytest.fixture(params=[MODELS, TABLE], ids=["models", "database cache"])
def storage(request: pytest.FixtureRequest, database: None) -> Iterator[None]:
    """Nonces in a database that allows a second connection to write beside a transaction."""
    with override_settings(**request.param):
        execute("PRAGMA journal_mode=WAL")
        call_command("createcachetable", "oauth1_cache", verbosity=0)
        yield
        execute("DROP TABLE oauth1_cache")
        execute("PRAGMA journal_mode=DELETE")


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


class FailedError(Exception):
    """The view has failed."""


def fail() -> None:
    raise FailedError


def verify(make: Callable[[], Any]) -> int:
    """Verify a request as a part of a view that fails in its transaction; the status."""
    protector = ResourceProtector(Client, Token)
    try:
        with transaction.atomic():
            protector.acquire_credential(make())
            fail()
    except OAuth1Error as error:
        return error.status_code
    except FailedError:
        pass
    return 200


@pytest.mark.usefixtures("storage")
def test_a_view_that_fails_in_its_transaction() -> None:
    """The request cannot be sent again."""
    made = signed("GET", "/photos")
    assert [verify(lambda: wsgi(*made)) for _ in range(3)] == [200, 401, 401]
    assert verify(lambda: wsgi(*signed("GET", "/photos"))) == 200


class OAuth1(OAuth1Authentication):
    @property
    def protector(self) -> Any:  # type: ignore[override]
        return ResourceProtector(Client, Token)


class Photos(APIView):
    authentication_classes = (OAuth1,)

    def get(self, request: Request) -> Response:
        assert request.auth is not None
        raise FailedError


@pytest.mark.usefixtures("storage")
def test_a_rest_framework_view_with_atomic_requests() -> None:
    """Its authentication runs inside of the view's transaction."""
    view = transaction.atomic()(Photos.as_view())
    made = signed("GET", "/photos")
    with pytest.raises(FailedError):
        view(wsgi(*made))
    with override_settings(REST_FRAMEWORK={"DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"]}):
        assert view(wsgi(*made)).status_code == 401


@pytest.mark.usefixtures("storage")
def test_a_connection_that_does_not_commit_by_itself() -> None:
    """With ``set_autocommit(False)``, too, a rollback does not forget the nonce."""
    made = signed("GET", "/photos")
    protector = ResourceProtector(Client, Token)
    transaction.set_autocommit(False)
    try:
        protector.acquire_credential(wsgi(*made))
        transaction.rollback()
        with pytest.raises(OAuth1Error, match="nonce"):
            protector.acquire_credential(wsgi(*made))
    finally:
        transaction.rollback()
        transaction.set_autocommit(True)


@pytest.mark.usefixtures("database")
def test_a_test_case_keeps_its_one_connection() -> None:
    """Django's ``TestCase`` rolls back after each test; a second connection would not see its tables or wait for it."""
    made = signed("GET", "/photos")
    with override_settings(**MODELS), transaction.atomic():
        vars(connection.atomic_blocks[-1])["_from_testcase"] = True
        protector = ResourceProtector(Client, Token)
        protector.acquire_credential(wsgi(*made))
        transaction.set_rollback(True)
    assert not Nonce.objects.exists()


@pytest.mark.parametrize("storage", [MODELS, TABLE], ids=["models", "database cache"])
def test_system_checks_say_what_it_costs(storage: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A second connection for each nonce."""
    assert not {"W006", "W009"} & found(**storage)
    for name, value, expected in (("ATOMIC_REQUESTS", True, "W006"), ("AUTOCOMMIT", False, "W009")):
        monkeypatch.setitem(settings.DATABASES["default"], name, value)
        assert expected in found(**storage)
