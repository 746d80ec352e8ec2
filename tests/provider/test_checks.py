"""The checks that need no look-up (RFC 5849 sections 3.1 to 3.3), and their error messages."""

from __future__ import annotations

import base64
import hashlib

import pytest

from async_oauth1 import Policy
from async_oauth1.errors import (
    InsecureTransportError,
    InvalidRequestError,
    InvalidSignatureError,
    MisdirectedRequestError,
    MissingRequiredParameterError,
    OAuth1Error,
    TimestampRefusedError,
    UnsignedRequestError,
)
from async_oauth1.provider.checks import (
    check_body_hash,
    check_host,
    check_identifiers,
    check_protocol_parameters,
    check_timestamp,
)
from async_oauth1.provider.verification import BaseServer
from tests.protocol.wire import NOW, Signer, Wire

POLICY = Policy()
SIGNER = Signer()


# Timestamps ----------------------------------------------------------------------------------------------------------


@pytest.mark.rfc5849("3.3/timestamp")
@pytest.mark.parametrize("timestamp", [
    "١٧٠٠٠٠٠٠٠٠", "1700000_000", "+1700000000", "-1700000000", "01700000000", " 1700000000", "1700000000 ",
    "1700000000\n", "1700000000.0", "1.7e9", "0x6553f100", "0", "00", "abc", "nan", "inf", "１７００００００００", "²",
    "9" * 14, "9" * 400, "9" * 4_000, "1" + "0" * 5_000,
])  # fmt: skip
def test_malformed_timestamps(timestamp: str) -> None:
    """Only ASCII digits without a leading zero are accepted, at most twelve; int() would accept more spellings."""
    with pytest.raises(InvalidRequestError, match="not a positive whole number"):
        check_timestamp(SIGNER.wire(oauth_timestamp=timestamp).read(), POLICY, NOW)


@pytest.mark.parametrize("timestamp", ["1700000000000", "9999999999999"])
def test_milliseconds_are_recognised(timestamp: str) -> None:
    """Thirteen digits are milliseconds, as from JavaScript's Date.now(), and the error says so."""
    with pytest.raises(InvalidRequestError, match="milliseconds"):
        check_timestamp(SIGNER.wire(oauth_timestamp=timestamp).read(), POLICY, NOW)


@pytest.mark.parametrize("offset", [-300, -299, 0, 299, 300])
def test_timestamps_within_the_window(offset: int) -> None:
    """Both ends of the window are accepted."""
    check_timestamp(SIGNER.wire(oauth_timestamp=str(NOW + offset)).read(), POLICY, NOW)


@pytest.mark.parametrize("timestamp", [NOW - 301, NOW + 301, NOW + 864_000, 1, 99_999_999_999, 999_999_999_999])
def test_timestamps_outside_the_window(timestamp: int) -> None:
    """Past and future are refused, and the error contains the server's time to compare with."""
    with pytest.raises(TimestampRefusedError, match=f"300 seconds.*{NOW}") as caught:
        check_timestamp(SIGNER.wire(oauth_timestamp=str(timestamp)).read(), POLICY, NOW + 0.4)
    assert caught.value.status_code == 401


@pytest.mark.rfc5849("3.1/parameters")
@pytest.mark.parametrize("missing", ["oauth_timestamp", "oauth_nonce"])
@pytest.mark.parametrize("value", [None, ""])
def test_timestamp_and_nonce_are_required(missing: str, value: str | None) -> None:
    """A missing or empty parameter is answered with 400, and the error names it."""
    with pytest.raises(MissingRequiredParameterError) as caught:
        check_timestamp(SIGNER.wire(**{missing: value}).read(), POLICY, NOW)
    assert missing in caught.value.description


@pytest.mark.rfc5849("3.1/parameters")
def test_plaintext_may_omit_either() -> None:
    """Section 3.1 allows it with PLAINTEXT. An empty one is malformed, and a timestamp that is sent is checked."""
    signer = Signer(signature_method="PLAINTEXT")
    check_timestamp(signer.wire(oauth_timestamp=None, oauth_nonce=None).read(), POLICY, NOW)
    check_timestamp(signer.wire(oauth_timestamp=None).read(), POLICY, NOW)
    check_timestamp(signer.wire(oauth_nonce=None).read(), POLICY, NOW)
    for one in ({"oauth_timestamp": ""}, {"oauth_nonce": ""}, {"oauth_timestamp": "", "oauth_nonce": ""}):
        with pytest.raises(MissingRequiredParameterError):
            check_timestamp(signer.wire(**one).read(), POLICY, NOW)
    with pytest.raises(TimestampRefusedError):
        check_timestamp(signer.wire(oauth_timestamp=str(NOW - 301), oauth_nonce=None).read(), POLICY, NOW)


# Identifiers ---------------------------------------------------------------------------------------------------------

IDENTIFIERS = ["oauth_consumer_key", "oauth_token", "oauth_nonce"]


@pytest.mark.parametrize("name", IDENTIFIERS)
@pytest.mark.parametrize("value", [
    "wIjqoS", "7d8f3e4a", "-5784227524038128492", "d41d8cd98f00b204e9800998ecf8427e", "a.b_c+d/e=", "ck_123.456", "a b",
    "123e4567-e89b-12d3-a456-426614174000", "x", "x" * 255, "é" * 127, "\u00a0", "日本", "😀", "<script>", "'; DROP",
])  # fmt: skip
def test_identifiers(name: str, value: str) -> None:
    """Any text of 1 to 255 bytes without control characters, as existing clients send it."""
    check_identifiers(SIGNER.wire(**{name: value}).read(), POLICY)


@pytest.mark.parametrize("name", IDENTIFIERS)
@pytest.mark.parametrize(("value", "reason"), [
    ("x" * 256, "longer than 255 bytes"), ("é" * 128, "longer than 255 bytes"), ("😀" * 64, "longer than 255 bytes"),
    ("x" * 1_000_000, "longer"), ("a\x00", "control"), ("\n", "control"), ("\x7f", "control"), ("\x85", "control"),
    ("a\u2028b", "control"), ("\x1b[2J", "control"),
])  # fmt: skip
def test_invalid_identifiers(name: str, value: str, reason: str) -> None:
    """Identifiers that are too long or have a control character are answered with 400, and the error names them."""
    request = SIGNER.wire(**{name: value}).read(max_header_bytes=10_000_000)
    with pytest.raises(InvalidRequestError, match=reason) as caught:
        check_identifiers(request, POLICY)
    assert name in caught.value.description
    assert len(caught.value.description) < 100


@pytest.mark.parametrize("escaped", [b"%ED%A0%80", b"%FF", b"%C0%80", b"%F5%80%80%80"])
def test_identifiers_must_be_utf_8(escaped: bytes) -> None:
    """Surrogates and other octets that are not UTF-8 are refused, and never decoded."""
    with pytest.raises(InvalidRequestError, match="not UTF-8"):
        Wire(raw_query=b"oauth_nonce=" + escaped).read()


# Required parameters and version -------------------------------------------------------------------------------------


@pytest.mark.parametrize("headers", [(), ((b"authorization", b"Bearer abc"),), ((b"authorization", b"OAuth"),)])
def test_unsigned(headers: tuple[tuple[bytes, bytes], ...]) -> None:
    """Without OAuth parameters, or with another scheme, the answer is 401; a malformed request gets 400."""
    with pytest.raises(UnsignedRequestError) as caught:
        check_protocol_parameters(Wire(headers=headers).read(), POLICY)
    assert caught.value.status_code == 401


@pytest.mark.rfc5849("3.1/parameters")
@pytest.mark.parametrize("name", ["oauth_consumer_key", "oauth_signature_method", "oauth_signature"])
@pytest.mark.parametrize("value", [None, b""])
def test_required_parameters(name: str, value: bytes | None) -> None:
    """The error names the parameter that is missing or empty."""
    pairs = [(key, b"x") for key in (b"oauth_consumer_key", b"oauth_signature_method", b"oauth_signature")]
    pairs = [(key, v if key != name.encode() else value) for key, v in pairs]
    query = b"&".join(key + b"=" + v for key, v in pairs if v is not None)
    with pytest.raises(MissingRequiredParameterError) as caught:
        check_protocol_parameters(Wire(raw_query=query).read(), POLICY)
    assert name in caught.value.description


@pytest.mark.rfc5849("3.1/version", "3.2/version")
@pytest.mark.parametrize("version", ["2.0", "1.0b", "", "1", "1.00", " 1.0", "１.０"])
def test_version(version: str) -> None:
    """Section 3.2: the version must be "1.0"."""
    with pytest.raises(InvalidRequestError, match="oauth_version"):
        check_protocol_parameters(SIGNER.wire(oauth_version=version).read(), POLICY)


def test_version_may_be_absent() -> None:
    """Most clients omit it, as do the RFC's examples."""
    check_protocol_parameters(SIGNER.wire().read(), POLICY)
    check_protocol_parameters(SIGNER.wire(oauth_version="1.0").read(), POLICY)


# Transport -----------------------------------------------------------------------------------------------------------


def test_https_is_required() -> None:
    """Plain http is refused unless the policy allows it, or both ends are on loopback."""
    plain = SIGNER.wire(scheme="http").read()
    with pytest.raises(InsecureTransportError):
        BaseServer(POLICY).check_transport(plain)
    BaseServer(Policy(require_https=False)).check_transport(plain)
    local = SIGNER.wire(scheme="http", host="localhost:8000", peer="127.0.0.1").read()
    BaseServer(POLICY).check_transport(local)


@pytest.mark.parametrize(
    ("allowed", "host", "served"),
    [
        ("a.example", "a.example", True),
        ("a.example", "A.EXAMPLE:8443", True),
        ("A.Example", "a.example", True),
        ("a.example", "a.example.", True),
        ("a.example", "b.a.example", False),
        ("a.example", "a.example.evil", False),
        ("a.example", "evila.example", False),
        ("*.a.example", "b.a.example", True),
        ("*.a.example", "c.b.A.example", True),
        ("*.a.example", "a.example", False),
        ("*.a.example", "evila.example", False),
        ("[::1]", "[::1]:8000", True),
        ("::1", "[::1]", True),
    ],
)
def test_allowed_hosts(allowed: str, host: str, served: bool) -> None:
    """A signature for another host, such as a staging system with the same keys, is answered with 421."""
    policy = Policy(allowed_hosts=("other.example", allowed))
    request = SIGNER.wire(host=host).read()
    if served:
        check_host(request, policy)
    else:
        with pytest.raises(MisdirectedRequestError) as caught:
            check_host(request, policy)
        assert caught.value.status_code == 421


@pytest.mark.parametrize("allowed", ["*", "a.example:8443", "a.example.", "http://a.example", "", "[::1]:80"])
def test_an_allowed_host_that_cannot_match_is_refused(allowed: str) -> None:
    """A pattern with a port, a trailing dot or a scheme would refuse every client."""
    with pytest.raises(ValueError, match="allowed_hosts"):
        Policy(allowed_hosts=(allowed,))


# oauth_body_hash -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha512"])
@pytest.mark.parametrize("body", [b"", b'{"a": 1}', b"\x00\xff" * 1_000])
def test_body_hash(algorithm: str, body: bytes) -> None:
    """SHA-1, SHA-256 and SHA-512 are recognised by their length; an empty body has a hash, too."""
    claimed = base64.b64encode(hashlib.new(algorithm, body).digest()).decode()
    request = SIGNER.wire(oauth_body_hash=claimed).read()
    check_body_hash(request, body)
    with pytest.raises(InvalidSignatureError, match="oauth_body_hash"):
        check_body_hash(request, body + b"x")


@pytest.mark.parametrize("claimed", [
    "", "x", "AAAA", "2jmj7l5rSw0yVb/vlWAYkK/YBw", "2jmj7l5rSw0yVb/vlWAYkK_YBwk=", "é", " 2jmj7l5rSw0yVb/vlWAYkK/YBwk=",
    "A" * 10_000, "=" * 28, hashlib.sha256(b"").hexdigest(),
])  # fmt: skip
def test_malformed_body_hash(claimed: str) -> None:
    """Malformed Base64, and a length of no known hash, are answered with 400."""
    with pytest.raises(InvalidRequestError, match="oauth_body_hash"):
        check_body_hash(SIGNER.wire(oauth_body_hash=claimed).read(), b"")


def test_every_refusal_is_an_oauth1_error() -> None:
    """``except OAuth1Error`` in existing code catches all of them."""
    for error in (UnsignedRequestError, TimestampRefusedError, MisdirectedRequestError, InsecureTransportError):
        assert issubclass(error, OAuth1Error)
