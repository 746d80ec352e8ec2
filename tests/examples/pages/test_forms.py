"""Malformed and malicious page forms."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterator
from urllib.parse import urlencode

import httpx2
import pytest

from tests.examples.jane import Jane
from tests.examples.running import Photos

FORM = "application/x-www-form-urlencoded"
LIMIT = 64 * 1024
_numbers = itertools.count()


def form_of(jane: Jane, size: int) -> bytes:
    """A sign-in form of a given size, with a new user name to avoid delays."""
    token = jane.csrf_token("/login")
    form = urlencode({"csrf_token": token, "username": f"nobody{next(_numbers)}", "password": ""}).encode()
    return form + b"x" * (size - len(form))


def post(jane: Jane, body: bytes, content_type: str | None = FORM, path: str = "/login") -> httpx2.Response:
    """Send a body."""
    headers = {} if content_type is None else {"Content-Type": content_type}
    return jane.http.post(path, content=body, headers=headers)


@pytest.fixture(scope="module")
def jane(provider: Photos) -> Iterator[Jane]:
    """A browser that is signed in, for all tests of the module."""
    with Jane(provider.url) as browser:
        assert browser.sign_in().status_code == 302
        yield browser


@pytest.fixture
def stranger(provider: Photos) -> Iterator[Jane]:
    """A browser that is not signed in."""
    with Jane(provider.url) as browser:
        yield browser


@pytest.mark.parametrize(("more", "status"), [(0, 403), (-1, 403), (1, 413), (LIMIT, 413)])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_form_has_at_most_64_kib(stranger: Jane, more: int, status: int, chunked: bool) -> None:
    """The limit is exact, with and without Content-Length; a form below it is refused for other reasons."""
    form = form_of(stranger, LIMIT + more)
    pieces = (form[start : start + 7_000] for start in range(0, len(form), 7_000))
    answer = stranger.http.post("/login", content=pieces if chunked else form, headers={"Content-Type": FORM})
    assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("path", ["/login", "/logout", "/authorize", "/"])
def test_the_limit_applies_to_every_page(jane: Jane, path: str) -> None:
    """It applies with and without a session, before the form is parsed."""
    assert post(jane, b"a=" + b"x" * LIMIT, path=path).status_code == 413


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        (FORM, 403),
        (f"{FORM}; charset=UTF-8", 403),
        (FORM.upper(), 403),
        (None, 415),
        ("", 415),
        ("text/plain", 415),
        ("application/json", 415),
        ("multipart/form-data; boundary=x", 415),
        ("multipart/form-data", 415),
        (f"text/plain; {FORM}", 415),
        (f"{FORM}x", 415),
    ],
)
def test_only_forms_are_accepted(stranger: Jane, content_type: str | None, status: int) -> None:
    """Other types that a browser sends across sites without a preflight request are refused."""
    assert post(stranger, form_of(stranger, 200), content_type).status_code == status


@pytest.mark.parametrize(
    "added",
    [
        b"&password=again",
        b"&csrf_token=again",
        b"&next=%00",
        b"&%00=x",
        b"&x=%FF",
        b"&x=\xff",
        b"&x=%ED%A0%80",
        b"&" + b"&".join(b"f%d=" % number for number in range(1_000)),
        b"&a=1" * 1_000,
    ],
    ids=[
        "password twice",
        "token twice",
        "NUL",
        "NUL in a name",
        "escaped octet",
        "octet",
        "surrogate",
        "1,000",
        "same",
    ],
)
def test_a_malformed_form_is_refused(stranger: Jane, added: bytes) -> None:
    """The answer is a page with 400."""
    answer = post(stranger, form_of(stranger, 200) + added)
    assert answer.status_code == 400
    assert answer.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("added", [b"&a=1;password=b", b"&&", b"&unknown=1", b"&a", b"&%zz=%z", "&ä=ö".encode()])
def test_an_unusual_form_is_harmless(stranger: Jane, added: bytes) -> None:
    """It is parsed, and the password is wrong."""
    assert post(stranger, form_of(stranger, 200) + added).status_code == 403


@pytest.mark.rfc5849("4.13/csrf")
@pytest.mark.parametrize("path", ["/login", "/logout", "/authorize", "/"])
@pytest.mark.parametrize("token", ["", "wrong", "é", "\N{SNOWMAN}" * 43, "x" * 60_000, "\ud800"], ids=repr)
def test_a_form_needs_a_csrf_token(jane: Jane, path: str, token: str) -> None:
    """A form with a missing or a wrong token is refused and changes nothing."""
    fields = urlencode({"csrf_token": token, "username": "jane", "password": "wonderland"}, errors="surrogatepass")
    assert post(jane, fields.encode(), path=path).status_code == 400
    assert post(jane, b"username=jane&password=wonderland", path=path).status_code == 400
    assert jane.get("/").status_code == 200


def test_a_csrf_token_of_another_session_is_refused(provider: Photos, jane: Jane) -> None:
    """This also holds for another session of the same user."""
    with Jane(provider.url) as attacker:
        attacker.sign_in()
        token = attacker.csrf_token("/")
    assert jane.post("/logout", csrf_token=token).status_code == 400
    assert jane.get("/").status_code == 200


@pytest.mark.parametrize("length", [b"5", b"500", b"999999"])
def test_a_wrong_content_length_is_harmless(provider: Photos, length: bytes) -> None:
    """If it is too short, the rest is refused; if it is too long, the request ends with the connection."""
    head = b"POST /login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: %s\r\nContent-Length: %s"
    with provider.connect() as connection:
        connection.sendall(head % (FORM.encode(), length) + b"\r\n\r\nusername=jane&password=wonderland")
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert all(status.split(b" ")[1] in (b"400", b"413", b"500") for status in answer.split(b"HTTP/1.1")[1:])
    assert b"session" not in answer
    assert httpx2.get(f"{provider.url}/health").text == "ok"
