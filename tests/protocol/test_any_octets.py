"""Any octets give an OAuth1Request or an OAuth1Error, and never anything else."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from async_oauth1 import OAuth1Error, OAuth1Request, Policy
from async_oauth1.asgi import request_from_scope
from async_oauth1.provider.sync_driver import run_sync
from tests.provider.provider import READING, Provider
from tests.stress import STRESS

from .wire import FORM, Signer, Wire, any_octets

OCTETS = settings(settings.get_profile("protocol"), max_examples=1_000 if STRESS else 100)

oauth_like = st.lists(
    st.sampled_from([
        b"OAuth ", b"oauth_token", b"oauth_nonce", b"oauth_signature", b"oauth_consumer_key", b"oauth_timestamp",
        b"oauth_signature_method", b"HMAC-SHA1", b"PLAINTEXT", b"RSA-SHA1", b"realm", b"oauth%5F", b"=", b'"', b",",
        b"&", b"%", b"%FF", b"%00", b"1700000000", b" ", b"\t", b"\\", b"+", b";", b"\xff", b"x", b"?", b"#",
    ]),
    max_size=24,
).map(b"".join)  # fmt: skip
octets = st.one_of(any_octets(max_size=60), oauth_like)
header_names = st.sampled_from([
    b"authorization", b"Authorization", b"content-type", b"host", b"forwarded", b"x-forwarded-proto",
    b"x-forwarded-host", b"x-forwarded-port", b"x-forwarded-for", b"", b"\xff",
])  # fmt: skip
content_types = st.sampled_from([FORM, FORM.upper() + b";charset=x", b"text/plain"])
headers = st.lists(st.tuples(header_names, st.one_of(octets, content_types)), max_size=6).map(tuple)
hosts = st.one_of(
    st.text(max_size=20), st.sampled_from(["a.example", "[::1]:8000", "localhost", "a:443", "[", "a@b", "a:99999"])
)


def _use_all_of_it(request: OAuth1Request) -> None:
    """Everything that a view or a check may look at."""
    for name in (
        "client_id",
        "token",
        "timestamp",
        "nonce",
        "redirect_uri",
        "verifier",
        "signature",
        "signature_method",
    ):
        value = getattr(request, name)
        assert value is None or isinstance(value.encode(), bytes)  # text without surrogates, for any store
    assert request.signature_base_string.isascii()
    assert repr(request).isprintable()
    for values in (request.params, request.query_params, request.body_params, request.auth_params):
        assert all(isinstance(name, str) and isinstance(value, str) for name, value in values)
    assert isinstance(request.uri, str)
    assert isinstance(request.is_secure, bool)
    assert dict(request.headers) is not None


def _read_or_refuse(read: Callable[[], OAuth1Request]) -> None:
    error: OAuth1Error | None = None
    try:
        _use_all_of_it(read())
    except OAuth1Error as refusal:
        error = refusal
    assert error is None or (400 <= error.status_code < 500 and error.description)


@OCTETS
@given(
    st.text(max_size=8),
    st.sampled_from(["http", "https"]),
    hosts,
    octets,
    octets,
    headers,
    st.one_of(st.none(), octets),
    st.one_of(st.none(), st.text(max_size=12)),
)
def test_any_request(
    method: str,
    scheme: str,
    host: str,
    raw_path: bytes,
    raw_query: bytes,
    fields: Any,
    body: bytes | None,
    peer: str | None,
) -> None:
    """Whatever stands in method, host, path, query, headers and body."""
    for path in (raw_path, b"/" + raw_path):
        _read_or_refuse(Wire(method, scheme, host, path, raw_query, fields, body, peer).read)


@OCTETS
@given(octets)
def test_any_octets_as_header_query_and_form(value: bytes) -> None:
    """The same octets in each of the three places; one that holds no "oauth_" is no error."""
    for wire in (
        Wire(headers=((b"authorization", value),)),
        Wire(headers=((b"authorization", b"OAuth " + value),)),
        Wire(raw_query=value),
        Wire("POST", headers=((b"content-type", FORM),), body=value),
    ):
        _read_or_refuse(wire.read)


POLICIES = [
    Policy(),
    Policy(trusted_proxies=("0.0.0.0/0", "::/0")),
    Policy(external_base_url="https://photos.example.net/api/"),
    Policy(external_base_url=lambda scope: f"https://{dict(scope['headers']).get(b'host', b'x').decode('latin-1')}/x"),
    Policy(allowed_hosts=("a.example",)),
]


@OCTETS
@given(
    st.fixed_dictionaries({
        "type": st.just("http"),
        "method": st.text(max_size=6),
        "scheme": st.sampled_from(["http", "https"]),
        "path": st.text(st.characters(), max_size=20),
        "raw_path": st.one_of(st.none(), octets, octets.map(lambda value: b"/" + value),
                              octets.map(lambda value: b"http://" + value), st.just(b"*")),
        "query_string": octets,
        "headers": headers.map(list),
        "client": st.one_of(st.none(), st.tuples(st.sampled_from(["127.0.0.1", "::1", "10.0.0.1", "::ffff:10.0.0.1",
                                                                  "unix:/x", "", "fe80::1%eth0"]), st.just(1))),
    }),
    st.sampled_from(POLICIES),
    st.one_of(st.none(), octets),
)  # fmt: skip
def test_any_scope(scope: dict[str, Any], policy: Policy, body: bytes | None) -> None:
    """Whatever an ASGI server hands over, forwarded headers included, whichever of them are believed."""
    for path in (scope["path"], "/" + scope["path"]):
        _read_or_refuse(partial(request_from_scope, {**scope, "path": path}, policy, body))


@pytest.mark.parametrize("name", [
    "oauth_consumer_key", "oauth_token", "oauth_signature_method", "oauth_timestamp", "oauth_nonce", "oauth_version",
    "oauth_callback", "oauth_verifier", "oauth_body_hash", "oauth_signature", "oauth_x",
])  # fmt: skip
@settings(OCTETS, max_examples=400 if STRESS else 40)
@given(value=st.one_of(st.text(st.characters(exclude_categories=["Cs"]), max_size=12), st.just("x" * 300)))
def test_any_protocol_parameter_at_any_endpoint(name: str, value: str) -> None:
    """One parameter may be anything: the answer is an error of the protocol, and nothing has changed."""
    provider = Provider(Policy(signature_methods=("HMAC-SHA1", "RSA-SHA1", "PLAINTEXT")))
    client = Signer("dpf43f3p2l4k3l03", "wrong", "t", "wrong")
    parameters = {"oauth_callback": "http://printer.example.com/ready", "oauth_verifier": "v", name: value}
    signature = {"signature": parameters.pop("oauth_signature", None)}
    wire = client.wire("POST", **signature, **parameters)
    assert 400 <= provider.initiate(wire).status_code < 500
    assert 400 <= provider.exchange(wire).status_code < 500
    assert 400 <= provider.refusal(wire).status_code < 500
    assert set(provider.hooks.calls) <= READING
    with pytest.raises(OAuth1Error) as caught:
        run_sync(provider.server.check_authorization_request(wire.read()))
    assert 400 <= caught.value.status_code < 500
