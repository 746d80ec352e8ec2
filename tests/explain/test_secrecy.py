"""No secret, signing key or expected signature comes out: in JSON, in text, and on stderr, which may be a file."""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from urllib.parse import quote

import pytest

from async_oauth1.explain import Explanation, Secrets, explain
from async_oauth1.explain.report import Marker, report
from tests.cli.command import COMMAND
from tests.stress import sample

from .corpus import SHAPES, corpus
from .signer import CLIENT_SECRET, TOKEN_SECRET, Request, encode, octets, policy, secrets
from .written import SECRETS, as_http

KEY = f"{encode(octets(CLIENT_SECRET))}&{encode(TOKEN_SECRET)}"


def spellings(text: str) -> Iterator[str]:
    """A text raw, and percent-encoded once and twice."""
    for _ in range(3):
        yield text
        text = quote(text, safe="-._~")


def forbidden(request: Request) -> list[str]:
    """What must not come out for a request that does not verify."""
    signing = ("signed_method", "signed_uri", "signed_pairs", "encode_name", "encode_value", "encode_whole")
    right = request.but(
        **{name: getattr(Request(), name) for name in (*signing, "encode_uri", "order", "key", "write_signature")}
    )
    expected = [] if request.signs_by == "PLAINTEXT" else [right.but(signs_by="").signature()]
    texts = [CLIENT_SECRET, TOKEN_SECRET, KEY, *(text for text in expected if text != request.signature())]
    return [spelling for text in texts for spelling in spellings(text)]


def output(explanation: Explanation) -> str:
    """Everything that the command may print."""
    lines = (line for colour in (True, False) for line in report(explanation, marker=Marker(colour=colour)))
    return "\n".join([str(asdict(explanation)), repr(explanation), *lines])


@pytest.mark.stress
@pytest.mark.no_cover
def test_nothing_of_the_corpus_shows_a_secret() -> None:
    """Every kind of cause, also if nothing is found."""
    for name, _, request in sample(corpus(), 30):
        for keys in (secrets(request), replace(secrets(request), token_secret="x")):
            text = output(explain(request.sent(), keys, policy=policy(request)))
            for secret in (spelling for spelling in forbidden(request) if keys.token_secret != "x" or spelling == KEY):
                assert secret not in text, name


@pytest.mark.parametrize(
    "mistake",
    [
        {"query": [("oauth_consumer_secret", CLIENT_SECRET)]},
        {"query": [("secret", octets(encode(octets(CLIENT_SECRET))))]},
        {"path": f"/photos/{quote(CLIENT_SECRET, safe='')}"},
        {"protocol": {"oauth_consumer_secret": octets(CLIENT_SECRET)}},
        {"protocol": {"oauth_body_hash": octets(CLIENT_SECRET)}},
        {"protocol": {"oauth_version": octets(CLIENT_SECRET)}},
        {"algorithm": "PLAINTEXT", "scheme": "http"},
        {"algorithm": "PLAINTEXT", "key": lambda client, token: f"{client}&{token}"},
    ],
)
def test_a_secret_that_the_client_sends_is_masked(mistake: dict[str, object]) -> None:
    """Some clients send their secret as a parameter, in the path, or as the signature."""
    request = SHAPES["header"].but(**mistake)
    for changed in (request, request.but(signed_method=str.lower)):
        text = output(explain(changed.sent(), secrets(changed), policy=policy(changed)))
        assert not [secret for secret in forbidden(request.but(algorithm="HMAC-SHA1")) if secret in text]


def test_a_header_that_cannot_be_read_shows_no_plaintext_signature() -> None:
    """Under PLAINTEXT the signature is the key."""
    wire = SHAPES["header"].but(algorithm="PLAINTEXT").sent()
    for old, new in ((b'", oauth_signature=', b'" oauth_signature='), (b'oauth_signature="', b'oauth_signature=="')):
        broken = replace(wire, headers=tuple((name, value.replace(old, new)) for name, value in wire.headers))
        explanation = explain(broken, Secrets(("other secret",)))
        assert explanation.causes[0].code == "malformed"
        assert not [secret for secret in spellings(KEY) if secret in output(explanation)]


def test_control_characters_do_not_reach_a_terminal() -> None:
    """Escape sequences of a hostile request are shown as question marks."""
    request = SHAPES["header"].but(query=[("\x1b[31mname", "\x07value\r\n")], path="/\x1b[2J")
    for changed in (request, request.but(encode_whole=lambda text: text, encode_name=lambda text: text)):
        lines = list(report(explain(changed.sent(), secrets(changed)), marker=Marker(colour=False)))
        assert all(line.isprintable() or not line for line in lines)


@pytest.mark.parametrize("arguments", [(), ("--json",), ("--at", "1191245696")])
def test_streams_that_are_files(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """With stdout and stderr in files, nothing secret is in either of them."""
    request = SHAPES["header"].but(signed_method=str.lower)
    saved, out, err = (tmp_path / name for name in ("request", "out", "err"))
    saved.write_bytes(as_http(request.sent()))
    with out.open("wb") as stdout, err.open("wb") as stderr:
        status = subprocess.run(
            [*COMMAND, "explain", str(saved), *arguments],
            stdout=stdout, stderr=stderr, env={**os.environ, **SECRETS}, timeout=60, check=False,
        ).returncode  # fmt: skip
    written = out.read_text() + err.read_text()
    assert status == 1
    assert "http_method" in written
    assert err.read_text() == ""
    assert not [secret for secret in forbidden(request) if secret in written]


def test_secrets_do_not_show_in_a_repr() -> None:
    """What is passed around says nothing in a traceback."""
    assert CLIENT_SECRET not in repr(secrets(SHAPES["header"]))
    assert base64.b64encode(b"x").decode() not in repr(Secrets(("x",), "eA=="))
