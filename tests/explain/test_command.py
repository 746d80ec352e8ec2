"""`async-oauth1 explain`: exit statuses, JSON, text, prompts, and a store."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from async_oauth1.credentials import Client
from async_oauth1.policy import Policy
from async_oauth1.stores import Store, open_store
from tests.cli.command import COMMAND, assert_one_line_error, read_to_the_end, run_in_process
from tests.keys import RSA_PUBLIC_KEY
from tests.servers.processes import PATIENCE

from .corpus import SHAPES
from .signer import CLIENT_SECRET, TOKEN_SECRET, Request
from .written import SECRETS, as_curl, as_har, as_http

GOOD = SHAPES["header"]
BROKEN = GOOD.but(signed_uri=lambda uri: uri.replace("http:", "https:"))


def saved(tmp_path: Path, request: Request) -> str:
    """A file with the request."""
    path = tmp_path / "request.http"
    path.write_bytes(as_http(request.sent()))
    return str(path)


def explained(*arguments: str, **environment: str) -> tuple[int, dict[str, Any]]:
    """Exit status and JSON of the command."""
    result = run_in_process("explain", *arguments, "--json", **(environment or SECRETS))
    assert result.stderr == ""
    return result.returncode, json.loads(result.stdout)


def test_json_and_exit_status(tmp_path: Path) -> None:
    """0 and no cause for a request that verifies, 1 and the cause for one that does not."""
    status, found = explained(saved(tmp_path, GOOD))
    assert list(found) == ["verifies", "causes", "method", "base_string", "signed", "tried", "complete"]
    assert (status, found["verifies"], found["causes"], found["tried"], found["complete"]) == (0, True, [], 1, True)
    status, found = explained(saved(tmp_path, BROKEN))
    assert (status, found["verifies"], found["method"]) == (1, False, "HMAC-SHA1")
    (cause,) = found["causes"]
    assert cause["code"] == "scheme"
    assert set(cause) == {"code", "text", "fix"}
    assert found["signed"].startswith("GET&https%3A")
    assert found["base_string"].startswith("GET&http%3A")


def test_two_causes_are_together_in_json(tmp_path: Path) -> None:
    """A clock and a scheme are both needed, and each says so."""
    status, found = explained(saved(tmp_path, BROKEN), "--at", "1191245696")
    assert status == 1
    assert [(cause["code"], cause["together"]) for cause in found["causes"]] == [
        ("scheme", True), ("timestamp_clock", True),
    ]  # fmt: skip


def test_text_for_people(tmp_path: Path) -> None:
    """Verdict, difference, what to do, and what was assumed, in that order, without colour in a pipe."""
    result = run_in_process("explain", saved(tmp_path, BROKEN), **SECRETS)
    lines = result.stdout.splitlines()
    assert lines[0] == "The request does not verify: scheme."
    marked = result.stdout.index("http[s]%3A%2F%2Fphotos.example.net")
    assert marked < result.stdout.index("scheme: ") < result.stdout.index("To do: ") < result.stdout.index("Note: ")
    assert "--at" in result.stdout
    assert "\x1b" not in result.stdout


def test_nothing_found_says_what_is_left(tmp_path: Path) -> None:
    """A wrong secret is named first; a host that stands nowhere cannot be found."""
    result = run_in_process("explain", saved(tmp_path, GOOD), ASYNC_OAUTH1_CLIENT_SECRET="wrong")
    assert result.returncode == 1
    text = " ".join(result.stdout.split())
    assert "wrong secret first of all" in text
    assert "stands nowhere" in text
    assert "token secret was taken for empty" in text


def test_an_empty_secret_counts_as_given(tmp_path: Path) -> None:
    """Two empty secrets are known, and nothing is asked."""
    request = GOOD.but(client_secret="", token_secret="")
    empty = dict.fromkeys(SECRETS, "")
    assert explained(saved(tmp_path, request), **empty)[0] == 0


def test_curl_and_har(tmp_path: Path) -> None:
    """Both are recognised; a HAR file says when the request was made, so its clock is judged."""
    path = tmp_path / "saved"
    path.write_text(as_curl(GOOD.sent()))
    assert explained(str(path))[0] == 0
    path.write_text(as_har(GOOD.sent()))
    assert explained(str(path))[0] == 0
    path.write_text(as_har(GOOD.sent(), started="2007-10-01T15:34:56+01:00"))
    assert [cause["code"] for cause in explained(str(path))[1]["causes"]] == ["timestamp_clock"]
    assert explained(str(path), "--at", "1191242096")[0] == 0


ERRORS = {
    "no secret": ((), {}, "ASYNC_OAUTH1_CLIENT_SECRET"),
    "client secret": (("--client-secret", "hunter2"), {}, "--store"),
    "token secret": (("--token-secret=hunter2",), SECRETS, "command line"),
    "format": (("--format", "xml"), SECRETS, "auto, http, curl or har"),
    "another format": (("--format", "har"), SECRETS, "JSON"),
    "entry": (("--entry", "0"), SECRETS, "HAR"),
    "base URL": (("--base-url", "x"), SECRETS, "--base-url"),
    "no number": (("--at", "nan"), SECRETS, "--at"),
    "key": (("--rsa-public-key", "/dev/null"), SECRETS, "--rsa-public-key"),
    "no key": (("--rsa-public-key", "/no/such"), SECRETS, "--rsa-public-key"),
    "said": (("--provider-said", "nothing"), SECRETS, "--provider-said"),
    "store": (("--store", "memory:"), SECRETS, "memory"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_one_line_for_what_cannot_be_used(tmp_path: Path, name: str) -> None:
    """Exit status 2, one line on stderr that says which part, nothing on stdout."""
    options, environment, reason = ERRORS[name]
    assert_one_line_error(run_in_process("explain", saved(tmp_path, GOOD), *options, **environment), reason)


def test_one_line_for_a_file_that_is_no_request(tmp_path: Path) -> None:
    """A missing file, a directory and other text are named."""
    text = tmp_path / "text"
    text.write_text("hello world")
    for path, reason in ((tmp_path, "directory"), (tmp_path / "none", "No such file"), (text, "request line")):
        assert_one_line_error(run_in_process("explain", str(path), **SECRETS), reason)


def test_standard_input_and_its_secrets() -> None:
    """The request is read from standard input by default."""
    result = subprocess.run(
        [*COMMAND, "explain", "--json"],
        input=as_http(BROKEN.sent()), capture_output=True, env={**os.environ, **SECRETS}, timeout=60, check=False,
    )  # fmt: skip
    assert (result.returncode, result.stderr) == (1, b"")
    assert json.loads(result.stdout)["causes"][0]["code"] == "scheme"


@pytest.mark.parametrize("colour", [True, False])
def test_at_a_terminal(tmp_path: Path, colour: bool) -> None:
    """Secrets are asked for and not shown; differences are in colour, unless NO_COLOR says otherwise."""
    ours, theirs = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ASYNC_OAUTH1_")}
    environment.update({} if colour else {"NO_COLOR": "1"})
    process = subprocess.Popen(
        [*COMMAND, "explain", saved(tmp_path, BROKEN)],
        stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    output = b""
    for prompt, secret in ((b"Client secret: ", CLIENT_SECRET), (b"Token secret", TOKEN_SECRET)):
        while prompt not in output:
            output += os.read(ours, 1_000)
        os.write(ours, f"{secret}\n".encode())
    output += read_to_the_end(ours)
    os.close(ours)
    assert process.wait(60) == 1
    assert b"does not verify: scheme" in output
    assert (b"\x1b[" in output) is colour
    assert TOKEN_SECRET.encode() not in output
    assert CLIENT_SECRET.encode() not in output


CLIENT = Client(client_id="dpf43f3p2l4k3l03", client_secret=CLIENT_SECRET, signature_methods=("HMAC-SHA1",))


async def _filled(
    url: str, *, token_client: str = CLIENT.client_id, rotated: bool = False, lifetime: int | None = None
) -> None:
    store = open_store(url)
    assert isinstance(store, Store)
    store.prepare(Policy(token_credential_lifetime=lifetime))
    await store.migrate()
    async with store:
        await store.add_client(CLIENT)
        await store.add_client(replace(CLIENT, client_id="other"))
        temporary = await store.create_temporary_credential(
            {"oauth_token": "temporary", "oauth_token_secret": "t"}, token_client, "oob"
        )
        await store.create_authorization_verifier(temporary, "user", "verifier")
        temporary_now = await store.get_temporary_credential("temporary")
        token = {"oauth_token": "nnch734d00sl2jdk", "oauth_token_secret": TOKEN_SECRET}
        await store.create_token_credential(token, temporary_now)
        if rotated:
            await store.rotate_client_secret(CLIENT.client_id, overlap=1)


def test_secrets_from_a_store(tmp_path: Path) -> None:
    """The store knows secrets and methods; what it has not is a cause of its own, in front."""
    url = f"sqlite:///{tmp_path}/store.db"
    asyncio.run(_filled(url))
    environment = {"HOME": str(tmp_path)}
    assert explained(saved(tmp_path, GOOD), "--store", url, **environment)[0] == 0
    for request, code in (
        (BROKEN, "scheme"),
        (SHAPES["sha256"], "signature_method"),
        (GOOD.but(protocol={"oauth_consumer_key": "unknown"}), "credentials"),
        (GOOD.but(protocol={"oauth_token": "unknown"}), "credentials"),
        (GOOD.but(protocol={"oauth_consumer_key": "other"}), "credentials"),
    ):
        status, found = explained(saved(tmp_path, request), "--store", url, **environment)
        assert (status, found["causes"][0]["code"]) == (1, code)


def test_a_former_secret_of_a_store(tmp_path: Path) -> None:
    """A secret whose overlap has ended is named as the cause."""
    url = f"sqlite:///{tmp_path}/store.db"
    asyncio.run(_filled(url, rotated=True))
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:  # until the overlap of a second has ended
        status, found = explained(saved(tmp_path, GOOD), "--store", url, HOME=str(tmp_path))
        if status == 1:
            break
    assert [cause["code"] for cause in found["causes"]] == ["former_secret"]


def test_a_token_that_has_ended(tmp_path: Path) -> None:
    """An expired token is told from an unknown one, as long as the store has it."""
    url = f"sqlite:///{tmp_path}/store.db"
    asyncio.run(_filled(url, lifetime=1))
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        status, found = explained(saved(tmp_path, GOOD), "--store", url, HOME=str(tmp_path))
        if status == 1:
            break
    assert [cause["code"] for cause in found["causes"]] == ["credentials"]
    assert "has ended" in found["causes"][0]["text"]


def test_an_rsa_key_is_enough(tmp_path: Path) -> None:
    """With a public key no secret is asked for; a signature of another key is not explained."""
    key = tmp_path / "key.pem"
    key.write_text(RSA_PUBLIC_KEY)
    request = GOOD.but(algorithm="RSA-SHA1", write_signature=lambda _: "QUJD" * 86)
    request = request.but(signs_by="HMAC-SHA1")
    status, found = explained(saved(tmp_path, request), "--rsa-public-key", str(key), HOME=str(tmp_path))
    assert (status, found["causes"]) == (1, [])
