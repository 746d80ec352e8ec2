"""Responses: JSON or a form for clients, a page for browsers, and valid HTTP for both."""

from __future__ import annotations

import hashlib
import re

import httpx2
import pytest

from .jane import Jane, Printer
from .running import Photos

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
HTML = "text/html; charset=utf-8"


@pytest.mark.parametrize(
    ("method", "path", "status", "content_type"),
    [
        ("POST", "/initiate", 401, FORM),
        ("GET", "/initiate", 405, FORM),
        ("OPTIONS", "/initiate", 405, FORM),
        ("PUT", "/token", 405, FORM),
        ("POST", "/token", 401, FORM),
        ("POST", "/initiate/x", 404, JSON),
        ("GET", "/token/x", 404, JSON),
        ("GET", "/photos", 401, JSON),
        ("GET", "/photos/x", 404, JSON),
        ("POST", "/photos", 405, JSON),
        ("OPTIONS", "/photos", 401, JSON),
        ("GET", "/photosX", 404, HTML),
        ("GET", "/echo", 401, JSON),
        ("GET", "/echo/", 401, JSON),
        ("OPTIONS", "/echo", 401, JSON),
        ("DELETE", "/echo/a/b", 401, JSON),
        ("BREW", "/echo//a", 401, JSON),
        ("BREW", "/signed/%00", 401, JSON),
        ("GET", "/echoes", 404, HTML),
        ("GET", "/", 302, HTML),
        ("PUT", "/", 405, HTML),
        ("DELETE", "/authorize", 405, HTML),
        ("BREW", "/login", 405, HTML),
        ("GET", "/logout", 405, HTML),
        ("POST", "/health", 405, HTML),
        ("GET", "/nothing", 404, HTML),
        ("GET", "/static/../app.py", 404, HTML),
        ("GET", "/static/%2e%2e/app.py", 404, HTML),
        ("GET", "/static/..%2fapp.py", 404, HTML),
        ("GET", "/static/", 404, HTML),
        ("GET", "/favicon.ico", 404, HTML),
    ],
)
def test_errors_have_the_format_of_their_path(
    provider: Photos, method: str, path: str, status: int, content_type: str
) -> None:
    """Clients never get HTML, and browsers no JSON. 401 names the scheme, and 405 the allowed methods."""
    answer = provider.talk(f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    head = answer.partition(b"\r\n\r\n")[0].lower().decode() + "\r\n"
    assert int(head[9:12]) == status
    assert f"content-type: {content_type}\r\n" in head
    assert ("www-authenticate: oauth realm=" in head) == (status == 401)
    assert ("allow: " in head) == (status == 405)


@pytest.mark.parametrize(("method", "path"), [("POST", "/photos"), ("GET", "/photos/x")])
def test_errors_for_clients_do_not_mention_pages(provider: Photos, method: str, path: str) -> None:
    """Texts for users are not sent to clients."""
    answer = httpx2.request(method, provider.url + path).json()["error_description"]
    assert not re.search("page|button|link", answer)


@pytest.mark.parametrize("path", ["/login", "/authorize?oauth_token=x", "/nothing", "/health"])
def test_head_is_answered_like_get_without_a_body(provider: Photos, path: str) -> None:
    """OPTIONS lists the methods."""
    get, head = httpx2.get(provider.url + path), httpx2.head(provider.url + path)
    assert get.status_code == head.status_code
    assert head.content == b""
    assert head.headers["Content-Type"] == get.headers["Content-Type"]
    options = httpx2.options(provider.url + path)
    assert options.status_code in (200, 404)


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"GET ?a HTTP/1.1", 400),
        (b"OPTIONS * HTTP/1.1", 400),
        (b"GET * HTTP/1.1", 400),
        (b"GET http://localhost/health HTTP/1.1", 200),
        (b"GET http://LOCALHOST:80/health HTTP/1.1", 200),
        (b"GET http://evil.example/health HTTP/1.1", 421),
        (b"GET http://localhost/echo HTTP/1.1", 401),
        (b"GET ftp://localhost/ HTTP/1.1", 400),
        (b"CONNECT localhost:80 HTTP/1.1", 400),
        (b"GET /nul\x00 HTTP/1.1", 400),
        (b"G\xc3\x84T / HTTP/1.1", 400),
        (b"nonsense", 400),
    ],
)
def test_request_targets(provider: Photos, line: bytes, status: int) -> None:
    """A request target may be a path or this provider's own URL."""
    answer = provider.talk(line + b"\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert int(answer[9:12]) == status, answer


@pytest.mark.parametrize("packets", [1, 7, 1_000])
@pytest.mark.parametrize(("size", "status"), [(64 * 1024, 401), (64 * 1024 + 1, 413)])
def test_an_authorization_header_of_64_kib(provider: Photos, packets: int, size: int, status: int) -> None:
    """It is read, in one packet or in many, and refused for its signature; one byte more is too large."""
    url, headers, _ = Printer(provider.url).signed("GET", "/signed")
    header = headers["Authorization"]
    header += ', xoauth_x="' + "y" * (size - len(header) - 13) + '"'
    assert len(header) == size
    octets = (
        f"GET /signed HTTP/1.1\r\nHost: {url[7:-7]}\r\nConnection: close\r\nAuthorization: {header}\r\n\r\n".encode()
    )
    step = -(-len(octets) // packets)
    answer = provider.talk(*(octets[start : start + step] for start in range(0, len(octets), step)))
    assert int(answer[9:12]) == status
    assert b"application/json" in answer


@pytest.mark.parametrize("path", ["/echo", "/signed/x", "/photos", "/initiate", "/token", "/login", "/"])
@pytest.mark.parametrize("size", [2 * 1024 * 1024, 17 * 1024 * 1024])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_client_that_sends_too_much_can_read_the_answer(
    provider: Photos, path: str, size: int, chunked: bool
) -> None:
    """Also on a persistent connection, the answer is 413 or 401 rather than a reset."""
    body = b"a=" + b"x" * size
    pieces = (body[start : start + 65_536] for start in range(0, len(body), 65_536))
    with httpx2.Client(base_url=provider.url, timeout=60) as client:
        client.get("/health")
        answer = client.post(path, content=pieces if chunked else body, headers={"Content-Type": FORM})
    assert answer.status_code == (405 if path == "/photos" else 413)
    page = path in ("/login", "/")
    assert answer.headers["Content-Type"].startswith("text/html") == page


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_not_a_form_may_be_larger(provider: Photos, jane: Jane, chunked: bool) -> None:
    """It may have up to 16 MB; a larger one is refused with JSON."""
    printer = Printer(provider.url)
    printer.let_in_by(jane)
    for size, status in ((2 * 1024 * 1024, 200), (17 * 1024 * 1024, 413)):
        url, headers, _ = printer.signed("PUT", "/echo", token=printer.token)
        body = b"x" * size
        content = (body[start : start + 65_536] for start in range(0, size, 65_536)) if chunked else body
        answer = httpx2.put(url, headers={**headers, "Content-Type": "text/plain"}, content=content, timeout=60)
        assert answer.status_code == status
        assert answer.headers["Content-Type"] == JSON


@pytest.mark.parametrize("path", ["/login", "/authorize", "/nothing", "/"])
def test_pages_are_not_framed_or_cached(jane: Jane, path: str) -> None:
    """They also run no scripts and send no referrer."""
    headers = jane.get(path).headers
    assert headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"


def test_echo_returns_the_request(provider: Photos, jane: Jane) -> None:
    """It returns the method, the path as sent, the parameters in order, the body's hash, the client and the user."""
    printer = Printer(provider.url)
    printer.let_in_by(jane)
    path = "/echo//a%2fb/;c"
    query = "z=1&a=%20&z=2&e"
    url, headers, body = printer.signed("PATCH", f"{path}?{query}", "y=1&b=+%2B&y=", token=printer.token)
    answer = httpx2.request("PATCH", url, headers=headers, content=body)
    assert answer.json() == {
        "method": "PATCH",
        "raw_path": path,
        "query": [["z", "1"], ["a", " "], ["z", "2"], ["e", ""]],
        "form": [["y", "1"], ["b", " +"], ["y", ""]],
        "body_sha256": hashlib.sha256((body or "").encode()).hexdigest(),
        "client_id": printer.client_id,
        "user": "jane",
    }


def test_two_legged_requests_have_no_user(provider: Photos) -> None:
    """`/signed` needs no token."""
    answer = Printer(provider.url).send("GET", "/signed/x?a=b")
    assert answer.json()["user"] is None
    assert answer.json()["query"] == [["a", "b"]]
    assert Printer(provider.url).send("GET", "/echo").status_code == 400
