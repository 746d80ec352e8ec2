"""Jane's forms, filled in by somebody who means harm."""

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
    """A sign-in form of exactly so many bytes, for somebody who has not guessed wrong yet: that would slow it down."""
    token = jane.csrf_token("/login")
    form = urlencode({"csrf_token": token, "username": f"nobody{next(_numbers)}", "password": ""}).encode()
    return form + b"x" * (size - len(form))


def post(jane: Jane, body: bytes, content_type: str | None = FORM, path: str = "/login") -> httpx2.Response:
    """Send a body as it is."""
    headers = {} if content_type is None else {"Content-Type": content_type}
    return jane.http.post(path, content=body, headers=headers)


@pytest.fixture(scope="module")
def jane(provider: Photos) -> Iterator[Jane]:
    """A browser in which she has signed in, and stays so: no test here signs her out."""
    with Jane(provider.url) as browser:
        assert browser.sign_in().status_code == 302
        yield browser


@pytest.fixture
def stranger(provider: Photos) -> Iterator[Jane]:
    """A browser in which nobody has signed in."""
    with Jane(provider.url) as browser:
        yield browser


@pytest.mark.parametrize(("more", "status"), [(0, 403), (-1, 403), (1, 413), (LIMIT, 413)])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_form_has_64_kib_at_most(stranger: Jane, more: int, status: int, chunked: bool) -> None:
    """To the byte, with Content-Length and without. The password may be all of it, and is only wrong."""
    form = form_of(stranger, LIMIT + more)
    pieces = (form[start : start + 7_000] for start in range(0, len(form), 7_000))
    answer = stranger.http.post("/login", content=pieces if chunked else form, headers={"Content-Type": FORM})
    assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("path", ["/login", "/logout", "/authorize", "/"])
def test_every_page_has_the_limit(jane: Jane, path: str) -> None:
    """Whoever asks, and before anything in it is looked at."""
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
def test_a_form_is_a_form(stranger: Jane, content_type: str | None, status: int) -> None:
    """What another site can send without asking, and is none, is not read."""
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
def test_a_form_that_no_browser_sends_is_refused(stranger: Jane, added: bytes) -> None:
    """With 400 and a page."""
    answer = post(stranger, form_of(stranger, 200) + added)
    assert answer.status_code == 400
    assert answer.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("added", [b"&a=1;password=b", b"&&", b"&unknown=1", b"&a", b"&%zz=%z", "&ä=ö".encode()])
def test_what_is_only_odd_in_a_form_does_no_harm(stranger: Jane, added: bytes) -> None:
    """The password is still the wrong one."""
    assert post(stranger, form_of(stranger, 200) + added).status_code == 403


@pytest.mark.parametrize("path", ["/login", "/logout", "/authorize", "/"])
@pytest.mark.parametrize("token", ["", "wrong", "é", "\N{SNOWMAN}" * 43, "x" * 60_000, "\ud800"], ids=repr)
def test_a_form_needs_the_token_of_its_session(jane: Jane, path: str, token: str) -> None:
    """A missing or a wrong one, in whatever letters, changes nothing."""
    fields = urlencode({"csrf_token": token, "username": "jane", "password": "wonderland"}, errors="surrogatepass")
    assert post(jane, fields.encode(), path=path).status_code == 400
    assert post(jane, b"username=jane&password=wonderland", path=path).status_code == 400
    assert jane.get("/").status_code == 200


def test_a_token_of_another_session_does_not_count(provider: Photos, jane: Jane) -> None:
    """Not even that of another one of hers."""
    with Jane(provider.url) as attacker:
        attacker.sign_in()
        token = attacker.csrf_token("/")
    assert jane.post("/logout", csrf_token=token).status_code == 400
    assert jane.get("/").status_code == 200


@pytest.mark.parametrize("length", [b"5", b"500", b"999999"])
def test_a_content_length_that_lies(provider: Photos, length: bytes) -> None:
    """Too short, the rest is no request; too long, the end of the connection ends it. Neither is a failure."""
    head = b"POST /login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: %s\r\nContent-Length: %s"
    with provider.connect() as connection:
        connection.sendall(head % (FORM.encode(), length) + b"\r\n\r\nusername=jane&password=wonderland")
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert all(status.split(b" ")[1] in (b"400", b"413", b"500") for status in answer.split(b"HTTP/1.1")[1:])
    assert b"session" not in answer
    assert httpx2.get(f"{provider.url}/health").text == "ok"
