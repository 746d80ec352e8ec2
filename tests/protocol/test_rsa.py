"""RSA-SHA1, RSA-SHA256 and RSA-SHA512 (RFC 5849 section 3.4.3), compared with `cryptography`."""

from __future__ import annotations

import base64
import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from async_oauth1 import SIGNATURE_METHODS, Client, Policy, SigningKeys
from async_oauth1.errors import InvalidSignatureError
from tests.keys import rsa_private_key
from tests.provider.provider import CALLBACK, Provider

from .wire import Signer

RSA_METHODS = {name: getattr(hashes, name.removeprefix("RSA-"))() for name in ("RSA-SHA1", "RSA-SHA256", "RSA-SHA512")}
PRIVATE = rsa_private_key()
PRIVATE_PEM = PRIVATE.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
PUBLIC_PEM = PRIVATE.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
PKCS1_PEM = PRIVATE.public_key().public_bytes(Encoding.PEM, PublicFormat.PKCS1).decode()
EC_PRIVATE = ec.generate_private_key(ec.SECP256R1())
EC_PEM = EC_PRIVATE.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
# Well-formed keys with an unknown algorithm and with an unsupported curve.
UNKNOWN_PEM = "-----BEGIN PUBLIC KEY-----\nMA8wCAYEKgMEBQUAAwMAqrs=\n-----END PUBLIC KEY-----\n"
UNSUPPORTED_CURVE_PEM = (
    "-----BEGIN PUBLIC KEY-----\nMEkwEwYHKoZIzj0CAQYIKoZIzj0DAQIDMgAEAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB"
    "AQEBAQEB\nAQEBAQEBAQEB\n-----END PUBLIC KEY-----\n"
)
TEXT = "GET&http%3A%2F%2Fexample.com%2F&a%3D1"

# The key and the request of the RSA-SHA1 case of the OAuth community's test cases (wiki.oauth.net, TestCases,
# section 9.3), which many client libraries use. The misspelling "vacaction" is in the original.
COMMUNITY_KEY = """-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC0YjCwIfYoprq/FQO6lb3asXrx
LlJFuCvtinTF5p0GxvQGu5O3gYytUvtC2JlYzypSRjVxwxrsuRcP3e641SdASwfr
mzyvIgP08N4S0IFzEURkV1wp/IpH7kH41EtbmUmrXSwfNZsnQRE5SYSOhh+LcK2w
yQkdgcMv11l4KoBkcwIDAQAB
-----END PUBLIC KEY-----
"""
COMMUNITY_SIGNATURE = (
    "jvTp/wX1TYtByB1m+Pbyo0lnCOLIsyGCH7wke8AUs3BpnwZJtAuEJkvQL2/9n4s5wUmUl4aCI4BwpraNx4RtEXMe5qg5T1LVTGliMRpKasKsW"
    "//e+RinhejgCuzoH26dyF8iY2ZZ/5D1ilgeijhV/vBka5twt399mXwaYdCwFYE="
)


def _certificate(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "client")])
    start = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, start, start + datetime.timedelta(days=36_500))
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def _sign(text: str, algorithm: hashes.HashAlgorithm) -> str:
    return base64.b64encode(PRIVATE.sign(text.encode(), PKCS1v15(), algorithm)).decode()


def test_community_vector() -> None:
    """The published RSA-SHA1 signature verifies for its request, and for no other base string."""
    wire = Signer(signature_method="RSA-SHA1", timestamp=1196666512).wire(
        query=[(b"file", b"vacaction.jpg"), (b"size", b"original")],
        scheme="http",
        oauth_nonce="13917289812797014437",
        oauth_version="1.0",
        signature=COMMUNITY_SIGNATURE,
    )
    request = wire.read()
    keys = SigningKeys(rsa_key=COMMUNITY_KEY)
    method = SIGNATURE_METHODS["RSA-SHA1"]
    assert method.verify(request.signature_base_string, request.signature or "", keys)
    assert not method.verify(request.signature_base_string.replace("vacaction", "vacation"), COMMUNITY_SIGNATURE, keys)


@pytest.mark.parametrize("name", RSA_METHODS)
def test_signs_and_verifies_as_cryptography_does(name: str) -> None:
    """Each method is RSASSA-PKCS1-v1_5 with its hash; both can verify the other's signature."""
    method = SIGNATURE_METHODS[name]
    made = method.sign(TEXT, SigningKeys(rsa_key=PRIVATE_PEM))
    assert made == _sign(TEXT, RSA_METHODS[name])
    for key in (PUBLIC_PEM, PUBLIC_PEM.encode(), PKCS1_PEM, _certificate(PRIVATE)):
        assert method.verify(TEXT, made, SigningKeys(rsa_key=key))


def test_a_signature_with_another_hash_is_refused() -> None:
    """The hash is that of the named method."""
    keys = SigningKeys(rsa_key=PUBLIC_PEM)
    for name, algorithm in RSA_METHODS.items():
        verdicts = {other: SIGNATURE_METHODS[other].verify(TEXT, _sign(TEXT, algorithm), keys) for other in RSA_METHODS}
        assert verdicts == {other: other == name for other in RSA_METHODS}


@pytest.mark.rfc5849("3.4.3/public-key")
@pytest.mark.parametrize(
    "key",
    [
        None,
        "",
        b"",
        "no PEM",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        PUBLIC_PEM[:-80],
        PRIVATE_PEM,
        EC_PEM,
        _certificate(EC_PRIVATE),
        UNKNOWN_PEM,
        UNSUPPORTED_CURVE_PEM,
        "\ud800",
    ],
    ids=[
        "none",
        "empty",
        "no octets",
        "text",
        "broken",
        "broken certificate",
        "cut",
        "private",
        "EC",
        "EC certificate",
        "unknown algorithm",
        "unsupported curve",
        "surrogate",
    ],
)
def test_unusable_keys(key: str | bytes | None) -> None:
    """With a missing, malformed or wrong kind of key, verification returns False without an exception."""
    for name, algorithm in RSA_METHODS.items():
        assert not SIGNATURE_METHODS[name].verify(TEXT, _sign(TEXT, algorithm), SigningKeys(rsa_key=key))


@pytest.mark.parametrize("signature", ["", "a", "====", "AAAA", "é", "\ud800", "A" * 100_000, "a b", "+/+/", "\x00"])
def test_malformed_signatures(signature: str) -> None:
    """Verification of any text in oauth_signature returns False, without an exception."""
    assert not SIGNATURE_METHODS["RSA-SHA1"].verify(TEXT, signature, SigningKeys(rsa_key=PUBLIC_PEM))


@pytest.mark.parametrize(
    "key", [None, "no PEM", EC_PRIVATE.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())]
)
def test_signing_needs_a_private_rsa_key(key: str | bytes | None) -> None:
    """Other keys are refused with a reason."""
    with pytest.raises(ValueError, match=r"."):
        SIGNATURE_METHODS["RSA-SHA1"].sign(TEXT, SigningKeys(rsa_key=key))


def test_secrets_are_not_used_with_rsa() -> None:
    """The shared secrets do not matter, and an HMAC with the public key does not verify."""
    forged = SIGNATURE_METHODS["HMAC-SHA1"].sign(TEXT, SigningKeys(PUBLIC_PEM))
    assert not SIGNATURE_METHODS["RSA-SHA1"].verify(TEXT, forged, SigningKeys(PUBLIC_PEM, rsa_key=PUBLIC_PEM))


@pytest.mark.parametrize("method", ["HMAC-SHA1", "PLAINTEXT"])
def test_rsa_client_is_refused_with_other_methods(method: str) -> None:
    """The sender chooses the method, so a client without a secret must not verify with HMAC or PLAINTEXT."""
    provider = Provider(Policy(signature_methods=("HMAC-SHA1", "RSA-SHA1", "PLAINTEXT")))
    provider.add(Client(client_id="rsa", rsa_public_key=PUBLIC_PEM, callbacks=(CALLBACK,)))
    for secret in ("", PUBLIC_PEM, "None"):
        wire = Signer("rsa", secret, signature_method=method).wire()
        assert isinstance(provider.refusal(wire, two_legged=True), InvalidSignatureError)


def test_flow_with_rsa() -> None:
    """A client with an RSA key can complete the flow, and another client cannot use its temporary credentials."""
    provider = Provider(Policy(signature_methods=("HMAC-SHA1", "RSA-SHA256")))
    provider.add(
        Client(client_id="rsa", rsa_public_key=PUBLIC_PEM, callbacks=(CALLBACK,), signature_methods=("RSA-SHA256",))
    )

    def wire(client: Signer, **oauth: str) -> object:
        nonce = f"{len(provider.hooks.calls)}"
        unsigned = client.wire("POST", b"/x", signature="x", oauth_nonce=nonce, **oauth).read()
        signature = _sign(unsigned.signature_base_string, hashes.SHA256())
        return client.wire("POST", b"/x", signature=signature, oauth_nonce=nonce, **oauth)

    from tests.provider.provider import fields, with_credentials

    client = Signer("rsa", signature_method="RSA-SHA256")
    temporary = with_credentials(client, provider.initiate(wire(client, oauth_callback=CALLBACK)))  # type: ignore[arg-type]
    verifier = provider.decide(temporary.token).verifier

    stolen = Signer("other", "other-secret").with_token(temporary.token or "", temporary.token_secret)
    assert provider.exchange(stolen.wire("POST", b"/x", oauth_verifier=verifier)).status_code == 401

    response = provider.exchange(wire(temporary, oauth_verifier=verifier))  # type: ignore[arg-type]
    assert response.status_code == 200
    assert "oauth_token_secret" in fields(response)
