"""The printer, and its output."""

from __future__ import annotations

import json
import os
import pty
import re
import socket
import subprocess
import sys
import threading

import pytest

from .running import PATIENCE, ROOT, Photos, environment, run


def test_it_prints_every_message(provider: Photos) -> None:
    """In a pipe, each message is printed as it was sent, without folding, and the photo as a line of JSON."""
    told = subprocess.run(
        [sys.executable, "-W", "error", "-bb", "-m", "examples.printer", "--provider", provider.url],
        env=environment(COLUMNS="40"),
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (told.returncode, told.stderr) == (0, b"")
    for line in (
        rb"POST /initiate HTTP/1\.1\r\n",
        rb"Authorization: OAuth [^\r\n]{200,}\r\n",
        rb"oauth_token=\w+&oauth_token_secret=\w+&oauth_callback_confirmed=true\n",
        rb"GET /authorize\?oauth_token=\w+ HTTP/1\.1\r\n",
        rb"username=jane&password=wonderland|csrf_token=[\w-]+&next=[^\n]+&username=jane&password=wonderland\n",
        rb"location: http://printer\.example\.com/ready\?oauth_token=\w+&oauth_verifier=\w+\r\n",
        rb"POST /token HTTP/1\.1\r\n",
        rb"GET /photos\?file=vacation\.jpg&size=original HTTP/1\.1\r\n",
        rb"HTTP/1\.1 401 ",
    ):
        assert re.search(line, told.stdout), line
    photos = [json.loads(line) for line in told.stdout.split(b"\n") if line.startswith(b'{"client_id"')]
    assert photos[-1] == {
        "owner": "jane",
        "client_id": "dpf43f3p2l4k3l03",
        "file": "vacation.jpg",
        "size": "original",
    }


def test_it_draws_panels_on_a_terminal(provider: Photos) -> None:
    """Each message has a panel, and pages are shortened."""
    ours, theirs = pty.openpty()
    shown = bytearray()

    def read() -> None:
        try:
            while octets := os.read(ours, 65536):
                shown.extend(octets)
        except OSError:
            pass  # on Linux, the other end was closed

    reader = threading.Thread(target=read)
    reader.start()
    told = subprocess.run(
        [sys.executable, "-W", "error", "-m", "examples.printer", "--provider", provider.url],
        env=environment(TERM="xterm", COLUMNS="100"),
        stdout=theirs,
        stderr=subprocess.PIPE,
        timeout=PATIENCE,
        check=False,
    )
    os.close(theirs)
    reader.join(PATIENCE)
    os.close(ours)
    assert (told.returncode, told.stderr) == (0, b"")
    text = re.sub(r"\x1b\[[0-9;]*m", "", shown.decode())
    assert "╭─ sent to" in text
    assert "more characters of the page" in text
    assert '"owner":"jane"' in text.replace(" ", "")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--provider", "http://127.0.0.1:1"],
        ["--provider", "nonsense"],
        ["--provider", "http://127.0.0.1:notaport"],
        ["--password", "wrong"],
    ],
    ids=" ".join,
)
def test_failures_are_one_line_errors(provider: Photos, arguments: list[str]) -> None:
    """The line is on stderr; the exit status is 1."""
    if "--provider" not in arguments:
        arguments = ["--provider", provider.url, *arguments]
    told = run("examples.printer", *arguments)
    assert told.returncode == 1
    assert re.fullmatch(r"printer: .+\n", told.stderr), told.stderr


def test_a_closed_connection_is_a_one_line_error() -> None:
    """A server that closes connections at once is reported without a traceback."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            server.accept()[0].close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        told = run("examples.printer", "--provider", f"http://127.0.0.1:{server.getsockname()[1]}")
        thread.join(PATIENCE)
    assert told.returncode == 1
    assert re.fullmatch(r"printer: .+\n", told.stderr), told.stderr
    assert str(ROOT) not in told.stderr
