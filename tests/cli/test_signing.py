"""`sign` and `verify`: what is signed verifies, in every place and by every method, and real curl sends it so."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import Encoding

from async_oauth1.protocol.signature import SIGNATURE_METHODS
from tests.keys import rsa_private_key

from .command import assert_one_line_error, run_in_process

CLIENT = {"ASYNC_OAUTH1_CLIENT_ID": "dpf43f3p2l4k3l03", "ASYNC_OAUTH1_CLIENT_SECRET": "kd94 hf93&k423kf44"}
TOKEN = {"ASYNC_OAUTH1_TOKEN": "nnch734d00sl2jdk", "ASYNC_OAUTH1_TOKEN_SECRET": "pfkkdhi9sl3r4s00"}
URL = "http://photos.example.net/photos?file=va%20cation.jpg&size=original&size="


def signed(*arguments: str, **environment: str) -> dict[str, Any]:
    """What `sign --json` prints."""
    result = run_in_process("sign", *arguments, "--json", **(environment or {**CLIENT, **TOKEN}))
    assert result.returncode == 0, result.stderr
    printed: dict[str, Any] = json.loads(result.stdout)
    return printed


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Files with the private and the public key."""
    folder = tmp_path_factory.mktemp("keys")
    private, public = folder / "private.pem", folder / "public.pem"
    key = rsa_private_key()
    plain = serialization.NoEncryption()
    private.write_bytes(key.private_bytes(Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))
    return str(private), str(public)


@pytest.mark.parametrize("method", SIGNATURE_METHODS)
@pytest.mark.parametrize("place", ["header", "query", "form"])
def test_what_is_signed_verifies(method: str, place: str, tmp_path: Path, keys: tuple[str, str]) -> None:
    """The curl command of `sign` is what `verify` accepts, whatever the place and the method."""
    private, public = keys
    is_rsa = method.startswith("RSA")
    request = signed(
        "POST", URL, "--signature-method", method, "--place", place, "--data", "a=b+c&d=%C3%BC&d=",
        *(("--rsa-private-key", private) if is_rsa else ()),
    )  # fmt: skip
    saved = tmp_path / "saved"
    saved.write_text(request["curl"])
    result = run_in_process(
        "verify", str(saved), *(("--rsa-public-key", public) if is_rsa else ()), **CLIENT, **TOKEN
    )  # fmt: skip
    assert (result.returncode, result.stdout, result.stderr) == (0, "The request verifies.\n", "")


def test_a_body_hash(tmp_path: Path) -> None:
    """A body that is no form is hashed, and a changed one is told."""
    body = tmp_path / "body"
    body.write_bytes(b'{"a": "\xc3\xbc\'\\"}\n\x00')
    request = signed(
        "PUT", URL, "--data-file", str(body), "--content-type", "application/json", "--body-hash"
    )  # fmt: skip
    assert "oauth_body_hash" in request["authorization"]
    saved = tmp_path / "saved"
    for changed, status in (("", 0), ("x", 1)):
        saved.write_text(request["curl"].replace("{", f"{{{changed}"))
        result = run_in_process("verify", str(saved), "--json", **CLIENT, **TOKEN)
        assert result.returncode == status
        assert json.loads(result.stdout)["causes"] == ([] if status == 0 else ["body_hash"])


def test_the_example_of_the_rfc() -> None:
    """The base string and the signature of RFC 5849 section 1.2."""
    environment = {
        "ASYNC_OAUTH1_CLIENT_ID": "dpf43f3p2l4k3l03", "ASYNC_OAUTH1_CLIENT_SECRET": "kd94hf93k423kf44",
        "ASYNC_OAUTH1_TOKEN": "nnch734d00sl2jdk", "ASYNC_OAUTH1_TOKEN_SECRET": "pfkkdhi9sl3r4s00",
    }  # fmt: skip
    request = signed(
        "GET", "http://photos.example.net/photos?file=vacation.jpg&size=original", "--timestamp", "137131202",
        "--nonce", "chapoH", "--realm", "Photos", **environment,
    )  # fmt: skip
    assert request["base_string"].startswith(
        "GET&http%3A%2F%2Fphotos.example.net%2Fphotos&file%3Dvacation.jpg%26oauth_"
    )
    assert request["authorization"].startswith('OAuth realm="Photos", oauth_consumer_key="dpf43f3p2l4k3l03"')


@pytest.mark.parametrize("show", ["header", "curl", "base-string", "all"])
def test_each_part_alone(show: str) -> None:
    """One line for each part."""
    result = run_in_process("sign", "GET", URL, "--show", show, **CLIENT)
    lines = result.stdout.splitlines()
    assert (result.returncode, len(lines)) == (0, 3 if show == "all" else 1)
    beginnings = {"header": "Authorization: OAuth ", "curl": "curl ", "base-string": "GET&http"}
    for line, beginning in zip(lines, beginnings.values() if show == "all" else [beginnings[show]], strict=True):
        assert line.startswith(beginning)


def test_the_shell_reads_the_command_as_it_is_meant() -> None:
    """Quotes, line ends and octets come out of bash unchanged."""
    text = 'it\'s "a" $HOME `x` \\ \n é'
    request = signed("POST", URL, "--data", text, "--content-type", "text/plain")
    words = request["curl"].replace("curl ", "printf '%s\\0' ", 1)
    out = subprocess.run(["bash", "-c", words], capture_output=True, check=True).stdout.split(b"\0")
    assert text.encode() in out
    assert URL.encode() in out
    assert shlex.split(signed("GET", URL)["curl"])[-1] == URL


def test_verify_names_the_causes_in_one_line(tmp_path: Path) -> None:
    """A short verdict, and exit status 1."""
    saved = tmp_path / "saved"
    saved.write_text(signed("GET", URL)["curl"].replace("http:", "https:"))
    result = run_in_process("verify", str(saved), **CLIENT, **TOKEN)
    assert (result.returncode, result.stdout, result.stderr) == (1, "The request does not verify: scheme.\n", "")


def test_verify_needs_a_request(tmp_path: Path) -> None:
    """What cannot be read is one line and exit status 2, as with `explain`."""
    saved = tmp_path / "saved"
    saved.write_text("hello")
    assert_one_line_error(run_in_process("verify", str(saved), **CLIENT), "METHOD TARGET HTTP/VERSION")
    assert_one_line_error(run_in_process("verify", str(tmp_path), **CLIENT), "directory")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("GET", "photos.example.net"), "absolute http or https URL"),
        (("GET", "http://user:hunter2@photos.example.net/"), "user or a password"),
        (("GET /", URL), "HTTP method"),
        (("GET", URL, "--signature-method", "HMAC-MD5"), "HMAC-SHA1"),
        (("GET", URL, "--signature-method", "RSA-SHA1"), "--rsa-private-key"),
        (("GET", URL, "--place", "body"), "header, query or form"),
        (("GET", URL, "--show", "x"), "header, curl, base-string or all"),
        (("GET", URL, "--parameter", "callback=oob"), "oauth_NAME=VALUE"),
        (("GET", URL, "--parameter", "oauth_nonce=1"), "there already"),
        (("POST", URL, "--data", "{}", "--content-type", "application/json", "--place", "form"), "no form"),
        (("POST", URL, "--data", "a=b", "--body-hash"), "--body-hash"),
        (("POST", URL, "--data", "a", "--data-file", "b"), "one of them"),
        (("POST", URL, "--data-file", "/nonexistent"), "No such file"),
        (("GET", f"{URL}&oauth_nonce=1"), "cannot be signed"),
        (("GET", URL, "--client-secret", "hunter2"), "ASYNC_OAUTH1_CLIENT_SECRET"),
        (("GET", URL, "--token-secret=hunter2"), "ASYNC_OAUTH1_TOKEN_SECRET"),
        (("GET", URL, "--rsa-private-key", "/dev/null"), "not a private RSA key"),
    ],
)
def test_what_cannot_be_signed(arguments: tuple[str, ...], reason: str) -> None:
    """One line on stderr that names the input, and exit status 2."""
    assert_one_line_error(run_in_process("sign", *arguments, **CLIENT), reason)


def test_no_secret_and_no_terminal() -> None:
    """The environment variable and the other way are named."""
    result = run_in_process("sign", "GET", URL, "--client-id", "x")
    assert_one_line_error(result, "ASYNC_OAUTH1_CLIENT_SECRET")
