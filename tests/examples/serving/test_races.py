"""Concurrent requests of which only one may succeed."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from tests.examples.jane import Jane, Printer, verifier_in
from tests.examples.running import Photos

COPIES = 20


@pytest.fixture(params=["provider", "provider_of_two"])
def photos_url(request: pytest.FixtureRequest) -> str:
    """The URL of a provider with one process, and of one with two."""
    running: Photos = request.getfixturevalue(request.param)
    return running.url


def test_of_twenty_copies_of_a_request_one_is_served(photos_url: str) -> None:
    """They are sent at once on separate connections; the others are refused as replays."""
    printer = Printer(photos_url)
    with Jane(photos_url) as jane, ThreadPoolExecutor(COPIES) as pool:
        jane.sign_in()
        token = printer.let_in_by(jane)
        for _ in range(3):
            url, headers, _ = printer.signed("GET", "/photos?file=vacation.jpg", token=token)
            answers = pool.map(lambda _: httpx2.get(url, headers=headers, timeout=60), range(COPIES))  # noqa: B023
            assert Counter(answer.status_code for answer in answers) == {200: 1, 401: COPIES - 1}


def test_of_twenty_exchanges_of_temporary_credentials_one_succeeds(photos_url: str) -> None:
    """Each request has its own signature and nonce."""
    printer = Printer(photos_url)
    with Jane(photos_url) as jane, ThreadPoolExecutor(COPIES) as pool:
        jane.sign_in()
        temporary = printer.initiate()
        verifier = verifier_in(jane.decide(temporary[0]))
        answers = list(
            pool.map(
                lambda _: printer.send("POST", "/token", token=temporary, verifier=verifier),
                range(COPIES),
            )
        )
    assert Counter(answer.status_code for answer in answers) == {200: 1, 401: COPIES - 1}


def test_of_twenty_decisions_one_counts(photos_url: str) -> None:
    """Of concurrent approvals and denials, the first is final."""
    printer = Printer(photos_url)
    with Jane(photos_url) as jane, ThreadPoolExecutor(COPIES) as pool:
        jane.sign_in()
        temporary = printer.initiate()
        fields = {"csrf_token": jane.csrf_token("/"), "oauth_token": temporary[0]}
        cookies = {"photos_session": jane.cookie}

        def decide(number: int) -> httpx2.Response:
            decision = "approve" if number % 2 else "deny"
            return httpx2.post(
                f"{photos_url}/authorize", data={**fields, "decision": decision}, cookies=cookies, timeout=60
            )

        answers = list(pool.map(decide, range(COPIES)))
    decided = [answer for answer in answers if answer.status_code == 302]
    assert len(decided) == 1
    assert all(400 <= answer.status_code < 500 for answer in answers if answer is not decided[0])
    if "oauth_verifier=" in decided[0].headers["Location"]:
        assert printer.exchange(temporary, verifier_in(decided[0]))
    else:
        assert "error=access_denied" in decided[0].headers["Location"]


def test_a_revocation_takes_effect_at_once(photos_url: str) -> None:
    """This holds in every process."""
    printer = Printer(photos_url)
    with Jane(photos_url) as jane:
        jane.sign_in()
        printer.let_in_by(jane)
        assert printer.photo().status_code == 200
        assert jane.post("/", "/", client_id=printer.client_id).status_code == 302
        assert {printer.photo().status_code for _ in range(10)} == {401}
