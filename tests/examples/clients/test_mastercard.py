"""Mastercard's own signers verify with the tolerance ``unescaped_body_hash``, and only with it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from oauth1.oauth import OAuth

from async_oauth1 import Client, OAuth1Error, OAuth1Request, Policy, ResourceProtector
from async_oauth1.provider.sync_driver import run_sync
from async_oauth1.stores import MemoryStore
from tests.keys import rsa_private_key

from .programs import TIMEOUT, install_npm_packages

#: As Mastercard's are made: with an exclamation mark.
CONSUMER_KEY = "aBcD123_-x!f3fb5c0ffee"
URL = "https://api.example.com/locations/v1/atms?Country=USA&PageLength=10"

PRIVATE_KEY = rsa_private_key()
PUBLIC_PEM = PRIVATE_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
Sign = Callable[[str, str, str], str]


@pytest.fixture(params=["python", "npm"])
def sign(request: pytest.FixtureRequest, tmp_path: Path) -> Sign:
    """Make the Authorization header of a method, a URL and a payload, with the real package."""
    if request.param == "python":
        return lambda method, url, payload: OAuth.get_authorization_header(
            url, method, payload, CONSUMER_KEY, PRIVATE_KEY
        )
    folder = install_npm_packages(request.config.cache.mkdir("npm-clients"))
    pem = tmp_path / "key.pem"
    pem.write_bytes(PRIVATE_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))

    def run(method: str, url: str, payload: str) -> str:
        command = ["node", "mastercard.js", method, url, payload, CONSUMER_KEY, str(pem)]
        return subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT, check=True
        ).stdout.strip()

    return run


def protector(*tolerances: str) -> ResourceProtector:
    """A resource protector that knows Mastercard's client."""
    made: ResourceProtector = ResourceProtector(Policy(signature_methods=("RSA-SHA256",)))
    store = MemoryStore()
    run_sync(store.add_client(Client(client_id=CONSUMER_KEY, rsa_public_key=PUBLIC_PEM, tolerances=tolerances)))
    made.register_hooks(store)
    return made


def request_of(header: str, method: str, url: str, payload: str) -> OAuth1Request:
    """The request as it arrives."""
    parts = urlsplit(url)
    return OAuth1Request(
        method,
        scheme=parts.scheme,
        host=parts.netloc,
        raw_path=parts.path.encode(),
        raw_query=parts.query.encode(),
        headers=[(b"authorization", header.encode()), (b"content-type", b"application/json")],
        body=payload.encode(),
    )


@pytest.mark.parametrize(
    ("method", "url", "payload"),
    [("GET", URL, ""), ("POST", URL, '{"a": "b + c/d=ä"}'), ("PUT", "https://api.example.com/v1/x", "{}")],
)
def test_the_real_signers(sign: Sign, method: str, url: str, payload: str) -> None:
    """Refused as invalid without the tolerance; accepted with it, unless anything that is signed is another."""
    header = sign(method, url, payload)
    with pytest.raises(OAuth1Error) as refused:
        run_sync(protector().validate_request(request_of(header, method, url, payload), two_legged=True))
    assert refused.value.error == "invalid_signature"
    tolerant = protector("unescaped_body_hash")
    for other in (
        request_of(header, "DELETE", url, payload),
        request_of(header, method, url + "&x=1" if "?" in url else url + "/", payload),
        request_of(header, method, url, payload + " "),
        request_of(header.replace('oauth_version="1.0"', 'oauth_note="1"'), method, url, payload),
    ):
        with pytest.raises(OAuth1Error) as refused:
            run_sync(tolerant.validate_request(other, two_legged=True))
        assert refused.value.error == "invalid_signature"
    verified = run_sync(tolerant.validate_request(request_of(header, method, url, payload), two_legged=True))
    assert verified.client.client_id == CONSUMER_KEY
    with pytest.raises(OAuth1Error) as refused:
        run_sync(tolerant.validate_request(request_of(header, method, url, payload), two_legged=True))
    assert refused.value.error == "invalid_nonce"
