"""A provider that is killed between two steps of the flow."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.examples.jane import READY, Jane, Printer, verifier_in
from tests.examples.running import photos
from tests.servers import Valkey


@pytest.fixture
def valkey() -> Iterator[Valkey]:
    """A server that keeps what it has confirmed."""
    server = Valkey()
    yield server
    server.close()


@pytest.mark.parametrize("kind", ["sqlite", "valkey"])
def test_a_kill_between_approval_and_exchange(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """What she granted is what the token has: no more than that, and no less."""
    more = ["--nonces", request.getfixturevalue("valkey").url + "?timeout=30"] if kind == "valkey" else []
    store = f"sqlite:///{tmp_path}/photos.db"
    with photos(*more, store=store) as first, Jane(first.url) as jane:
        jane.sign_in()
        printer = Printer(first.url)
        granted, nothing = (
            printer._credentials(printer.send("POST", "/initiate?scope=photos.read+photos.write", callback_uri=READY))
            for _ in range(2)
        )
        verifier = verifier_in(jane.decide(granted[0], **{"scope.photos.read": "yes"}))
        other_verifier = verifier_in(jane.decide(nothing[0]))
        first.stop(signal.SIGKILL)
    with photos(*more, store=store) as second, Jane(second.url) as jane:
        printer.url = second.url
        token = printer.exchange(granted, verifier)
        assert printer.send("GET", "/albums", token=token).status_code == 200
        assert printer.send("POST", "/albums", token=token).status_code == 403
        token = printer.exchange(nothing, other_verifier)
        assert printer.photo().status_code == 200
        assert printer.send("GET", "/albums", token=token).status_code == 403
        again = printer.send("POST", "/token", token=granted, verifier=verifier)
        assert "error=token_rejected" in again.text


def test_two_denials_at_once(tmp_path: Path) -> None:
    """Of many clicks on Deny one gets the redirect; the others get a page, and no token can be had."""
    with photos("--workers", "2", store=f"sqlite:///{tmp_path}/photos.db") as running, Jane(running.url) as jane:
        jane.sign_in()
        printer = Printer(running.url)
        temporary = printer.initiate()
        csrf_token = jane.csrf_token(f"/authorize?oauth_token={temporary[0]}")
        with ThreadPoolExecutor(6) as clicks:
            answers = list(clicks.map(lambda _: jane.decide(temporary[0], "deny", csrf_token=csrf_token), range(6)))
        assert {answer.status_code for answer in answers} <= {302, 400, 409}
        redirects = [answer.headers["Location"] for answer in answers if answer.status_code == 302]
        assert redirects == [f"{READY}?error=access_denied&oauth_token={temporary[0]}"]
        pages = [answer for answer in answers if answer.status_code != 302]
        assert all("tart again from the application" in page.text for page in pages)  # both of its sentences
        assert "error=token_rejected" in printer.send("POST", "/token", token=temporary, verifier="any").text
