"""`--provider-said`: the base string in another provider's refusal names the cause, without any secret."""

from __future__ import annotations

import html
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest

from async_oauth1.explain import Explanation, Secrets, WireRequest
from async_oauth1.explain.plan import Key, plan_of
from async_oauth1.explain.said import explain_said, find_base_string
from tests.cli.command import assert_one_line_error, run_in_process
from tests.stress import sample

from .corpus import SHAPES, corpus
from .signer import CLIENT_SECRET, Request, encode, secrets
from .written import as_curl, as_http

Body = Callable[[str], str]


def mastercard(base_string: str) -> str:
    """Mastercard's gateway answers JSON."""
    description = f"The signature base strings differ. Ours is: {base_string}"
    error = {"Source": "OAuth", "ReasonCode": "INVALID_OAUTH_SBS", "Description": description, "Recoverable": False}
    return json.dumps({"Errors": {"Error": [error]}})


def slashed_json(base_string: str) -> str:
    """JSON as some libraries write it, with escapes of `&` and `/`."""
    return mastercard(base_string).replace("&", "\\u0026").replace("/", "\\/")


def jira(base_string: str) -> str:
    """Atlassian's servers answer a form."""
    fields = {
        "oauth_problem": "signature_invalid", "oauth_signature": "c2lnbmF0dXJl",
        "oauth_signature_base_string": base_string, "oauth_signature_method": "RSA-SHA1",
    }  # fmt: skip
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in fields.items())


def python_oauth2(base_string: str) -> str:
    """python-oauth2 answers a sentence."""
    return f"Invalid signature. Expected signature base string: {base_string}"


def page(base_string: str) -> str:
    """A page for people."""
    return f"<html><body><p>OAuth error: <b>{html.escape(jira(base_string))}</b></p></body></html>"


def bare(base_string: str) -> str:
    """The base string itself."""
    return f"  {base_string}\n"


BODIES: tuple[Body, ...] = (mastercard, slashed_json, jira, python_oauth2, page, bare)


def provider_sees(wire: WireRequest) -> str:
    """The base string of a provider that keeps to the RFC, for what arrives."""
    return plan_of(wire, Key("")).base_string.encode("latin-1").decode()


def codes(explanation: Explanation) -> list[str]:
    """The codes of the causes, in order."""
    return [cause.code for cause in explanation.causes]


REQUEST = SHAPES["header"].but(scheme="https")
CASES: list[tuple[str, WireRequest]] = [
    ("scheme", replace(REQUEST.sent(), scheme="http")),
    ("host", replace(REQUEST.sent(), host="internal-17.example")),
    ("port", replace(REQUEST.sent(), host="photos.example.net:8443")),
    ("path_prefix", replace(REQUEST.sent(), path=b"/gateway/v2/api/photos/vacation")),
    ("path_prefix", replace(REQUEST.sent(), path=b"/photos/vacation")),
    ("path_trailing_slash", replace(REQUEST.sent(), path=REQUEST.sent().path + b"/")),
    ("http_method", replace(REQUEST.sent(), method="POST")),
    ("parameter_added", replace(REQUEST.sent(), query=REQUEST.sent().query + b"&tenant=7")),
    ("query_missing", replace(REQUEST.sent(), query=b"")),
    ("query_missing", replace(REQUEST.sent(), query=REQUEST.sent().query.replace(b"file=vacation.jpg&", b""))),
    ("space_plus", replace(REQUEST.sent(), query=REQUEST.sent().query.replace(b"%2B", b"+"))),
    ("double_encoded", replace(REQUEST.sent(), query=REQUEST.sent().query.replace(b"%20", b"%2520"))),
    ("value_changed", replace(REQUEST.sent(), query=REQUEST.sent().query.replace(b"A=true", b"A=yes"))),
    ("realm_included", replace(REQUEST.sent(), query=REQUEST.sent().query + b"&realm=Photos")),
]
#: What the provider does itself, against the RFC.
OWN: list[tuple[str, Request]] = [
    ("not_encoded", REQUEST.but(encode_value=lambda text: text, encode_name=lambda text: text)),
    ("double_encoded", REQUEST.but(encode_value=lambda text: encode(encode(text)))),
    ("sorting", REQUEST.but(order=list)),
    ("repeated", REQUEST.but(signed_pairs=lambda pairs: [pair for pair in pairs if pair != ("tag", "a")])),
    ("url_query", REQUEST.but(signed_uri=lambda uri: f"{uri}?{REQUEST.sent().query.decode()}")),
    ("oauth_parameter", REQUEST.but(signed_pairs=lambda pairs: [p for p in pairs if p[0] != "oauth_version"])),
]
STRINGS = [*((code, provider_sees(wire)) for code, wire in CASES), *((code, own.base_string()) for code, own in OWN)]


@pytest.mark.parametrize("body", BODIES)
def test_the_cause_is_found_in_every_shape_of_body(body: Body) -> None:
    """Twenty causes in each kind of body: the right one is first, and no secret is given."""
    for code, base_string in STRINGS:
        said = find_base_string(body(base_string))
        assert said == base_string
        assert codes(explain_said(REQUEST.sent(), said))[0] == code
    assert len(STRINGS) == 20


@pytest.mark.stress
@pytest.mark.no_cover
def test_the_corpus_without_secrets() -> None:
    """Of the corpus, whatever a provider's base string can show is named first."""
    keys = {
        "secrets_swapped", "secret_encoding", "secret_whitespace", "token_secret_missing", "ampersand_missing",
        "former_secret", "signature_method", "signature_encoding",
    }  # fmt: skip
    wrong = []
    for name, code, request in sample(corpus(), 100):
        if code in keys or "top" in request.base_string():  # a provider never sees the fragment
            continue
        arrived = request.sent()
        sent = request.but(arrives=lambda wire: wire).sent()
        changed_on_the_way = (arrived.path, arrived.query, arrived.host, arrived.scheme, arrived.body) != (
            sent.path, sent.query, sent.host, sent.scheme, sent.body,
        )  # fmt: skip
        base_string = plan_of(arrived, Key("")).base_string if changed_on_the_way else request.base_string()
        found = codes(explain_said(sent, base_string.encode("latin-1").decode("utf-8", "replace")))
        if not changed_on_the_way and arrived.headers != sent.headers:
            continue
        if found[:1] != [code]:
            wrong.append((name, found))
    assert len(wrong) <= 24, wrong


def test_another_attempt_is_no_difference() -> None:
    """Nonce and timestamp of another attempt are said to be that, and are no cause."""
    other = REQUEST.but(protocol={"oauth_nonce": "another", "oauth_timestamp": "1191242099"})
    explanation = explain_said(REQUEST.sent(), provider_sees(replace(other.sent(), scheme="http")))
    assert codes(explanation) == ["scheme"]
    assert "another attempt" in explanation.causes[0].text


def test_equal_strings_without_a_secret() -> None:
    """The key is wrong, or the client signs something else; both base strings are the same."""
    explanation = explain_said(REQUEST.sent(), provider_sees(REQUEST.sent()))
    assert codes(explanation) == ["key"]
    assert explanation.base_string == explanation.signed
    assert "Either the key is wrong, or the client signs something else" in explanation.causes[0].text


def test_equal_strings_with_a_secret() -> None:
    """A secret tells which of the two it is."""
    base_string = provider_sees(REQUEST.sent())
    right = explain_said(REQUEST.sent(), base_string, secrets(REQUEST))
    assert codes(right) == ["key"]
    assert "provider holds another key" in right.causes[0].text
    wrong = explain_said(REQUEST.sent(), base_string, Secrets(("another",), "other"))
    assert codes(wrong) == ["key"]
    assert "signs with another key" in wrong.causes[0].text
    broken = REQUEST.but(signed_method=str.lower)
    assert codes(explain_said(broken.sent(), base_string, secrets(broken))) == ["key", "http_method"]


def test_several_differences_are_together() -> None:
    """Differences of separate parts are read off, however many there are."""
    wire = replace(REQUEST.sent(), scheme="http", method="POST", query=REQUEST.sent().query + b"&tenant=7")
    explanation = explain_said(REQUEST.sent(), provider_sees(wire))
    assert set(codes(explanation)) == {"scheme", "http_method", "parameter_added"}
    assert all(cause.together for cause in explanation.causes)


def test_the_command_takes_a_file_or_the_text(tmp_path: Path) -> None:
    """No secret is needed, and exit status 1 says that the request was refused."""
    request, body = tmp_path / "request", tmp_path / "body"
    request.write_text(as_curl(REQUEST.sent()))
    body.write_text(jira(STRINGS[0][1]))
    for said in (str(body), body.read_text()):
        result = run_in_process("explain", str(request), "--provider-said", said, "--json")
        assert (result.returncode, result.stderr) == (1, "")
        assert [cause["code"] for cause in json.loads(result.stdout)["causes"]] == ["scheme"]
    result = run_in_process("explain", str(request), "--provider-said", str(body))
    assert "http[s]" in result.stdout


def test_the_command_needs_a_base_string(tmp_path: Path) -> None:
    """A body without one is exit status 2."""
    request = tmp_path / "request"
    request.write_bytes(as_http(REQUEST.sent()))
    for said in ("", "x" * 5_000, "GET&http", json.dumps({"error": "invalid signature"})):
        assert_one_line_error(run_in_process("explain", str(request), "--provider-said", said), "--provider-said")


def test_no_secret_in_the_answer() -> None:
    """A secret that tells which it is does not come out."""
    explanation = explain_said(REQUEST.sent(), provider_sees(REQUEST.sent()), secrets(REQUEST))
    assert CLIENT_SECRET not in str(explanation)


@pytest.mark.parametrize("text", ["&" * 200_000, "GET&http%3A%2F%2F" * 50_000, "%25" * 300_000, "\\u0026" * 200_000])
def test_large_bodies_take_no_quadratic_time(text: str) -> None:
    """Hostile bodies are searched in one pass for each kind of escape."""
    assert find_base_string(text) is None
