"""The command `async-oauth1 serve`: how it starts, what it prints, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.attacks.signer import Keys, sign
from tests.cli.command import assert_one_line_error, run_in_process
from tests.servers import wait_until

from .running import PATIENCE, call, send, served, start


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["TERM", "INT"])
def test_a_signal_ends_it_with_status_0(tmp_path: Path, number: int) -> None:
    """In CI it is started with --port 0 and --port-file, and stopped by a signal."""
    with served(tmp_path) as running:
        assert running.url == f"http://127.0.0.1:{running.port}"
        assert running.stop(number) == 0
        assert running.errors() == ""
        assert not Path(running.started["rsa_private_key_file"]).exists()


def test_for_people_it_prints_a_line_per_request_and_why_it_was_refused(tmp_path: Path) -> None:
    """Without --json-log the output is text, and without a terminal it has no colour."""
    process = start(tmp_path)
    try:
        output = tmp_path / "stdout"
        wait_until(lambda: "launch:" in output.read_text(), "it listens", PATIENCE)
        values = dict(line.split(": ", 1) for line in output.read_text().splitlines() if ": " in line)
        url = values["requests"].rstrip("/")
        keys = Keys(client_id=values["client_id"], client_secret=values["client_secret"])
        assert call(url, keys, "GET", "/signed?a=1")[0] == 200
        assert call(url, keys, "GET", "/signed?a=1", signed_target="/signed")[0] == 401
        wait_until(lambda: "To do:" in output.read_text(), "the refusal is explained", PATIENCE)
    finally:
        process.terminate()
        assert process.wait(PATIENCE) == 0
    lines = output.read_text().splitlines()
    assert any(line[9:] == f"GET /signed?a=1 200 {keys.client_id} HMAC-SHA1" for line in lines)
    assert any(
        line.endswith(" 401 " + keys.client_id + " HMAC-SHA1 invalid_signature: query_missing") for line in lines
    )
    assert any(line.startswith("    query_missing: ") for line in lines)
    assert "\x1b" not in output.read_text()
    assert output.read_text().count(keys.client_secret) == 1


def test_json_lines_have_the_explanation(tmp_path: Path) -> None:
    """With --json-log each line is a JSON object: what it listens on, and then one for each request."""
    with served(tmp_path) as running:
        keys = Keys(client_id=running.started["client_id"], client_secret=running.started["client_secret"])
        call(running.url, keys, "POST", "/launch?course=1", body=b"user_id=7&lti_version=LTI-1p0")
        call(running.url, keys, "GET", "/signed", signed_origin=running.url.replace("http", "https"))
        (launched, refused) = running.events(2)
    assert (launched["event"], launched["accepted"], launched["status"]) == ("request", True, 200)
    assert launched["explanation"]["verifies"] is True
    assert (refused["accepted"], refused["error"]) == (False, "invalid_signature")
    assert [cause["code"] for cause in refused["explanation"]["causes"]] == ["scheme"]


def test_credentials_of_the_environment(tmp_path: Path) -> None:
    """In CI both sides can take the client's credentials from the environment."""
    given = {"ASYNC_OAUTH1_CLIENT_ID": "ci", "ASYNC_OAUTH1_CLIENT_SECRET": "a secret of CI"}
    with served(tmp_path, **given) as running:
        keys = Keys(client_id="ci", client_secret="a secret of CI")
        assert call(running.url, keys, "GET", "/signed")[0] == 200


def test_a_store_keeps_clients(tmp_path: Path) -> None:
    """With --store, a client of one run is known to the next one."""
    store = f"sqlite:///{tmp_path}/kept.db"
    with served(tmp_path, "--store", store) as running:
        keys = Keys(client_id=running.started["client_id"], client_secret=running.started["client_secret"])
    with served(tmp_path, "--store", store) as running:
        assert running.started["client_id"] != keys.client_id
        assert call(running.url, keys, "GET", "/signed")[0] == 200


def test_the_private_key_is_written_for_its_owner_alone_and_read_again(tmp_path: Path) -> None:
    """--rsa-private-key writes a new key, and reads the one that is there."""
    file = tmp_path / "key.pem"
    with served(tmp_path, "--rsa-private-key", str(file), "--like", "jira") as running:
        assert running.started["signature_methods"] == ["RSA-SHA1"]
        assert "client_secret" not in running.started
    written = file.read_text()
    assert "PRIVATE KEY" in written
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with served(tmp_path, "--rsa-private-key", str(file)) as running:
        assert running.started["rsa_private_key_file"] == str(file)
    assert file.read_text() == written


def test_other_addresses_are_warned_of(tmp_path: Path) -> None:
    """--host 0.0.0.0 says that this is for testing only, and serves other names than loopback's."""
    with served(tmp_path, "--host", "0.0.0.0") as running:
        assert running.errors().count("\n") == 1
        assert "for tests only" in running.errors()
        keys = Keys(client_id=running.started["client_id"], client_secret=running.started["client_secret"])
        message = sign(keys, "GET", "/signed", origin="http://oauth1.test")
        assert send(f"http://127.0.0.1:{running.port}", message)[0] == 200


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--like", "facebook"), "woocommerce"),
        (("--port", "65536"), "--port"),
        (("--host", "no such host"), "cannot listen"),
        (("--store", "redis://127.0.0.1:1"), "keeps no clients"),
        (("--store", "nonsense"), "nonsense"),
        (("--store", "sqlite:////no/such/folder/x.db"), "folder"),
        (("--external-base-url", "ftp://x"), "--external-base-url"),
        (("--callback", "javascript:alert(1)"), "callback"),
        (("--client-secret", "kd94hf93k423kf44"), "ASYNC_OAUTH1_CLIENT_SECRET"),
        (("--like", "woocommerce", "--rsa-private-key", "x"), "does not use RSA"),
        (("--rsa-private-key", "/dev/null"), "not an RSA private key"),
        (("--rsa-private-key", "/no/such/folder/key"), "No such file"),
        (("--port-file", "/no/such/folder/port", "--port", "0"), "--port-file"),
        (("--nonsense",), "--nonsense"),
    ],
)
def test_an_unusable_option_is_one_line_and_status_2(arguments: tuple[str, ...], reason: str) -> None:
    """The line names the option or the value."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        result = run_in_process("serve", "--port", "0", *arguments)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert (result.returncode, result.stderr.count("\n")) == (2, 1), result
    assert reason in result.stderr
    assert "kd94hf93k423kf44" not in result.stderr


def test_a_port_in_use_is_one_line_and_status_2() -> None:
    """It names the address."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run_in_process("serve", "--port", str(port))
    assert_one_line_error(result, str(port))


def test_its_output_need_not_be_read(tmp_path: Path) -> None:
    """A pipe that is full, and then closed, holds up no request."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    try:
        while True:
            os.write(writer, b"x" * 4096)
    except BlockingIOError:
        os.set_blocking(writer, True)
    command = [sys.executable, "-m", "async_oauth1", "serve", "--port", "0", "--port-file", str(tmp_path / "port")]
    process = subprocess.Popen(command, stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    try:
        wait_until((tmp_path / "port").exists, "it listens", PATIENCE)
        url = f"http://127.0.0.1:{(tmp_path / 'port').read_text().strip()}"
        for _ in range(3):
            assert call(url, Keys(client_id="x"), "GET", "/signed")[0] == 401
        os.close(reader)
        assert call(url, Keys(client_id="x"), "GET", "/signed")[0] == 401
    finally:
        process.terminate()
        _, errors = process.communicate(timeout=PATIENCE)
    assert b"Traceback" not in errors
    assert process.returncode == 0


def test_help_names_the_presets() -> None:
    """The help says what --like takes."""
    result = run_in_process("serve", "--help")
    assert result.returncode == 0
    assert json.dumps(result.stdout).count("mastercard") == 1
