"""Every refusal is one line at INFO, with the reason's code, the client and the peer; at DEBUG also the base string."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import quote

import pytest

from async_oauth1 import Policy
from async_oauth1.errors import DuplicatedOAuthProtocolParameterError
from async_oauth1.provider.responses import resource_error_response
from tests.protocol.wire import FORM, NOW, Signer, Wire

from .provider import CALLBACK, Provider, fields

REFUSED: dict[str, tuple[str, dict[str, Any]]] = {
    "unsigned": ("unsigned_request", {"oauth_consumer_key": None}),
    "late": ("timestamp_refused", {"oauth_timestamp": str(NOW - 301)}),
    "no nonce": ("missing_required_parameter", {"oauth_nonce": None}),
    "version": ("invalid_request", {"oauth_version": "2.0"}),
    "method": ("unsupported_signature_method", {"oauth_signature_method": "HMAC-MD5"}),
    "http": ("insecure_transport", {"scheme": "http"}),
    "client": ("invalid_client", {"oauth_consumer_key": "unknown"}),
    "token": ("invalid_token", {"oauth_token": "unknown"}),
    "signature": ("invalid_signature", {"signature": "x"}),
}


def lines(caplog: pytest.LogCaptureFixture, level: int = logging.INFO) -> list[str]:
    """The messages of one level from the package."""
    return [record.getMessage() for record in caplog.records if record.levelno == level]


@pytest.fixture
def provider(caplog: pytest.LogCaptureFixture) -> Provider:
    """A provider whose log is kept from here on, at INFO."""
    made = Provider()
    caplog.set_level(logging.INFO, "async_oauth1")
    return made


@pytest.mark.parametrize("case", [case for case in REFUSED if case != "unsigned"])
def test_one_line_for_each_refusal(provider: Provider, caplog: pytest.LogCaptureFixture, case: str) -> None:
    """At a protected resource, at both token endpoints: code, client and peer, once."""
    code, changes = REFUSED[case]
    jane = provider.token()
    client_id = changes.get("oauth_consumer_key", jane.client_id)
    caplog.clear()
    provider.refusal(jane.wire(**changes))
    provider.exchange(jane.wire("POST", **{"oauth_verifier": "v", **changes}))
    assert len(lines(caplog)) == 2
    for line in lines(caplog):
        assert f"of client '{client_id}' from '192.0.2.7'" in line
    assert f": {code}" in lines(caplog)[0]


def test_a_request_without_credentials(provider: Provider, caplog: pytest.LogCaptureFixture) -> None:
    """It is logged without a client."""
    provider.refusal(Wire())
    (line,) = lines(caplog)
    assert "unsigned_request (401)" in line
    assert "of client None from '192.0.2.7'" in line


def test_replay_scope_host_and_endpoint_method(provider: Provider, caplog: pytest.LogCaptureFixture) -> None:
    """What comes after the signature is logged, and so is what comes before anything is read."""
    jane = provider.token()
    wire = jane.wire()
    provider.protect(wire)
    provider.refusal(wire)
    provider.refusal(jane.wire(), scope="photos.write")
    provider.initiate(provider.client.wire("GET", oauth_callback=CALLBACK))
    elsewhere = Provider(Policy(allowed_hosts=("other.example",)))
    elsewhere.refusal(jane.wire())
    found = lines(caplog)
    assert [line.split("'192.0.2.7': ")[1].split(" ")[0] for line in found] == [
        "invalid_nonce",
        "insufficient_scope",
        "method_not_allowed",
        "misdirected_request",
    ]
    assert "photos.write" in found[1]


def test_uniform_answers_keep_the_reason_to_the_log(provider: Provider, caplog: pytest.LogCaptureFixture) -> None:
    """The answer says invalid_signature, and the log which of the causes it was."""
    assert provider.refusal(Signer("unknown").wire(), two_legged=True).error == "invalid_signature"
    (line,) = lines(caplog)
    assert "invalid_client, answered as invalid_signature (401): The client is unknown." in line


def test_the_base_string_is_logged_at_debug(provider: Provider, caplog: pytest.LogCaptureFixture) -> None:
    """As the server built it; the values of form fields, the token and the verifier are masked."""
    caplog.set_level(logging.DEBUG, "async_oauth1")
    jane = provider.token()
    caplog.clear()
    provider.refusal(
        jane.wire("POST", query=[(b"size", b"a b")], form=[(b"card", b"4111")], oauth_verifier="v3r", signature="x")
    )
    (line,) = [line for line in lines(caplog, logging.DEBUG) if "base string" in line]
    assert "POST&https%3A%2F%2Fphotos.example.net%2Fphotos&card%3D***%26oauth_consumer_key%3D" in line
    assert "%26oauth_token%3D***%26oauth_verifier%3D***%26size%3Da%2520b" in line
    assert "4111" not in caplog.text
    assert str(jane.token) not in caplog.text


@pytest.mark.parametrize("level", [logging.INFO, logging.DEBUG])
def test_no_line_can_be_forged(provider: Provider, caplog: pytest.LogCaptureFixture, level: int) -> None:
    """Control characters of a path, an identifier, a nonce or a name are escaped, and long text is cut."""
    caplog.set_level(level, "async_oauth1")
    forged = "a\r\nINFO forged\x1b[0m\u2028\u202e"
    for changes in (
        {"oauth_consumer_key": forged},
        {"oauth_nonce": forged},
        {"oauth_signature_method": forged},
        {"oauth_consumer_key": "x" * 60_000},
    ):
        provider.refusal(provider.client.wire(**changes), two_legged=True)
    provider.refusal(provider.client.wire(path=b"/" + forged.encode(), signature="x"), two_legged=True)
    assert len(lines(caplog)) == 5
    assert all(record.getMessage().isascii() and record.getMessage().isprintable() for record in caplog.records)
    assert max(len(line) for line in lines(caplog)) < 3_000


def test_insecure_transport_says_what_to_set(provider: Provider) -> None:
    """The three settings that it may be about."""
    text = str(provider.refusal(provider.client.wire(scheme="http")).description)
    assert all(name in text for name in ("require_https", "external_base_url", "trusted_proxies"))


@pytest.mark.parametrize(
    ("header", "hint"),
    [
        (b'Bearer OAuth oauth_consumer_key="x"', "the scheme Bearer before OAuth"),
        (b'OAuth: oauth_consumer_key="x"', "a colon behind the scheme"),
        (b'oauth_consumer_key="x", oauth_nonce="y"', "no scheme"),
        (b"OAuth oauth_consumer_key='x'", "single quotes"),
    ],
)
def test_headers_that_are_not_read(
    provider: Provider, caplog: pytest.LogCaptureFixture, header: bytes, hint: str
) -> None:
    """The answer and the log say what is wrong with the Authorization header."""
    error = provider.refusal(Wire(headers=((b"authorization", header),)))
    assert hint in str(error.description)
    assert lines(caplog)[0].count(hint) == 1


SIGNATURES = {
    "line break": ("{}\n", "line break"),
    "padding": ("{}", 'the padding ("=")'),
    "escaped twice": ("quoted", "percent-encoded twice"),
    "hexadecimal": ("a9" * 20, "hexadecimal"),
    "URL-safe": ("abcdefghijklmnopqrstuvwxy_-=", "URL-safe"),
}


@pytest.mark.parametrize("case", SIGNATURES)
def test_signatures_of_the_wrong_shape(provider: Provider, caplog: pytest.LogCaptureFixture, case: str) -> None:
    """The answer says so, alike for a known and an unknown client; neither it nor the log shows the signature."""
    text, hint = SIGNATURES[case]
    signature = {
        "line break": "a" * 27 + "=\n",
        "padding": "a" * 27,
        "escaped twice": quote("a+" * 13 + "a=", safe=""),
    }.get(case, text)
    known, unknown = (
        provider.refusal(signer.wire(signature=signature), two_legged=True)
        for signer in (provider.client, Signer("no"))
    )
    assert hint in str(known.description)
    assert resource_error_response(known, realm="") == resource_error_response(unknown, realm="")
    assert [line.count(hint) for line in lines(caplog)] == [1, 1]
    assert signature not in caplog.text


def test_a_signature_of_the_wrong_length(provider: Provider, caplog: pytest.LogCaptureFixture) -> None:
    """It is said in the log alone."""
    error = provider.refusal(provider.client.wire(signature="z" * 44), two_legged=True)
    assert "44" not in str(error.description)
    assert "The signature has 44 characters, and this method makes 28." in lines(caplog)[0]


def test_json_under_the_type_of_a_form(provider: Provider, caplog: pytest.LogCaptureFixture) -> None:
    """The answer and the log say that the body was read as a form."""
    wire = provider.client.wire("POST").changed(body=b'{"a": 1}')
    wire = wire.changed(headers=(*wire.headers, (b"content-type", FORM)))
    error = provider.refusal(wire, two_legged=True)
    assert "looks like JSON" in str(error.description)
    assert lines(caplog)[0].count("looks like JSON") == 1


@pytest.mark.parametrize(
    ("callback", "hint"),
    [
        ("OOB", "in lower case"),
        ("my_app://ready", "underscore in its scheme"),
        (f"{CALLBACK}?state=1", "in its query alone"),
    ],
)
def test_callbacks_that_are_nearly_right(
    provider: Provider, caplog: pytest.LogCaptureFixture, callback: str, hint: str
) -> None:
    """The answer and the log say what differs."""
    response = provider.initiate(provider.client.wire("POST", oauth_callback=callback))
    assert hint in fields(response)["error_description"]
    assert hint in lines(caplog)[0]


def test_no_one_has_approved_yet(provider: Provider, caplog: pytest.LogCaptureFixture) -> None:
    """An exchange before the approval is told so."""
    temporary = provider.temporary()
    response = provider.exchange(temporary.wire("POST", oauth_verifier="guess"))
    assert fields(response)["error"] == "invalid_verifier"
    assert "No one has approved" in fields(response)["error_description"]
    assert "No one has approved" in lines(caplog)[0]


def test_a_repeated_parameter_is_named() -> None:
    """In one place, and in two."""
    with pytest.raises(DuplicatedOAuthProtocolParameterError, match='"oauth_nonce" is repeated'):
        Wire(headers=((b"authorization", b'OAuth oauth_nonce="1", oauth_nonce="2"'),)).read()
    request = Wire(headers=((b"authorization", b'OAuth oauth_nonce="1"'),), raw_query=b"oauth_token=x").read()
    error = request.find_untolerated()
    assert isinstance(error, DuplicatedOAuthProtocolParameterError)
    assert "HEADER (oauth_nonce) and QUERY (oauth_token)" in (error.description or "")


def test_an_exchange_without_the_temporary_secret(provider: Provider, caplog: pytest.LogCaptureFixture) -> None:
    """The log says so, for the right client secret alone; the answer does not."""
    temporary = provider.temporary()
    provider.decide(temporary.token)
    for client_secret, said in ((temporary.client_secret, True), ("wrong", False)):
        caplog.clear()
        signer = Signer(temporary.client_id, client_secret).with_token(str(temporary.token), "")
        response = provider.exchange(signer.wire("POST", oauth_verifier="guess"))
        assert fields(response)["error"] == "invalid_signature"
        assert "without the temporary" not in response.body
        assert ("without the temporary token's secret" in lines(caplog)[0]) is said
