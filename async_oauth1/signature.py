"""Signature methods and the base string (RFC 5849 section 3.4)."""

from .protocol.signature import (
    SIGNATURE_METHODS,
    HmacSignatureMethod,
    PlaintextSignatureMethod,
    RsaSignatureMethod,
    SignatureMethod,
    SigningKeys,
    signature_base_string,
)

__all__ = [
    "SIGNATURE_METHODS",
    "HmacSignatureMethod",
    "PlaintextSignatureMethod",
    "RsaSignatureMethod",
    "SignatureMethod",
    "SigningKeys",
    "signature_base_string",
]
