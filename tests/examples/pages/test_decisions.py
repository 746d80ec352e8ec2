"""The consent page and its decisions."""

from __future__ import annotations

import asyncio
import html
import secrets
from collections.abc import Iterator
from urllib.parse import parse_qsl

import pytest

from async_oauth1 import Client
from async_oauth1.stores import open_store
from tests.examples.jane import READY, Jane, Printer, verifier_in
from tests.examples.running import Photos, add_client


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


def client(provider: Photos, *callbacks: str, name: str = "Another printer") -> Printer:
    """Add another client to the store of a running provider."""
    credentials = secrets.token_hex(16), secrets.token_urlsafe(32)

    async def add() -> None:
        async with open_store(provider.store) as store:
            await store.add_client(
                Client(client_id=credentials[0], client_secret=credentials[1], name=name, callbacks=callbacks)
            )

    asyncio.run(add())
    return Printer(provider.url, *credentials)


@pytest.mark.rfc5849("2.2/client-shown")
def test_the_page_names_the_application_and_its_host(jane: Jane, printer: Printer) -> None:
    """It also contains the token."""
    token = printer.initiate()[0]
    page = jane.get(f"/authorize?oauth_token={token}").text
    assert "Printer" in page
    assert "printer.example.com" in page
    assert f'value="{token}"' in page


@pytest.mark.rfc5849("2.2/verified-or-not")
def test_the_page_says_that_the_name_was_not_verified(jane: Jane, printer: Printer) -> None:
    """Any client may be called Printer."""
    assert "has not been verified" in jane.get(f"/authorize?oauth_token={printer.initiate()[0]}").text


def test_signing_in_leads_back_to_the_consent_page(provider: Photos, printer: Printer) -> None:
    """The token is kept."""
    target = f"/authorize?oauth_token={printer.initiate()[0]}"
    with Jane(provider.url) as browser:
        asked = browser.get(target)
        assert asked.status_code == 302
        assert (
            asked.headers["Location"]
            == f"/login?next={target.replace('/', '%2F').replace('?', '%3F').replace('=', '%3D')}"
        )
        page = asked.headers["Location"]
        answer = browser.post(page, page, username="jane", password="wonderland")
        assert answer.headers["Location"] == target
        assert browser.get(target).status_code == 200


@pytest.mark.parametrize(
    "asked",
    [
        "/authorize/?oauth_token=T",
        "/authorize?a=%5C&oauth_token=T&b=\\",
        "/authorize?c=" + "x" * 2_000 + "&oauth_token=T",
    ],
)
def test_only_the_token_of_the_address_is_kept(provider: Photos, printer: Printer, asked: str) -> None:
    """Clients may add a callback or anything else to the address; after sign-in only the token is kept."""
    token = printer.initiate()[0]
    with Jane(provider.url) as browser:
        login = browser.get(asked.replace("T", token)).headers["Location"]
        answer = browser.post(login, login, username="jane", password="wonderland")
        assert answer.headers["Location"] == f"/authorize?oauth_token={token}"


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?",
        "?oauth_token=",
        "?oauth_token",
        "?oauth_token=unknown",
        "?oauth_token=%00",
        "?oauth_token=a%0d%0ab",
        "?oauth_token=%FF",
        "?oauth_token=%zz",
        "?oauth_token=" + "x" * 300,
        "?oauth_token=" + "%C3%A9" * 200,
        "?oauth_token=a&oauth_token=b",
        "?oauth_token=a&%6Fauth_token=b",
        "?OAUTH_TOKEN=a",
        "?oauth_token=a" + "&b=c" * 2_000,
    ],
    ids=lambda value: str(value)[:30],
)
def test_an_invalid_token_is_an_error_page(provider: Photos, jane: Jane, query: str) -> None:
    """The page is the same whether she has signed in or not."""
    with Jane(provider.url) as stranger:
        answers = [browser.get(f"/authorize{query}") for browser in (jane, stranger)]
    for answer in answers:
        assert answer.status_code == 400
        assert answer.headers["Content-Type"].startswith("text/html")
        assert "<h1" in answer.text


@pytest.mark.parametrize(("first", "second"), [("approve", "deny"), ("deny", "approve"), ("deny", "deny")])
def test_a_decision_is_final(jane: Jane, printer: Printer, first: str, second: str) -> None:
    """Another decision is refused, and so is a second denial."""
    temporary = printer.initiate()
    answer = jane.decide(temporary[0], first)
    assert answer.status_code == 302
    again = jane.decide(temporary[0], second)
    assert again.status_code == (409 if first == "approve" else 400)
    assert "Location" not in again.headers
    if first == "approve":
        printer.exchange(temporary, verifier_in(answer))
        assert printer.photo().status_code == 200
    else:
        assert jane.get(f"/authorize?oauth_token={temporary[0]}").status_code == 400
        assert printer.send("POST", "/token", token=temporary, verifier="x" * 36).status_code == 401


def test_an_approval_can_be_repeated(provider: Photos, jane: Jane, printer: Printer) -> None:
    """After a reload or the way back, the page offers to approve once more, which leads to the same place."""
    temporary = printer.initiate()
    target = f"/authorize?oauth_token={temporary[0]}"
    assert 'value="deny"' in jane.get(target).text
    answer = jane.decide(temporary[0])
    page = jane.get(target)
    assert page.status_code == 200
    assert "You have approved this already." in page.text
    assert 'value="deny"' not in page.text
    again = jane.decide(temporary[0])
    assert (again.status_code, again.headers["Location"]) == (302, answer.headers["Location"])
    with Jane(provider.url) as stranger:
        assert stranger.get(target).headers["Location"].startswith("/login?next=")
    printer.exchange(temporary, verifier_in(again))
    assert printer.photo().status_code == 200


def test_a_code_can_be_shown_again(provider: Photos, jane: Jane) -> None:
    """Sending the form again shows the same page."""
    other = client(provider, "oob")
    temporary = other.initiate("oob")
    pages = [jane.decide(temporary[0]).text for _ in range(2)]
    assert "<output" in pages[0]
    assert pages[0] == pages[1]
    assert "see the code" in jane.get(f"/authorize?oauth_token={temporary[0]}").text


def test_a_temporary_token_is_invalid_after_the_exchange(jane: Jane, printer: Printer) -> None:
    """Neither the pages nor a second exchange accept it."""
    temporary = printer.initiate()
    verifier = verifier_in(jane.decide(temporary[0]))
    printer.exchange(temporary, verifier)
    assert jane.get(f"/authorize?oauth_token={temporary[0]}").status_code == 400
    assert jane.decide(temporary[0]).status_code == 400
    assert printer.send("POST", "/token", token=temporary, verifier=verifier).status_code == 401


def test_a_denial_is_sent_to_the_application(jane: Jane, printer: Printer) -> None:
    """The redirect has an error and no verifier."""
    token = printer.initiate()[0]
    answer = jane.decide(token, "deny")
    assert answer.status_code == 302
    assert answer.headers["Location"] == f"{READY}?error=access_denied&oauth_token={token}"


@pytest.mark.parametrize("decision", ["", "Approve", "approve ", "yes", "approve\N{SNOWMAN}"])
def test_other_values_are_not_a_decision(jane: Jane, printer: Printer, decision: str) -> None:
    """After that, she can still decide."""
    token = printer.initiate()[0]
    assert jane.decide(token, decision).status_code == 400
    assert (
        jane.http.post("/authorize", data={"csrf_token": jane.csrf_token("/"), "oauth_token": token}).status_code == 400
    )
    assert jane.decide(token).status_code == 302


def test_a_token_in_two_places_is_refused(jane: Jane, printer: Printer) -> None:
    """The provider cannot know which of them she saw."""
    tokens = [printer.initiate()[0] for _ in range(2)]
    answer = jane.post(f"/authorize?oauth_token={tokens[0]}", oauth_token=tokens[1], decision="approve")
    assert answer.status_code == 400
    assert [jane.decide(token).status_code for token in tokens] == [302, 302]


@pytest.mark.rfc5849("2.2/identity")
def test_a_decision_needs_a_session(provider: Photos, printer: Printer) -> None:
    """A browser that is not signed in is sent to the sign-in page."""
    temporary = printer.initiate()
    with Jane(provider.url) as stranger:
        answer = stranger.decide(temporary[0])
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith("/login?next=")
    assert printer.send("POST", "/token", token=temporary, verifier="x").status_code == 401


def test_a_callback_in_the_address_is_ignored(jane: Jane, printer: Printer) -> None:
    """Only the signed callback is used; otherwise a link could send her to any site."""
    token = printer.initiate()[0]
    evil = "oauth_callback=http%3A%2F%2Fevil.example%2F"
    page = jane.get(f"/authorize?oauth_token={token}&{evil}")
    assert page.status_code == 200
    assert "evil" not in page.text
    answer = jane.post(f"/authorize?{evil}", oauth_token=token, decision="approve")
    if answer.status_code == 302:
        assert answer.headers["Location"].startswith(f"{READY}?")


@pytest.mark.parametrize(
    "callback",
    [
        "http://127.0.0.1:7/ready?a=b+c&d=%7e&&e&f=%E4&=g;h",
        "http://[::1]:7/ready",
        "https://printer.example.net/r%2Feady/?",
        "HTTP://printer.example.net?x=1",
        "com.example.printer:/ready",
        "printer://ready?state=a%26b",
    ],
)
def test_a_callback_is_not_changed(provider: Photos, jane: Jane, callback: str) -> None:
    """Parameters are appended to it, and no policy prevents the redirect."""
    other = client(provider, callback)
    temporary = other.initiate(callback)
    page = jane.get(f"/authorize?oauth_token={temporary[0]}")
    assert page.status_code == 200
    answer = jane.decide(temporary[0])
    location = answer.headers["Location"]
    assert location.startswith(callback)
    appended = dict(parse_qsl(location[len(callback) :].lstrip("?&"), strict_parsing=True))
    assert list(appended) == ["oauth_token", "oauth_verifier"]
    assert appended["oauth_token"] == temporary[0]
    other.exchange(temporary, appended["oauth_verifier"])
    assert other.photo().json()["client_id"] == other.client_id


@pytest.mark.rfc5849("2.2/code-shown")
def test_a_code_is_shown_without_a_callback(provider: Photos, jane: Jane) -> None:
    """The page is not cached. After a denial, it has no code."""
    other = client(provider, "oob")
    denied, approved = other.initiate("oob"), other.initiate("oob")
    page = jane.decide(denied[0], "deny")
    assert page.status_code == 200
    assert "<output" not in page.text
    page = jane.decide(approved[0])
    code = page.text.partition('<output id="oauth_verifier"')[2].partition(">")[2].partition("<")[0].strip()
    assert page.headers["Cache-Control"] == "no-store"
    other.exchange(approved, code)
    assert other.photo().status_code == 200


def test_a_callback_must_be_registered(provider: Photos, printer: Printer) -> None:
    """The demo client has one callback, so codes and other callbacks are refused."""
    for callback in ("oob", "http://printer.example.com/ready/", "http://printer.example.com.evil.example/ready"):
        assert printer.send("POST", "/initiate", callback_uri=callback).status_code == 400


@pytest.mark.parametrize(
    "name",
    ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7*7 }}", "x" * 200, "مطبعة", "&amp;", "'"],
    ids=ascii,
)
def test_a_name_is_escaped(provider: Photos, jane: Jane, name: str) -> None:
    """This holds on every page that shows it."""
    other = client(provider, READY, name=name)
    temporary = other.initiate()
    pages = [jane.get(f"/authorize?oauth_token={temporary[0]}").text]
    other.exchange(temporary, verifier_in(jane.decide(temporary[0])))
    pages.append(jane.get("/").text)
    for page in pages:
        assert "<script" not in page
        assert "<img" not in page
        assert html.escape(name) in page.replace("&#34;", "&quot;").replace("&#39;", "&#x27;")


@pytest.mark.rfc5849("2/revocation")
def test_access_can_be_removed(provider: Photos, jane: Jane) -> None:
    """Removing takes effect at once, only for that application, and is confirmed once."""
    first, second = (client(provider, READY, name=name) for name in ("First one", "Second one"))
    for application in (first, second):
        application.let_in_by(jane)
        assert application.photo().status_code == 200
    assert "First one" in jane.get("/").text
    answer = jane.post("/", "/", client_id=first.client_id)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert [first.photo().status_code, second.photo().status_code] == [401, 200]
    assert "Access removed: <strong><bdi>First one</bdi></strong> can no longer see your photos." in jane.get("/").text
    again = jane.get("/").text
    assert "First one" not in again
    assert "Second one" in again


@pytest.mark.parametrize("client_id", ["", "unknown", "\N{SNOWMAN}", "x" * 10_000])
def test_removing_an_unknown_application_changes_nothing(jane: Jane, printer: Printer, client_id: str) -> None:
    """It is not an error either."""
    printer.let_in_by(jane)
    assert jane.post("/", "/", client_id=client_id).status_code == 302
    assert printer.photo().status_code == 200


def test_clients_can_be_added_to_a_running_provider(provider: Photos, jane: Jane) -> None:
    """Both work at once, and neither can use the other's token."""
    added = [add_client(provider.store, "--callback", READY) for _ in range(2)]
    clients = [Printer(provider.url, **credentials) for credentials in added]
    tokens = [each.let_in_by(jane) for each in clients]
    assert [each.photo().status_code for each in clients] == [200, 200]
    clients[0].token, clients[1].token = tokens[1], tokens[0]
    assert [each.photo().status_code for each in clients] == [401, 401]
