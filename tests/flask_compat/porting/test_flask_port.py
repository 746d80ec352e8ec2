"""One application in three versions, each behind a real server, with one client."""

from __future__ import annotations

import difflib
import secrets
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import free_ports, unmeasured_environment, wait_until_it_listens
from tests.servers.processes import PATIENCE

EXAMPLE = "examples/flask_port"
COMMANDS = {
    "authlib_flask": ["-m", "gunicorn", "-b", "127.0.0.1:{port}", "{module}:app"],
    "compat_flask": ["-m", "gunicorn", "-b", "127.0.0.1:{port}", "{module}:app"],
    "compat_quart": ["-m", "hypercorn", "-b", "127.0.0.1:{port}", "{module}:app"],
}


def changed(repository: Path, before: str, after: str) -> tuple[int, int]:
    """Lines removed and added."""
    texts = [(repository / EXAMPLE / f"{name}.py").read_text().splitlines() for name in (before, after)]
    lines = list(difflib.unified_diff(*texts, n=0, lineterm=""))[2:]
    return sum(line[0] == "-" for line in lines), sum(line[0] == "+" for line in lines)


def test_the_ports_differ_from_the_original_in_few_lines(repository: Path) -> None:
    """On Flask one line differs; on Quart only views and set-up, no hook or model."""
    on_flask = changed(repository, "authlib_flask", "compat_flask")
    on_quart = changed(repository, "compat_flask", "compat_quart")
    print("Lines removed and added: on Flask", on_flask, "and from there to Quart", on_quart)
    assert on_flask == (1, 1)
    assert max(on_quart) <= 30
    hooks = [(repository / EXAMPLE / f"{name}.py").read_text() for name in ("compat_flask", "compat_quart")]
    begin, end = "def query_client", "def current_user_id"
    assert len({text[text.index(begin) : text.index(end)] for text in hooks}) == 1


@pytest.mark.parametrize("module", COMMANDS)
def test_one_client_gets_the_same_answers_from_all_versions(module: str, repository: Path, tmp_path: Path) -> None:
    """The same program runs against each of the three servers."""
    environment = {
        **unmeasured_environment(),
        "PYTHONPATH": str(repository),
        "NOTES_DATABASE": str(tmp_path / "notes.db"),
        "NOTES_PASSWORD": secrets.token_urlsafe(),
        "NOTES_CLIENT_SECRET": secrets.token_urlsafe(),
        "NOTES_SECRET_KEY": secrets.token_urlsafe(),
    }
    port = free_ports(1)[0]
    initialise = [sys.executable, "-m", "flask", "--app", f"examples.flask_port.{module}", "init"]
    if module == "compat_quart":
        initialise[2] = "quart"
    subprocess.run(initialise, cwd=repository, env=environment, check=True, timeout=PATIENCE)
    command = [word.format(port=port, module=f"examples.flask_port.{module}") for word in COMMANDS[module]]
    with subprocess.Popen(
        [sys.executable, *command], cwd=repository, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as server:
        try:
            wait_until_it_listens(server, port)
            client = [sys.executable, "-m", "examples.flask_port.client", f"http://127.0.0.1:{port}"]
            for expected in (["milk & café"], ["milk & café"] * 2):
                answer = subprocess.run(
                    client,
                    cwd=repository,
                    env=environment,
                    capture_output=True,
                    text=True,
                    timeout=PATIENCE,
                    check=False,
                )
                assert answer.stdout.strip() == repr(expected), answer.stderr
            for host in ("a..b", "x" * 300):
                with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
                    connection.sendall(f"GET /notes HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
                    assert 400 <= int(connection.recv(12).split(b" ")[1]) < 500
        finally:
            server.terminate()
            output = server.communicate(timeout=PATIENCE)[0].decode()
    assert "Traceback" not in output
