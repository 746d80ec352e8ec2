"""Public bug reports, rebuilt: each is found by its cause with one command."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from oauthlib.oauth1 import Client as OAuthlibClient
from requests import Request as HTTPRequest
from requests_oauthlib import OAuth1

from async_oauth1.explain import Secrets, WireRequest, explain
from async_oauth1.policy import Policy
from tests.cli.command import assert_one_line_error, run_in_process

from .corpus import header
from .signer import Request, encode, octets, policy, secrets
from .written import SECRETS, as_har, as_http


def command(tmp_path: Path, saved: bytes | str, *arguments: str, **environment: str) -> list[dict[str, Any]]:
    """The causes that the command names for a saved request."""
    path = tmp_path / "saved"
    path.write_bytes(saved if isinstance(saved, bytes) else saved.encode())
    result = run_in_process("explain", str(path), *arguments, "--json", **(environment or SECRETS))
    assert (result.returncode, result.stderr) == (1, "")
    causes: list[dict[str, Any]] = json.loads(result.stdout)["causes"]
    return causes


def test_woocommerce_sorts_filters_wrongly(tmp_path: Path) -> None:
    """`filter[a]=..&filter[b]=..` is sorted by the name up to its bracket."""
    request = Request(
        path="/wc-api/v3/orders", token=False,
        query=[("filter[limit]", "10"), ("filter[created_at_min]", "2026-01-01"), ("page", "2")],
        order=lambda pairs: sorted(pairs, key=lambda pair: pair[0].partition("%5B")[0]),
    )  # fmt: skip
    assert [cause["code"] for cause in command(tmp_path, as_http(request.sent()))] == ["sorting"]


def test_woocommerce_encodes_brackets_twice(tmp_path: Path) -> None:
    """The names of the parameters are encoded once too often."""
    request = Request(
        path="/wc-api/v3/orders", token=False, query=[("filter[limit]", "10")],
        encode_name=lambda name: encode(encode(name)),
    )  # fmt: skip
    assert [cause["code"] for cause in command(tmp_path, as_http(request.sent()))] == ["double_encoded"]


def test_an_lms_loses_the_last_slash(tmp_path: Path) -> None:
    """An LTI launch is signed for `/lti/launch`, and the tool is at `/lti/launch/`."""
    form = [("lti_message_type", "basic-lti-launch-request"), ("resource_link_id", "1"), ("ext_submit", "Go")]
    request = Request(
        method="POST", path="/lti/launch/", form=form, place="form", token=False, realm=None,
        signed_uri=lambda uri: uri.removesuffix("/"),
    )  # fmt: skip
    assert [cause["code"] for cause in command(tmp_path, as_http(request.sent()))] == ["path_trailing_slash"]


def test_a_tool_behind_nginx_without_x_forwarded_proto(tmp_path: Path) -> None:
    """TLS ends at nginx, Host is passed on, and the tool sees http."""
    request = Request(method="POST", form=[("a", "b")], signed_uri=lambda uri: uri.replace("http:", "https:"))
    assert [cause["code"] for cause in command(tmp_path, as_http(request.sent()))] == ["scheme"]


def test_a_tool_that_sees_the_name_of_the_upstream() -> None:
    """nginx sends the upstream's name as Host; the right host is one of `allowed_hosts`."""
    request = Request(host="tool.example.org", query=[("a", "b")], signed_uri=lambda u: u.replace("http:", "https:"))
    wire = replace(request.sent(), host="backend", headers=((b"Host", b"backend"), *request.sent().headers[1:]))
    rules = Policy(allowed_hosts=("tool.example.org", "*.example.net"), require_https=False)
    explanation = explain(wire, secrets(request), policy=rules)
    assert {cause.code for cause in explanation.causes} == {"scheme", "host"}
    assert all(cause.together for cause in explanation.causes)


def test_the_command_knows_the_allowed_hosts(tmp_path: Path) -> None:
    """The same upstream, with one command; a name that cannot be one is refused."""
    request = Request(host="tool.example.org", query=[("a", "b")], signed_uri=lambda u: u.replace("http:", "https:"))
    wire = replace(request.sent(), host="backend", headers=((b"Host", b"backend"), *request.sent().headers[1:]))
    causes = command(tmp_path, as_http(wire), "--allowed-host", "tool.example.org", "--allowed-host", "*.example.net")
    assert {cause["code"] for cause in causes} == {"scheme", "host"}
    assert all(cause["together"] for cause in causes)
    result = run_in_process("explain", str(tmp_path / "saved"), "--allowed-host", "a b", **SECRETS)
    assert_one_line_error(result, "--allowed-host")


def test_netsuite_restlets_without_script_and_deploy(tmp_path: Path) -> None:
    """The client signs the path alone, and sends `script` and `deploy` in the query."""
    request = Request(
        scheme="https", host="123.restlets.api.example.com", path="/app/site/hosting/restlet.nl", method="POST",
        query=[("script", "12"), ("deploy", "1")], body=b'{"a": 1}', content_type="application/json",
        algorithm="HMAC-SHA256", realm="123",
        signed_pairs=lambda pairs: [pair for pair in pairs if pair[0] not in ("script", "deploy")],
    )  # fmt: skip
    causes = command(tmp_path, as_http(request.sent()), "--base-url", "https://123.restlets.api.example.com")
    assert [cause["code"] for cause in causes] == ["query_missing"]


def test_oauth_body_hash_is_sent_twice(tmp_path: Path) -> None:
    """A library adds the hash that the application has added before; the text names it."""
    wire = Request(method="POST", body=b"{}", content_type="application/json").sent()
    fields = tuple(
        (name, value + b', oauth_body_hash="x", oauth_body_hash="x"' if name == b"Authorization" else value)
        for name, value in wire.headers
    )
    (cause,) = command(tmp_path, as_http(replace(wire, headers=fields)))
    assert cause["code"] == "duplicate_parameter"
    assert "oauth_body_hash" in cause["text"]


def test_a_har_that_a_browser_exported(tmp_path: Path) -> None:
    """A launch in a HAR file: the browser posted CR LF, the tool consumer signed line feeds."""
    form = [("lti_message_type", "basic-lti-launch-request"), ("custom_text", "one\r\ntwo")]
    request = Request(
        scheme="https", method="POST", form=form, place="form", token=False, realm=None,
        signed_pairs=lambda pairs: [(name, value.replace("\r\n", "\n")) for name, value in pairs],
    )  # fmt: skip
    causes = command(tmp_path, as_har(request.sent()))
    assert [cause["code"] for cause in causes] == ["value_changed"]


def test_a_signer_that_does_not_encode_the_body_hash() -> None:
    """One provider's own signer puts `oauth_body_hash` into the base string as it is."""
    request = Request(method="POST", body=b"{}", content_type="application/json", token=False)
    request = request.but(protocol={"oauth_body_hash": "vyGp6PvFo4RvsFtPoIWeCReyIC8="})
    value = request.protocol["oauth_body_hash"]
    broken = request.but(encode_value=lambda text: text if text == value else encode(text))
    explanation = explain(broken.sent(), secrets(broken), policy=policy(broken))
    assert explanation.causes[0].code == "not_encoded"


def wire_of(prepared: Any, scheme: str, host: str) -> WireRequest:
    """A request that requests has prepared."""
    path, _, query = prepared.path_url.partition("?")
    headers = tuple(
        (name.encode() if isinstance(name, str) else name, value.encode() if isinstance(value, str) else value)
        for name, value in prepared.headers.items()
    )
    body = prepared.body.encode() if isinstance(prepared.body, str) else prepared.body or b""
    return WireRequest(
        method=prepared.method, scheme=scheme, host=host, path=path.encode(), query=query.encode(), headers=headers,
        body=body,
    )  # fmt: skip


@pytest.mark.parametrize("place", ["AUTH_HEADER", "QUERY", "BODY"])
def test_requests_oauthlib_behind_a_proxy(place: str) -> None:
    """A real client signs https; the provider behind the proxy sees http and another host."""
    auth = OAuth1("key", "secret", "token", "token secret", signature_type=place)
    form = {"status": "Grüezi & ade", "note": "a+b"}
    prepared = HTTPRequest("POST", "https://api.example.com/photos?size=large", data=form, auth=auth).prepare()
    keys = Secrets(("secret",), "token secret")
    assert explain(wire_of(prepared, "https", "api.example.com"), keys).verifies
    seen = header(wire_of(prepared, "http", "app:8000"), "X-Forwarded-Host", "api.example.com")
    assert {cause.code for cause in explain(seen, keys).causes} == {"scheme", "host"}


def test_oauthlib_signs_utf_8_where_latin_1_is_sent() -> None:
    """A page in Latin-1 posts other octets than the client signed."""
    client = OAuthlibClient("key", "secret")
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    _, signed, _ = client.sign("http://example.net/a", "POST", {"name": "Müller"}, headers)
    wire = WireRequest(
        method="POST", scheme="http", host="example.net", path=b"/a",
        headers=tuple((name.encode(), value.encode()) for name, value in signed.items()), body=b"name=M%FCller",
    )  # fmt: skip
    assert [cause.code for cause in explain(wire, Secrets(("secret",))).causes] == ["charset"]
    assert octets("ü") == "\xc3\xbc"
