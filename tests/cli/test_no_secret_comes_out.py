"""No command about requests prints a secret or the key, and `explain` and `verify` print no expected signature."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from async_oauth1.signature import SIGNATURE_METHODS, SigningKeys

from .command import run_in_process

SECRET, TOKEN_SECRET = "kd94 hf93&k423/kf44+é", "pfkk?dhi9=sl3r4 s00"
ENVIRONMENT = {
    "ASYNC_OAUTH1_CLIENT_ID": "printer", "ASYNC_OAUTH1_CLIENT_SECRET": SECRET,
    "ASYNC_OAUTH1_TOKEN": "token", "ASYNC_OAUTH1_TOKEN_SECRET": TOKEN_SECRET,
}  # fmt: skip
URL = "http://photos.example.net/photos?size=large"
KEY = f"{quote(SECRET, safe='')}&{quote(TOKEN_SECRET, safe='')}"


def spellings(text: str) -> Iterator[str]:
    """A text raw, and percent-encoded once and twice, and as JSON has it."""
    for _ in range(3):
        yield text
        yield json.dumps(text)[1:-1]
        text = quote(text, safe="-._~")


def assert_silent(printed: str, *more: str) -> None:
    """Nothing of it is secret."""
    for text in (SECRET, TOKEN_SECRET, KEY, *more):
        for spelling in spellings(text):
            assert spelling not in printed, spelling


def output(*arguments: str, **environment: str) -> tuple[int, str]:
    """The exit status, and everything that is printed."""
    result = run_in_process(*arguments, **{**ENVIRONMENT, **environment})
    return result.returncode, result.stdout + result.stderr


@pytest.mark.parametrize("show", [(), ("--json",)])
@pytest.mark.parametrize("place", ["header", "query", "form"])
def test_sign(show: tuple[str, ...], place: str) -> None:
    """Signatures are printed, and what they are made with is not."""
    status, printed = output("sign", "POST", URL, "--place", place, *show)
    assert status == 0
    assert_silent(printed)


@pytest.mark.parametrize(
    "arguments",
    [
        ("sign", "POST", URL, "--client-secret", SECRET),
        ("sign", "POST", URL, f"--token-secret={TOKEN_SECRET}"),
        ("verify", "-", "--client-secret", SECRET),
        ("explain", "-", "--consumer-secret", SECRET),
        ("doctor", "http://127.0.0.1:9", "--token-secret", TOKEN_SECRET),
        ("sign", "POST", f"http://user:{quote(SECRET, safe='')}@example.net/"),
        ("doctor", f"http://user:{quote(SECRET, safe='')}@example.net/"),
        ("sign", "POST", URL, f"--secret={SECRET}"),
    ],
)
def test_a_secret_on_the_command_line_is_refused(arguments: tuple[str, ...]) -> None:
    """It is not repeated in the message; the alternatives are named."""
    status, printed = output(*arguments)
    assert status == 2
    assert_silent(printed)
    if "secret" in arguments[-2] + arguments[-1].partition("=")[0] and "--secret" not in arguments[-1]:
        assert "ASYNC_OAUTH1_CLIENT_SECRET" in printed
        assert "prompt" in printed


@pytest.mark.parametrize("command", ["explain", "verify"])
@pytest.mark.parametrize("shown", [(), ("--json",)])
@pytest.mark.parametrize("method", ["HMAC-SHA1", "PLAINTEXT"])
def test_explain_and_verify(command: str, shown: tuple[str, ...], method: str, tmp_path: Path) -> None:
    """For a request with a cause, one without, and one that cannot be read, no expected signature is printed."""
    signed = json.loads(
        run_in_process("sign", "GET", URL, "--signature-method", method, "--json", **ENVIRONMENT).stdout
    )
    seen = signed["base_string"].replace("http%3A", "https%3A", 1)
    keys = SigningKeys(SECRET, TOKEN_SECRET)
    expected = "\0" if method == "PLAINTEXT" else SIGNATURE_METHODS[method].sign(seen, keys)
    curl = signed["curl"]
    for number, text in enumerate((curl.replace("http:", "https:"), curl.replace("%3D", "%3d", 1)[:-20], "curl '")):
        saved = tmp_path / f"saved{number}"
        saved.write_text(text)
        for environment in ({}, {"ASYNC_OAUTH1_TOKEN_SECRET": "another secret"}):
            status, printed = output(command, str(saved), *shown, **environment)
            assert status in (1, 2) or method == "PLAINTEXT"
            assert_silent(printed, expected)


class Echo(BaseHTTPRequestHandler):
    """Refuses everything, and tells the client all that it has sent."""

    def do_GET(self) -> None:
        """Refuse."""
        body = json.dumps({"error": "invalid_signature", "error_description": str(self.headers)}).encode()
        self.send_response(400)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


@pytest.mark.parametrize("shown", [(), ("--json",)])
def test_doctor(shown: tuple[str, ...]) -> None:
    """Also if the provider repeats in its answer what it was sent."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        status, printed = output("doctor", f"http://127.0.0.1:{server.server_port}", *shown)
        server.shutdown()
        thread.join()
    assert status == 1
    assert "is answered with 400" in printed
    assert_silent(printed)
