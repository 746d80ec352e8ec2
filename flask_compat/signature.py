"""The names of ``authlib.oauth1.rfc5849.signature``, for custom verifiers.

The functions that compute are Authlib's. Those that verify are the core's, and never raise, whatever the signature is.
"""

# Authlib's stubs leave the parameters of these functions without types.
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from authlib.oauth1.rfc5849.signature import (
    SIGNATURE_HMAC_SHA1,
    SIGNATURE_PLAINTEXT,
    SIGNATURE_RSA_SHA1,
    SIGNATURE_TYPE_BODY,
    SIGNATURE_TYPE_HEADER,
    SIGNATURE_TYPE_QUERY,
    construct_base_string,
    hmac_sha1_signature,
    normalize_base_string_uri,
    normalize_parameters,
    plaintext_signature,
    rsa_sha1_signature,
    sign_hmac_sha1,
    sign_plaintext,
    sign_rsa_sha1,
)
from authlib.oauth1.rfc5849.signature import generate_signature_base_string as _authlib_base_string

from async_oauth1.protocol.encoding import as_text
from async_oauth1.protocol.lenient_forms import tidy_base64
from async_oauth1.protocol.request import OAuth1Request
from async_oauth1.signature import SIGNATURE_METHODS, SignatureMethod, SigningKeys

__all__ = [
    "SIGNATURE_HMAC_SHA1",
    "SIGNATURE_PLAINTEXT",
    "SIGNATURE_RSA_SHA1",
    "SIGNATURE_TYPE_BODY",
    "SIGNATURE_TYPE_HEADER",
    "SIGNATURE_TYPE_QUERY",
    "VERIFIERS",
    "construct_base_string",
    "generate_signature_base_string",
    "hmac_sha1_signature",
    "normalize_base_string_uri",
    "normalize_parameters",
    "plaintext_signature",
    "rsa_sha1_signature",
    "sign_hmac_sha1",
    "sign_plaintext",
    "sign_rsa_sha1",
    "verify_hmac_sha1",
    "verify_plaintext",
    "verify_rsa_sha1",
]

Verifier = Callable[[Any], Any]


def generate_signature_base_string(request: object) -> str:
    """The signature base string, built from the octets on the wire if the request was read from there."""
    if isinstance(request, OAuth1Request):
        return request.signature_base_string
    base_string: str = _authlib_base_string(request)
    return base_string


def _verifier(method: SignatureMethod) -> Verifier:
    def verify(request: Any) -> bool:
        base_string = generate_signature_base_string(request)
        if method.key_kind == "RSA key":  # Authlib skips line breaks there
            keys = SigningKeys(rsa_key=request.rsa_public_key)
            return method.verify(base_string, tidy_base64(request.signature or ""), keys)
        keys = SigningKeys(as_text(request.client_secret or ""), as_text(request.token_secret or ""))
        return method.verify(base_string, request.signature or "", keys)

    verify.__name__ = verify.__qualname__ = f"verify_{method.name.lower().replace('-', '_')}"
    verify.__doc__ = f"Whether a request's {method.name} signature holds; without a key it never does."
    return verify


#: The verifiers of the methods that are shipped, by name.
VERIFIERS: Mapping[str, Verifier] = MappingProxyType(
    {name: _verifier(method) for name, method in SIGNATURE_METHODS.items()}
)
verify_hmac_sha1 = VERIFIERS[SIGNATURE_HMAC_SHA1]
verify_rsa_sha1 = VERIFIERS[SIGNATURE_RSA_SHA1]
verify_plaintext = VERIFIERS[SIGNATURE_PLAINTEXT]
