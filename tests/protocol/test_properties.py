"""Signed requests verify, and any change to what is signed is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from async_oauth1 import SIGNATURE_METHODS, Client, OAuth1Error, Policy, SigningKeys
from async_oauth1.errors import InvalidSignatureError
from tests.provider.provider import Provider

from .test_rsa import PRIVATE_PEM, PUBLIC_PEM
from .wire import FORM, Octets, Signer, Wire, any_octets, base_string

METHODS = list(SIGNATURE_METHODS)
octets = any_octets(max_size=6)
# Names outside the protocol; the protocol's parameters have other tests.
pairs = st.lists(st.tuples(octets.filter(lambda name: not name.startswith(b"oauth_")), octets), max_size=3)
paths = st.text("ab/%2F;~é.+", max_size=12).map(lambda text: b"/" + text.encode())
secret_text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
PROPERTY = settings.get_profile("protocol")


@pytest.mark.rfc5849("3.2/signature")
@PROPERTY
@given(pairs, pairs, paths, secret_text, secret_text, st.sampled_from(METHODS), st.sampled_from(["GET", "POST", "X"]))
def test_sign_then_verify(
    query: list[Octets], form: list[Octets], path: bytes, secret: str, token_secret: str, name: str, verb: str
) -> None:
    """Every method verifies its signature, over a base string that the tests compute independently."""
    wire = Signer("c", secret, "t", token_secret, name).wire(verb, path, query=query, form=form)
    request = wire.read()
    text = request.signature_base_string
    nonce = request.nonce or ""
    protocol = [
        (b"oauth_consumer_key", b"c"),
        (b"oauth_token", b"t"),
        (b"oauth_signature_method", name.encode()),
        (b"oauth_timestamp", b"1700000000"),
        (b"oauth_nonce", nonce.encode()),
    ]
    assert text == base_string(verb, b"https://photos.example.net" + path, [*protocol, *query, *form])
    method = SIGNATURE_METHODS[name]
    signature = method.sign(text, SigningKeys(secret, token_secret, PRIVATE_PEM))
    assert method.verify(text, signature, SigningKeys(secret, token_secret, PUBLIC_PEM))


def _changes(wire: Wire) -> dict[str, Wire]:
    """Variants of the request, each with one signed part changed."""
    header = dict(wire.headers)[b"authorization"]

    def reheaded(old: bytes, new: bytes) -> Wire:
        assert old in header
        headers = [(n, header.replace(old, new) if n == b"authorization" else v) for n, v in wire.headers]
        return wire.changed(headers=tuple(headers))

    body, query = wire.body or b"", wire.raw_query
    return {
        "method": wire.changed(method="PUT"),
        "scheme": wire.changed(scheme="http", peer="127.0.0.1"),
        "host": wire.changed(host="photos.example.com"),
        "port": wire.changed(host="photos.example.net:8443"),
        "path": wire.changed(raw_path=wire.raw_path + b"x"),
        "path with a slash": wire.changed(raw_path=wire.raw_path + b"/"),
        "path escaped otherwise": wire.changed(raw_path=b"/%70hotos"),
        "query appended": wire.changed(raw_query=query + b"&x=1"),
        "query with an empty name": wire.changed(raw_query=query + b"&="),
        "query repeated": wire.changed(raw_query=query + b"&" + query),
        "query with a realm": wire.changed(raw_query=query + b"&realm=evil"),
        "query dropped": wire.changed(raw_query=b""),
        "query value": wire.changed(raw_query=query.replace(b"1", b"2")),
        "query octet": wire.changed(raw_query=query.replace(b"%FF", b"%FE")),
        "query replacement character": wire.changed(raw_query=query.replace(b"%FF", b"%EF%BF%BD")),
        "query decoded twice": wire.changed(raw_query=query.replace(b"%2541", b"A")),
        "form appended": wire.changed(body=body + b"&a=999"),
        "form with a realm": wire.changed(body=body + b"&realm=evil"),
        "form broken": wire.changed(body=body + b'&amount=100&x="%zz'),
        "form value": wire.changed(body=body.replace(b"1", b"2")),
        "form order of equals": wire.changed(body=body.replace(b"a=1", b"a%3D1=")),
        "form dropped": wire.changed(body=b""),
        "form moved to the query": wire.changed(raw_query=query + b"&" + body, body=b""),
        "content type": wire.changed(headers=tuple(h for h in wire.headers if h[1] != FORM)),
        "nonce": reheaded(b'oauth_nonce="n', b'oauth_nonce="m'),
        "nonce escaped twice": reheaded(b'oauth_nonce="n', b'oauth_nonce="%256e'),
        "timestamp": reheaded(b"1700000000", b"1700000001"),
        "client": reheaded(b"dpf43f3p2l4k3l03", b"other"),
        "token": reheaded(b'oauth_token="', b'oauth_token="x'),
        "version": reheaded(b"OAuth ", b'OAuth oauth_version="1.0", '),
        "extra header parameter": reheaded(b"OAuth ", b'OAuth x="1", '),
        "signature": reheaded(b'oauth_signature="', b'oauth_signature="x'),
        "signature method": reheaded(b"HMAC-SHA1", b"HMAC-SHA256"),
    }


QUERY = [(b"q", b"1"), (b"r", b"\xff"), (b"s", b"%41")]


@pytest.mark.rfc5849("3.2/signature")
@pytest.mark.parametrize("change", sorted(_changes(Signer(token="t").wire(query=QUERY, form=[(b"a", b"1")]))))
def test_any_change_fails(change: str) -> None:
    """A request with a change to a signed part is refused, and the unchanged one is accepted."""
    provider = Provider(Policy(signature_methods=("HMAC-SHA1", "HMAC-SHA256")))
    wire = provider.token().wire("POST", query=QUERY, form=[(b"a", b"1")])
    before = list(provider.hooks.calls)
    changed = _changes(wire)[change]
    if change == "form moved to the query":
        # Section 3.4.1.3 joins query and form, so the signature does not cover which of the two a parameter was in.
        assert provider.protect(changed)
        return
    error = provider.refusal(changed)
    assert error.status_code in (400, 401)
    assert "exists_nonce" not in provider.hooks.calls[len(before) :]
    assert provider.protect(wire)


@pytest.mark.parametrize(
    ("raw_query", "headers"),
    [
        (b"&&q=1&r=%ff&s=%2541&", {}),
        (b"%71=1&r=%FF&s=%2541", {}),
        (b"s=%2541&q=1&r=\xff", {}),
        (b"q=1&r=%FF&s=%2541", {b"authorization": lambda value: value.replace(b"OAuth ", b'oauth  realm="evil" ,')}),
        (b"q=1&r=%FF&s=%2541", {b"authorization": lambda value: value.replace(b", ", b",")}),
    ],
)
def test_equivalent_requests_verify(raw_query: bytes, headers: dict[bytes, Any]) -> None:
    """The order, unnecessary escapes, empty parts and the realm are not signed."""
    provider = Provider()
    wire = provider.token().wire(query=QUERY)
    changed = tuple((name, headers.get(name, lambda value: value)(value)) for name, value in wire.headers)
    assert provider.protect(wire.changed(raw_query=raw_query, headers=changed))


@PROPERTY
@given(pairs, pairs)
def test_different_queries_fail(signed: list[Octets], sent: list[Octets]) -> None:
    """A signature verifies for another list of parameters only if it has the same ones in another order."""
    provider = Provider()
    client = provider.client
    wire = client.wire(query=signed, oauth_nonce="n")
    other = client.wire(query=sent, oauth_nonce="n")
    request = wire.changed(raw_query=other.raw_query).read()
    if sorted(signed) == sorted(sent):
        assert provider.protect(request, two_legged=True)
    else:
        assert isinstance(provider.refusal(request, two_legged=True), InvalidSignatureError)


@PROPERTY
@given(secret_text, secret_text, secret_text, secret_text, st.sampled_from(["HMAC-SHA1", "HMAC-SHA512", "PLAINTEXT"]))
def test_other_secrets_fail(one: str, other: str, token_one: str, token_other: str, name: str) -> None:
    """The signature verifies only with the same two secrets."""
    method = SIGNATURE_METHODS[name]
    signature = method.sign("x", SigningKeys(one, token_one))
    assert method.verify("x", signature, SigningKeys(other, token_other)) == ((one, token_one) == (other, token_other))


def test_old_and_new_secrets_of_a_client_verify() -> None:
    """During a key rotation the old and the new secret verify, and no other."""
    provider = Provider()
    provider.add(Client(client_id="rotated", client_secret="new", overlapping_secrets=("old", "older")))
    for secret in ("new", "old", "older"):
        assert provider.protect(Signer("rotated", secret).wire(oauth_nonce=secret), two_legged=True)
    for secret in ("n", "newer", "", "None"):
        with pytest.raises(OAuth1Error):
            provider.protect(Signer("rotated", secret).wire(oauth_nonce=f"x{secret}"), two_legged=True)


def test_secrets_given_as_one_string() -> None:
    """A string from ``get_client_secrets`` is one secret, and not a sequence of letters."""

    class Model:
        def get_client_secrets(self) -> str:
            return "abc"

    provider = Provider()
    provider.hooks.replaced["query_client"] = lambda client_id: Model()
    assert provider.protect(Signer("c", "abc").wire(), two_legged=True)
    assert isinstance(provider.refusal(Signer("c", "a").wire(), two_legged=True), InvalidSignatureError)
