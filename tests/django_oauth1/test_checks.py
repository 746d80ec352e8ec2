"""What is misconfigured is said by ``manage.py check``, or refused when a server is made."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import models
from django.test import override_settings

from async_oauth1.django import CacheAuthorizationServer, ModelAuthorizationServer, ResourceProtector
from async_oauth1.django.models import Nonce
from examples.django_provider.models import Client, Token

from .requesting import signed, wsgi

BACKENDS = "django.core.cache.backends"


def found(**settings: Any) -> set[str]:
    with override_settings(**settings):
        return {
            str(message.id).removeprefix("async_oauth1.")
            for message in run_checks()
            if "async_oauth1" in str(message.id)
        }


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"AUTHLIB_OAUTH1_PROVIDER": {"nonces": "models"}}, set()),
        ({"AUTHLIB_OAUTH1_PROVIDER": {"timestamp_window": "x", "nonces": "models"}}, {"E001"}),
        ({"AUTHLIB_OAUTH1_PROVIDER": {"cache": "other"}}, {"E002"}),
        ({"AUTHLIB_OAUTH1_PROVIDER": {"nonce": "models", "nonces": "models"}}, {"W001"}),
        ({"AUTHLIB_OAUTH1_PROVIDER": {"signature_methods": ["PLAINTEXT"], "nonces": "models"}}, {"W002"}),
        ({"AUTHLIB_OAUTH1_PROVIDER": {"require_https": False, "nonces": "models"}}, {"W003"}),
        ({"AUTHLIB_OAUTH1_PROVIDER": {}}, {"W004"}),
        ({"SECURE_SSL_REDIRECT": True}, {"W008"}),
    ],
)
def test_each_problem_has_its_check(settings: dict[str, Any], expected: set[str]) -> None:
    """By id."""
    assert found(**settings) == expected


@pytest.mark.parametrize(
    ("backend", "location", "expected"),
    [
        ("dummy.DummyCache", "", "E003"),
        ("filebased.FileBasedCache", "cache", "E004"),
        ("db.DatabaseCache", "t", "W005"),
    ],
)
def test_unsuitable_caches_are_reported(backend: str, location: str, expected: str) -> None:
    """Those that keep nothing, are not atomic, or drop live entries."""
    caches = {"default": {"BACKEND": f"{BACKENDS}.{backend}", "LOCATION": location}}
    assert found(CACHES=caches, AUTHLIB_OAUTH1_PROVIDER={}) == {expected}


@pytest.mark.usefixtures("database")
def test_a_dummy_cache_accepts_nothing() -> None:
    """Even if no check is run."""
    caches = {"default": {"BACKEND": f"{BACKENDS}.dummy.DummyCache"}}
    with override_settings(CACHES=caches, AUTHLIB_OAUTH1_PROVIDER={}):
        view = ResourceProtector(Client, Token)()(lambda request: None)
        with pytest.raises(ImproperlyConfigured, match="does not keep what is added"):
            view(wsgi(*signed("GET", "/photos")))


class Short(models.Model):
    """A model without methods, with a column that is too short."""

    client_id: models.CharField[str, str] = models.CharField(max_length=8)
    oauth_token: models.CharField[str, str] = models.CharField(max_length=8)

    class Meta:
        app_label = "not_installed"


def test_what_models_lack_is_named() -> None:
    """Class, fields and methods, in one error."""
    with pytest.raises(ImproperlyConfigured) as raised:
        CacheAuthorizationServer(Short, Short)
    for part in (
        "Short",
        "get_client_secret()",
        "'oauth_token_secret'",
        "'user'",
        "get_oauth_token()",
        "shorter than 42",
    ):
        assert part in str(raised.value)
    with pytest.raises(ImproperlyConfigured, match="is not a model"):
        ModelAuthorizationServer(Client, "app.Token")  # type: ignore[arg-type]


@pytest.mark.usefixtures("database")
def test_purging_deletes_what_has_expired(capsys: pytest.CaptureFixture[str]) -> None:
    """And nothing else."""
    Nonce.objects.create(key="old", expires_at=1)
    Nonce.objects.create(key="live", expires_at=9_999_999_999)
    call_command("purge_oauth1")
    assert "Deleted 1 nonces and 0 temporary credentials." in capsys.readouterr().out
    assert [nonce.key for nonce in Nonce.objects.all()] == ["live"]


def test_the_migration_is_up_to_date() -> None:
    """``makemigrations`` has nothing to do."""
    call_command("makemigrations", "async_oauth1", "django_provider", check=True, dry_run=True, verbosity=0)
