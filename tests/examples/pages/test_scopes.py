"""The consent page shows what a client asks for, and grants what the user leaves ticked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.examples.jane import READY, Jane, Printer, verifier_in
from tests.examples.running import Photos


@pytest.fixture(scope="module")
def jane(provider: Photos) -> Iterator[Jane]:
    """A browser that is signed in, for all tests of the module."""
    with Jane(provider.url) as browser:
        assert browser.sign_in().status_code == 302
        yield browser


@pytest.fixture
def printer(provider: Photos) -> Printer:
    """The demo client."""
    return Printer(provider.url)


def ask(printer: Printer, scope: str) -> Any:
    """The answer to a request for temporary credentials with a scope."""
    return printer.send("POST", f"/initiate?{scope}", callback_uri=READY)


def asked(printer: Printer, scope: str) -> tuple[str, str]:
    """Temporary credentials for a scope."""
    return printer._credentials(ask(printer, scope))


def test_a_client_that_asks_for_nothing_sees_the_page_as_before(jane: Jane, printer: Printer) -> None:
    """There is nothing to tick."""
    page = jane.get(f"/authorize?oauth_token={printer.initiate()[0]}").text
    assert 'type="checkbox"' not in page


@pytest.mark.parametrize("parameter", ["scope", "x_oauth_scope"])
def test_the_page_shows_what_the_client_asks_for(jane: Jane, printer: Printer, parameter: str) -> None:
    """Each scope has a box and a sentence."""
    token, _ = asked(printer, f"{parameter}=photos.read+photos.write")
    page = jane.get(f"/authorize?oauth_token={token}").text
    assert "see your albums" in page
    assert "add photos to your albums" in page
    assert page.count('type="checkbox"') == 2


def test_what_stays_ticked_is_granted(jane: Jane, printer: Printer) -> None:
    """A box that was cleared is not granted; no other than the known scopes can be."""
    temporary = asked(printer, "scope=photos.read%20photos.write")
    more = {"scope.photos.read": "yes", "scope.everything": "yes"}
    token = printer.exchange(temporary, verifier_in(jane.decide(temporary[0], **more)))
    assert printer.send("GET", "/albums", token=token).status_code == 200
    refused = printer.send("POST", "/albums", token=token)
    assert (refused.status_code, refused.json()["error"]) == (403, "insufficient_scope")


def test_without_a_scope_the_albums_are_closed(jane: Jane, printer: Printer) -> None:
    """The RFC's printer sees the photo, and nothing that requires a scope."""
    token = printer.let_in_by(jane)
    assert printer.photo().status_code == 200
    assert printer.send("GET", "/albums", token=token).status_code == 403


def test_a_scope_that_does_not_exist_is_refused(printer: Printer) -> None:
    """The description names those that exist."""
    answer = ask(printer, "scope=photos.delete")
    assert answer.status_code == 400
    assert "photos.read%20and%20photos.write" in answer.text


def test_a_double_click_gives_the_same_answer(jane: Jane, printer: Printer) -> None:
    """With the same boxes ticked."""
    token, _ = asked(printer, "scope=photos.read")
    first = jane.decide(token, **{"scope.photos.read": "yes"})
    assert jane.decide(token, **{"scope.photos.read": "yes"}).headers["Location"] == first.headers["Location"]


def test_going_back_shows_what_was_granted(jane: Jane, printer: Printer) -> None:
    """The page has no boxes any more, and its form gives the same answer again."""
    token, _ = asked(printer, "scope=photos.read+photos.write")
    first = jane.decide(token, **{"scope.photos.read": "yes"})
    page = jane.get(f"/authorize?oauth_token={token}").text
    assert 'type="checkbox"' not in page
    assert re.findall(r'name="(scope[^"]*)"', page) == ["scope.photos.read"]
    assert jane.decide(token, **{"scope.photos.read": "yes"}).headers["Location"] == first.headers["Location"]
