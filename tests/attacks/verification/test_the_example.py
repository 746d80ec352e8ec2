"""Attack a running ``python -m examples.photos`` over its socket."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.attacks.signer import FORM, Keys, Message, sign
from tests.attacks.sockets import request_octets, talk
from tests.attacks.wire import PATIENCE

ROOT = Path(__file__).parents[3]
PRINTER = Keys(client_id="dpf43f3p2l4k3l03", client_secret="kd94hf93k423kf44")
READY = "http://printer.example.com/ready"
#: Starts the example so that an answer that lingers comes too late for `talk`.
LINGER_FOR_LONG = f"""
import runpy
from async_oauth1.asgi import LingeringMiddleware
LingeringMiddleware.__init__.__kwdefaults__.update(pause={10 * PATIENCE}, longest={10 * PATIENCE})
runpy.run_module("examples.photos", run_name="__main__")
"""
STATUS_OF_HTML = re.compile(rb"content-type: text/html", re.IGNORECASE)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """The port of a running example."""
    with served("-m", "examples.photos") as port:
        yield port


@contextmanager
def served(*program: str) -> Iterator[int]:
    """Run the example, and yield its port; it must stop when asked, and must not have logged an error."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PHOTOS_")}
    command = [sys.executable, *program, "--port", "0", "--store", "memory://"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, text=True, stdout=-1, stderr=-1) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            if line:
                yield int(line.rpartition(":")[2])
        finally:
            process.terminate()
            _, errors = process.communicate(timeout=PATIENCE)
    assert line, errors
    assert process.returncode == 0
    assert "Traceback" not in errors


def signed(port: int, target: str = "/signed", method: str = "GET", **how: object) -> Message:
    """A request that the example accepts from its client."""
    return sign(PRINTER, method, target, origin=f"http://127.0.0.1:{port}", **how)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/a%2Fb",
        "//a",
        "/a//b",
        "/a/",
        "/..",
        "/../x",
        "/%2e%2E/",
        "/;a=b",
        "/%7Ea~",
        "/%c3%a9",
        "/%FF",
        "/%00",
        "/%0A",
        "/%0D%0A",
        "/a%0Ab",
        "/%25",
        "/%zz",
        "/a#b",
        "/[x]",
        "/a+b%2B",
        "/http://x/",
        "///",
        "/" + "a" * 8_000,
    ],
    ids=lambda path: path[:20],
)
async def test_every_path_is_echoed_unchanged(port: int, path: str) -> None:
    """A signed request gets the path as it was sent; an unsigned one gets a JSON 401 and no redirect."""
    message = signed(port, f"/signed{path}?q=%FF&a=1&a")
    answer = await talk(port, request_octets(message))
    assert answer.status == 200, answer
    assert answer.json["raw_path"] == f"/signed{path}"
    assert answer.json["query"] == [["q", "\ufffd"], ["a", "1"], ["a", ""]]
    for prefix in ("/signed", "/echo"):
        bare = signed(port, prefix + path).without(b"authorization")
        answer = await talk(port, request_octets(bare))
        assert (answer.status, answer.headers[b"content-type"]) == (401, b"application/json")
        assert answer.headers[b"www-authenticate"].startswith(b"OAuth ")


@pytest.mark.parametrize(
    "method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "LOCK", "X-ANY"]
)
async def test_every_method_needs_a_signature(port: int, method: str) -> None:
    """Any method, even an unknown one, is answered with 401 without a signature."""
    assert (await talk(port, request_octets(signed(port, method=method)))).status == 200
    for target in ("/echo", "/signed/x"):
        bare = signed(port, target, method).without(b"authorization")
        assert (await talk(port, request_octets(bare))).status == 401


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PROPFIND"])
@pytest.mark.parametrize("target", ["/initiate", "/token", "/photos"])
async def test_a_signed_endpoint_never_answers_html(port: int, target: str, method: str) -> None:
    """Even with a wrong method, which is answered with 405 and an Allow header."""
    for message in (signed(port, target, method), signed(port, target, method).without(b"authorization")):
        answer = await talk(port, request_octets(message))
        if (method, target) == ("OPTIONS", "/photos"):  # Quart answers it, with the methods and no body
            assert (answer.status, answer.headers[b"content-length"]) == (200, b"0")
            continue
        assert 400 <= answer.status < 500
        assert not STATUS_OF_HTML.search(answer.octets.partition(b"\r\n\r\n")[0])
        assert answer.status != 405 or answer.headers[b"allow"]


@pytest.mark.parametrize(
    "line",
    [
        b"GET ?a=b HTTP/1.1",
        b"GET * HTTP/1.1",
        b"OPTIONS * HTTP/1.1",
        b"GET http://[ HTTP/1.1",
        b"GET http://evil.example/signed HTTP/1.1",
        b"GET http://u@127.0.0.1/signed HTTP/1.1",
        b"CONNECT 127.0.0.1:1 HTTP/1.1",
        b"GET signed HTTP/1.1",
    ],
)
async def test_odd_targets_are_4xx(port: int, line: bytes) -> None:
    """They are never answered with 500."""
    head = request_octets(signed(port)).partition(b"\r\n")[2]
    answer = await talk(port, line + b"\r\n" + head)
    assert 400 <= answer.status < 500


async def test_connect_is_refused(port: int) -> None:
    """A 2xx response to CONNECT would open a tunnel and have no body, so even signed requests are refused."""
    for target in ("/signed", "/signed/x", "/health"):
        answer = await talk(port, request_octets(signed(port, target, "CONNECT")))
        assert (answer.status, answer.json["error"]) == (400, "invalid_request")


#: The beginnings of requests with invalid targets or hosts.
UNROUTABLE = [
    b"GET ?a=b HTTP/1.1\r\nHost: localhost\r\n",
    b"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n",
    b"GET / HTTP/1.1\r\nHost: a..b\r\n",
]


async def test_answers_to_invalid_targets_and_hosts_do_not_wait_for_a_body() -> None:
    """A request without a body is answered at once: the example would linger for longer than `talk` waits."""
    with served("-c", LINGER_FOR_LONG) as port:
        for head in UNROUTABLE:
            assert 400 <= (await talk(port, head + b"Connection: close\r\n\r\n")).status < 500


@pytest.mark.parametrize("head", UNROUTABLE)
async def test_bodies_of_invalid_targets_and_hosts_are_dropped(port: int, head: bytes) -> None:
    """The next request on the connection is answered, too."""
    body = b"x" * 1_000_000
    posted = head.replace(b"GET", b"POST") + b"Content-Length: %d\r\n" % len(body)
    answer = await talk(port, posted + b"\r\n" + body + head + b"Connection: close\r\n\r\n")
    assert [400 <= status < 500 for status in answer.statuses] == [True, True]


@pytest.mark.parametrize(
    "host", [b"a..b", b"x" * 64 + b".example", b"user@x", b"\xff", b"", b"a b", b"[::1", b"x:99999"]
)
@pytest.mark.parametrize("target", ["/signed", "/login", "/", "/initiate", "/health", "/nowhere"])
async def test_odd_hosts_are_4xx(port: int, target: str, host: bytes) -> None:
    """This holds on every page, not only if a signature is required."""
    message = signed(port, target).without(b"host").adding((b"host", host))
    answer = await talk(port, request_octets(message))
    assert answer.status < 500
    assert answer.status >= 400 or target in ("/health", "/login", "/")


async def test_limits_hold_on_the_wire(port: int) -> None:
    """64 KiB of headers in small packets are accepted; long forms are refused by their length, 64 KiB on the pages."""
    message = signed(port, also=[(b"xoauth_x", b"x" * 65_000)])
    octets = request_octets(message)
    assert (await talk(port, [octets[at : at + 1_000] for at in range(0, len(octets), 1_000)])).status == 200
    for target in ("/signed", "/initiate", "/token"):
        message = replace(signed(port, target, "POST", body=b"a"), body=b"").without(b"content-length")
        assert (await talk(port, request_octets(message, b"Content-Length: 1048577"))).status == 413
    for target in ("/login", "/authorize", "/"):
        page = Message(
            method="POST", target=target.encode(), headers=((b"host", b"127.0.0.1"), (b"content-type", FORM))
        )
        assert (await talk(port, request_octets(page, b"Content-Length: 65537"))).status in (405, 413)


async def test_pages_answer_malformed_requests(port: int) -> None:
    """Malformed forms, tokens, cookies and redirects get a 4xx or a page, and never a redirect to another site."""
    host = (b"host", f"127.0.0.1:{port}".encode())
    for body in (b"\xff\xfe", b"csrf_token=%FF", b"a&" * 20_000, b"oauth_token=%00&csrf_token=x&decision=approve", b""):
        for target in (b"/login", b"/authorize", b"/logout", b"/"):
            page = Message(method="POST", target=target, headers=(host, (b"content-type", FORM)), body=body)
            answer = await talk(
                port, request_octets(page, b"Content-Length: %d" % len(body), b"Cookie: photos_session=\xff")
            )
            assert answer.status < 500, (target, body, answer)
    for query in (
        b"oauth_token=x&oauth_token=y",
        b"oauth_token=%00",
        b"oauth_token=%FF",
        b"oauth_token=" + b"x" * 300,
        b"",
    ):
        answer = await talk(port, request_octets(Message(method="GET", target=b"/authorize?" + query, headers=(host,))))
        assert answer.status < 500
    for goal in (
        b"https://evil.example/",
        b"//evil.example/",
        b"/%5cevil.example",
        b"/\\evil.example",
        b"javascript:alert(1)",
    ):
        target = b"/login?next=" + goal.replace(b"\\", b"%5C")
        answer = await talk(port, request_octets(Message(method="GET", target=target, headers=(host,))))
        assert b"evil.example" not in answer.headers.get(b"location", b"")
        assert answer.status < 500


async def test_the_example_refuses_replays(port: int) -> None:
    """Of twenty concurrent copies one is accepted."""
    octets = request_octets(signed(port, "/initiate", "POST", oauth={"callback": READY}))
    answers = await asyncio.gather(*(talk(port, octets) for _ in range(20)))
    assert sorted(answer.status for answer in answers) == [200] + [401] * 19
