"""With an RSA method, a refusal takes one RSA verification, whether or not the client exists and has a key."""

from __future__ import annotations

import base64
import sys
from types import FrameType
from typing import Any, Self

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from async_oauth1 import Client, OAuth1Request, Policy, ResourceProtector
from async_oauth1.errors import InvalidSignatureError
from async_oauth1.protocol.encoding import escape_text
from async_oauth1.stores import MemoryStore

METHODS = ("HMAC-SHA1", "RSA-SHA1", "RSA-SHA256")
SIGNATURE = escape_text(base64.b64encode(bytes(range(256))).decode())


@pytest.fixture(scope="module")
def public_key() -> str:
    """The public half of a key of 2,048 bits, in PEM."""
    key = rsa.generate_private_key(65_537, 2_048).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def request_of(client_id: str, method: str) -> OAuth1Request:
    """A request with a signature of the usual size, which is wrong."""
    header = (
        f'OAuth oauth_consumer_key="{client_id}", oauth_signature_method="{method}", oauth_timestamp="1700000000",'
        f' oauth_nonce="n", oauth_signature="{SIGNATURE}"'
    )
    fields = ((b"authorization", header.encode()),)
    return OAuth1Request("GET", scheme="https", host="photos.example", raw_path=b"/", headers=fields)


class Verifications:
    """Counts calls of ``verify`` that leave Python, while it is entered."""

    def __init__(self) -> None:
        self.count = 0

    def __enter__(self) -> Self:
        sys.setprofile(self._called)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def _called(self, _frame: FrameType, event: str, function: Any) -> None:
        self.count += event == "c_call" and function.__name__ == "verify"


@pytest.mark.parametrize("method", ["RSA-SHA1", "RSA-SHA256"])
@pytest.mark.parametrize("client_id", ["unknown", "with a key", "with a secret", "with neither", "disabled"])
async def test_a_refusal_takes_one_verification(public_key: str, method: str, client_id: str) -> None:
    """The answer is the same for all of them, and so is the work."""
    store = MemoryStore()
    for name, key, secret in (
        ("with a key", public_key, None),
        ("with a secret", None, "s"),
        ("with neither", None, None),
    ):
        await store.add_client(
            Client(client_id=name, client_secret=secret, rsa_public_key=key, signature_methods=METHODS)
        )
    await store.add_client(Client(client_id="disabled", rsa_public_key=public_key, signature_methods=METHODS))
    await store.disable_client("disabled")
    protector = ResourceProtector(Policy(signature_methods=METHODS), clock=lambda: 1_700_000_000)
    protector.register_hooks(store)
    with Verifications() as made, pytest.raises(InvalidSignatureError):
        await protector.validate_request(request_of(escape_text(client_id), method), two_legged=True)
    assert made.count == 1
