"""Verifiers to compare: this project, Authlib, oauthlib and the bare cryptographic primitive.

Each contestant is made for one `Case`, and is a function without arguments that returns whether the request is genuine.
There are no look-ups: client and token are constants, and every nonce is new. Each library gets the request in the form
that its documentation asks for, prepared beforehand, and is configured as its documentation says.
"""

from __future__ import annotations

import hmac
import time
from base64 import b64decode
from binascii import b2a_base64
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from async_oauth1 import OAuth1Request, Policy, ResourceProtector, native
from async_oauth1.asgi import request_from_scope
from async_oauth1.credentials import Client, TokenCredential
from async_oauth1.errors import OAuth1Error
from async_oauth1.provider.lane.steps import Lane
from async_oauth1.provider.sync_driver import run_sync
from async_oauth1.signature import SIGNATURE_METHODS, SigningKeys

__all__ = ["CASES", "CONTESTANTS", "IN_PYTHON", "OURS", "WHOLE_FLOW", "Case", "make_case", "tampered"]

HOST = "photos.example.net"
SECRET, TOKEN, TOKEN_SECRET = "kd94hf93k423kf44pfkkdhi9", "nnch734d00sl2jdknnch734d", "pfkkdhi9sl3r4s00pfkkdhi9"
CLIENT_ID, NONCE = "dpf43f3p2l4k3l03kd94hf93", "kllo9940pd9333jhkllo9940"
OURS, WHOLE_FLOW = "async-oauth1", "async-oauth1, whole flow with plain hooks"
IN_PYTHON = "async-oauth1, without the native reader"

Verify = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Case:
    """One signed request in raw parts, and what it was signed with.

    Attributes:
        name: as in the results.
        title: as in the tables.
        signature_method: ``HMAC-SHA1`` or ``RSA-SHA1``.
        method: of HTTP.
        path: as sent.
        query: as sent.
        headers: as an ASGI server passes them on.
        body: as sent.
        base_string: of the whole request.
        signature: not percent-encoded.
        keys: the secrets, and the public key for RSA.
    """

    name: str
    title: str
    signature_method: str
    method: str
    path: str
    query: str
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    base_string: str
    signature: str
    keys: SigningKeys

    @property
    def uri(self) -> str:
        """The whole URI, as frameworks have it."""
        return f"https://{HOST}{self.path}" + (f"?{self.query}" if self.query else "")


@lru_cache
def _rsa_keys() -> tuple[str, str]:
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private.decode(), key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def _urlencoded(pairs: list[tuple[str, str]]) -> str:
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)


_FORM = [(f"field{number}", f"value of field {number}, with a comma") for number in range(20)]
_RFC_QUERY = [("file", "vacation.jpg"), ("size", "original")]

# name: title, signature method, place of the signature, query, form
_SHAPES: dict[str, tuple[str, str, str, list[tuple[str, str]], list[tuple[str, str]]]] = {
    "header": ("GET, signature in the header, 2 query parameters", "HMAC-SHA1", "header", _RFC_QUERY, []),
    "query": ("GET, signature in the query beside 2 parameters", "HMAC-SHA1", "query", _RFC_QUERY, []),
    "form": ("POST, signature in the header, form of 20 fields", "HMAC-SHA1", "header", [], _FORM),
    "rsa": ("GET, RSA-SHA1 (2048 bits) in the header, 2 query parameters", "RSA-SHA1", "header", _RFC_QUERY, []),
}
CASES = tuple(_SHAPES)


def make_case(name: str, *, more: int = 0) -> Case:
    """Sign a request with the current time.

    Args:
        name: one of `CASES`.
        more: number of parameters to add to the query.
    """
    title, signature_method, place, query, form = _SHAPES[name]
    query = query + [(f"more{number}", f"value {number}") for number in range(more)]
    private, public = _rsa_keys() if signature_method == "RSA-SHA1" else (None, None)
    protocol = [
        ("oauth_consumer_key", CLIENT_ID),
        ("oauth_token", TOKEN),
        ("oauth_signature_method", signature_method),
        ("oauth_timestamp", str(int(time.time()))),
        ("oauth_nonce", NONCE),
        ("oauth_version", "1.0"),
    ]
    path = "/photos"
    unsigned = OAuth1Request(
        "POST" if form else "GET",
        scheme="https",
        host=HOST,
        raw_path=path.encode(),
        raw_query=_urlencoded(query + protocol).encode(),
        headers=[(b"content-type", b"application/x-www-form-urlencoded")] if form else [],
        body=_urlencoded(form).encode(),
    )
    keys = SigningKeys(SECRET, TOKEN_SECRET, private)
    signature = SIGNATURE_METHODS[signature_method].sign(unsigned.signature_base_string, keys)
    protocol.append(("oauth_signature", signature))
    headers = [(b"host", HOST.encode()), (b"user-agent", b"printer/1.0"), (b"accept", b"*/*")]
    if place == "header":
        fields = ", ".join(f'{key}="{quote(value, safe="")}"' for key, value in protocol)
        headers.append((b"authorization", f'OAuth realm="Photos", {fields}'.encode()))
    else:
        query = query + protocol
    body = _urlencoded(form).encode()
    if form:
        length = str(len(body)).encode()
        headers += [(b"content-type", b"application/x-www-form-urlencoded"), (b"content-length", length)]
    return Case(
        name=name,
        title=title,
        signature_method=signature_method,
        method=unsigned.method,
        path=path,
        query=_urlencoded(query),
        headers=tuple(headers),
        body=body,
        base_string=unsigned.signature_base_string,
        signature=signature,
        keys=keys._replace(rsa_key=public),
    )


def tampered(case: Case) -> Case:
    """The same request with another path, so that its signature is wrong."""
    return replace(case, path="/photographs", base_string=case.base_string.replace("photos&", "photographs&"))


# This project -------------------------------------------------------------------------------------------------------


def _our_records(case: Case) -> tuple[Client, TokenCredential, Policy]:
    public_key = case.keys.rsa_key if isinstance(case.keys.rsa_key, str) else None
    client = Client(client_id=CLIENT_ID, client_secret=SECRET, rsa_public_key=public_key)
    token = TokenCredential(oauth_token=TOKEN, oauth_token_secret=TOKEN_SECRET, client_id=CLIENT_ID, user_id="jane")
    return client, token, Policy(signature_methods=(case.signature_method,))


def _our_scope(case: Case) -> dict[str, Any]:
    return {
        "type": "http",
        "method": case.method,
        "scheme": "https",
        "path": case.path,
        "raw_path": case.path.encode(),
        "query_string": case.query.encode(),
        "headers": [*case.headers],
        "client": ("192.0.2.1", 1234),
    }


def ours(case: Case) -> Verify:
    """Parsing, checks and signature, with constant keys: as the lane does it, or the general path for RSA."""
    policy, scope, body = Policy(signature_methods=(case.signature_method,)), _our_scope(case), case.body
    return _our_verify(case, policy, lambda: request_from_scope(scope, policy, body))


def ours_in_python(case: Case) -> Verify:
    """The same without the native reader, from the parts of the request."""
    policy = Policy(signature_methods=(case.signature_method,))
    parts: dict[str, Any] = {
        "method": case.method,
        "scheme": "https",
        "host": HOST,
        "raw_path": case.path.encode(),
        "raw_query": case.query.encode(),
        "headers": case.headers,
        "body": case.body,
        "peer": "192.0.2.1",
    }
    verify, read, read_scope = _our_verify(case, policy, lambda: OAuth1Request(**parts)), native.read, native.read_scope
    nothing = _constant(None)

    def verify_in_python() -> bool:
        native.read = native.read_scope = nothing
        try:
            return verify()
        finally:
            native.read, native.read_scope = read, read_scope

    return verify_in_python


def _our_verify(case: Case, policy: Policy, read: Callable[[], OAuth1Request]) -> Verify:
    never = _constant(None)
    protector = ResourceProtector(policy, query_client=never, query_token=never, exists_nonce=never)
    keys, method = case.keys, SIGNATURE_METHODS[case.signature_method]
    clock, admits = protector.clock, Lane(protector.hooks).admits
    two_legged = body_hash_required = False

    def verify() -> bool:
        try:
            request = read()
        except OAuth1Error:
            return False
        is_usual = admits(request, policy, clock(), two_legged, body_hash_required)
        return is_usual and request.is_signed_by(method, keys)

    def verify_generally() -> bool:
        try:
            request = read()
            protector.check_request(request)
        except OAuth1Error:
            return False
        return request.is_signed_with(keys)

    return verify_generally if case.signature_method == "RSA-SHA1" else verify


def our_whole_flow(case: Case) -> Verify:
    """The whole flow, with plain functions as hooks."""
    client, token, policy = _our_records(case)
    scope, body = _our_scope(case), case.body
    hooks = {"query_client": client, "query_token": token, "exists_nonce": False}
    protector = ResourceProtector(policy, **{name: _constant(value) for name, value in hooks.items()})

    def verify() -> bool:
        try:
            run_sync(protector.validate_request(request_from_scope(scope, policy, body)))
        except OAuth1Error:
            return False
        return True

    return verify


def _constant(value: Any) -> Callable[..., Any]:
    return lambda *_: value


# Its peers ----------------------------------------------------------------------------------------------------------


def _header_texts(case: Case) -> dict[str, str]:
    return {name.decode().title(): value.decode() for name, value in case.headers}


def authlib(case: Case) -> Verify:
    """Authlib's resource protector, with look-ups that return constants."""
    from authlib.oauth1 import ClientMixin, ResourceProtector, TokenCredentialMixin
    from authlib.oauth1.errors import OAuth1Error

    class Known(ClientMixin, TokenCredentialMixin):
        def get_client_secret(self) -> str:
            return SECRET

        def get_rsa_public_key(self) -> Any:
            return case.keys.rsa_key

        def get_oauth_token_secret(self) -> str:
            return TOKEN_SECRET

    known = Known()

    class Protector(ResourceProtector):
        SUPPORTED_SIGNATURE_METHODS = [case.signature_method]  # noqa: RUF012 - as Authlib's own

        def get_client_by_id(self, client_id: str) -> Known:
            return known

        def get_token_credential(self, request: Any) -> Known:
            return known

        def exists_nonce(self, nonce: str, request: Any) -> bool:
            return False

    protector, headers = Protector(), _header_texts(case)
    uri, body = case.uri, case.body.decode() or None

    def verify() -> bool:
        try:
            protector.validate_request(case.method, uri, body, headers)
        except OAuth1Error:
            return False
        return True

    return verify


def oauthlib(case: Case) -> Verify:
    """Oauthlib's resource endpoint, with a validator that returns constants."""
    from oauthlib.oauth1 import RequestValidator, ResourceEndpoint

    def yes(*_: Any, **__: Any) -> bool:
        return True

    answers = {
        **dict.fromkeys(("validate_client_key", "validate_access_token", "validate_realms"), yes),
        "validate_timestamp_and_nonce": yes,
        "get_client_secret": _constant(SECRET),
        "get_access_token_secret": _constant(TOKEN_SECRET),
        "get_rsa_key": _constant(case.keys.rsa_key),
    }
    validator: Any = type("Validator", (RequestValidator,), answers)()
    endpoint, headers = ResourceEndpoint(validator), _header_texts(case)
    uri, body = case.uri, case.body.decode()

    def verify() -> bool:
        return bool(endpoint.validate_protected_resource_request(uri, case.method, body, headers)[0])

    return verify


def primitive(case: Case) -> Verify:
    """Only the cryptographic primitive, with the base string and the keys given."""
    base, signature = case.base_string.encode(), case.signature.encode()
    if case.signature_method == "RSA-SHA1":
        return _rsa_primitive(case)
    key = f"{SECRET}&{TOKEN_SECRET}".encode()

    def verify() -> bool:
        return hmac.compare_digest(b2a_base64(hmac.digest(key, base, "sha1"), newline=False), signature)

    return verify


def _rsa_primitive(case: Case) -> Verify:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA1
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    base, signature = case.base_string.encode(), case.signature.encode()
    key: Any = load_pem_public_key(str(case.keys.rsa_key).encode())

    def verify() -> bool:
        try:
            key.verify(b64decode(signature), base, PKCS1v15(), SHA1())  # noqa: S303 - the RFC's
        except InvalidSignature:
            return False
        return True

    return verify


#: By their names in the tables.
CONTESTANTS: dict[str, Callable[[Case], Verify]] = {
    OURS: ours,
    IN_PYTHON: ours_in_python,
    "Authlib": authlib,
    "oauthlib": oauthlib,
    "bare primitive": primitive,
    WHOLE_FLOW: our_whole_flow,
}
