"""The optional models in the admin: secrets are hidden, and rows can only be looked at and deleted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.test import override_settings
from django.urls import path

from async_oauth1.django.models import Nonce, TemporaryCredential

urlpatterns = [path("admin/", admin.site.urls)]
SECRETS = {"oauth_token": "token-xyz", "oauth_token_secret": "secret-xyz", "oauth_verifier": "verifier-xyz"}
LIST = "/admin/async_oauth1/temporarycredential/"


@pytest.fixture
def browser(database: None) -> Iterator[Browser]:
    """A superuser has signed in."""
    browser = Browser()
    browser.force_login(User.objects.create_superuser("root"))
    with override_settings(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["testserver"]):
        yield browser


@pytest.fixture
def credential(database: None) -> TemporaryCredential:
    return TemporaryCredential.objects.create(client_id="printer", user_id="7", expires_at=9_999_999_999, **SECRETS)


def test_no_page_shows_a_secret(browser: Browser, credential: TemporaryCredential) -> None:
    """Neither the list, nor one credential, its history, the search or the page before deleting."""
    for page in ("", f"{credential.pk}/change/", f"{credential.pk}/history/", f"{credential.pk}/delete/", "?q=printer"):
        answer = browser.get(LIST + page)
        assert answer.status_code == 200, page
        shown = answer.content.decode()
        assert "printer" in shown
        assert not any(secret in shown for secret in SECRETS.values()), page


@pytest.mark.parametrize(
    ("values", "decision"),
    [({"oauth_verifier": ""}, "pending"), ({}, "approved"), ({"denied": True, "oauth_verifier": ""}, "denied")],
)
def test_pages_say_in_words_what_a_row_is(
    browser: Browser, credential: TemporaryCredential, values: dict[str, object], decision: str
) -> None:
    """The decision, and the time in the zone and format of the settings; none is too late for the calendar."""
    TemporaryCredential.objects.update(**values, expires_at=1_700_000_000)
    for page in ("", f"{credential.pk}/change/"):
        shown = browser.get(LIST + page).content.decode()
        assert decision in shown
        assert "Nov. 14, 2023, " in shown
    TemporaryCredential.objects.update(expires_at=2**62)
    assert "Dec. 30, 9999, " in browser.get(LIST).content.decode()


def test_no_secret_can_be_guessed_by_a_filter(browser: Browser, credential: TemporaryCredential) -> None:
    """Django filters by any field of the model that is in the address; here, by what is shown alone."""
    for name in SECRETS:
        assert browser.get(f"{LIST}?{name}__startswith=x").status_code == 400
    assert "printer" in browser.get(f"{LIST}?client_id__startswith=p").content.decode()


def test_rows_are_neither_added_nor_changed(browser: Browser, credential: TemporaryCredential) -> None:
    """403, and no field to fill in."""
    assert browser.get(f"{LIST}add/").status_code == 403
    assert browser.post(f"{LIST}{credential.pk}/change/", {"user_id": "8"}).status_code == 403
    assert TemporaryCredential.objects.get().user_id == "7"
    assert 'name="user_id"' not in browser.get(f"{LIST}{credential.pk}/change/").content.decode()


def test_rows_can_be_deleted(browser: Browser, credential: TemporaryCredential) -> None:
    """One by one."""
    assert browser.post(f"{LIST}{credential.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not TemporaryCredential.objects.exists()


def test_nonces_are_listed(browser: Browser) -> None:
    """By the beginning of the hash, and by time; the page of one has the hash."""
    key = f"{'a' * 12}{'b' * 52}"
    Nonce.objects.create(key=key, expires_at=1_700_000_000)
    shown = browser.get("/admin/async_oauth1/nonce/").content.decode()
    assert ">aaaaaaaaaaaa<" in shown
    assert "Nov. 14, 2023, " in shown
    assert f">{key}<" in browser.get(f"/admin/async_oauth1/nonce/{key}/change/").content.decode()
