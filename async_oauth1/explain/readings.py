"""The signature that arrived, in every way that it can be read; a candidate is compared with all by one look-up."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import unquote

from async_oauth1.credentials import RSA_METHODS
from async_oauth1.protocol.rsa_keys import public_key

from .changes import Cause
from .plan import Plan

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

__all__ = ["Readings"]

_HEXADECIMAL = re.compile(r"(?:[0-9a-fA-F]{2})+")
#: Octets of each digest.
_LENGTHS = {"SHA1": 20, "SHA256": 32, "SHA512": 64}
_FIX = "Send the signature as Base64 with + / and =, percent-encoded once."


class Readings:
    """What a signature may mean, by what it would have to be equal to.

    Attributes:
        octets: each reading as octets, with its cause; ``None`` for the proper one.
        texts: each reading as a PLAINTEXT signature.
        digests: hash name and digest that the RSA signature holds, with its cause.
    """

    def __init__(self, signature: str, *, in_header: bool, rsa_public_key: str | None) -> None:
        """Read the signature.

        Args:
            signature: decoded once, as the protocol parameter has it.
            in_header: it was in the Authorization header, where ``+`` is no space.
            rsa_public_key: of the client, PEM.
        """
        self.octets: dict[bytes, Cause | None] = {}
        self.texts: dict[str, Cause | None] = {}
        self.digests: dict[tuple[str, bytes], Cause | None] = {}
        if not in_header:
            self._add(signature.replace(" ", "+"), None)
        self._add(signature, None)
        for text, how in _texts(signature, in_header=in_header):
            self._add(text, _cause(how))
        self._lengths = frozenset(map(len, self.octets))
        key = public_key(rsa_public_key) if rsa_public_key else None
        if key is not None:
            self._recover(key)

    def can_be_of(self, algorithm: str) -> bool:
        """Whether the signature can be one of this signature method, by its length."""
        if algorithm == "PLAINTEXT":
            return True
        kind, _, name = algorithm.partition("-")
        if kind == "RSA":
            return any(digest_name == name.lower() for digest_name, _ in self.digests)
        return kind == "HMAC" and _LENGTHS.get(name) in self._lengths

    @staticmethod
    def candidate(plan: Plan) -> tuple[str, ...]:
        """What decides the signature of a plan."""
        if plan.algorithm == "PLAINTEXT":
            return (plan.algorithm, plan.key.rendered)
        key = () if plan.algorithm in RSA_METHODS else (plan.key.rendered,)
        return (plan.algorithm, *key, plan.method, plan.uri.rendered, plan.parameters.rendered)

    def compare(self, plan: Plan, octets: bytes) -> tuple[bool, Cause | None]:
        """Whether a plan makes this signature.

        Args:
            plan: of a method for which `can_be_of` holds.
            octets: its base string.

        Returns:
            Whether it does, and what is wrong with the way the signature is written.
        """
        if plan.algorithm == "PLAINTEXT":
            text = plan.key.rendered.encode("latin-1").decode("utf-8", "replace")
            return text in self.texts, self.texts.get(text)
        kind, _, name = plan.algorithm.partition("-")
        if kind == "RSA":
            digest = (name.lower(), hashlib.new(name.lower(), octets, usedforsecurity=False).digest())
            return digest in self.digests, self.digests.get(digest)
        mac = hmac.digest(plan.key.rendered.encode("latin-1"), octets, name.lower())
        return mac in self.octets, self.octets.get(mac)

    def _add(self, text: str, cause: Cause | None) -> None:
        self.texts.setdefault(text, cause)
        for octets, how in _octets(text):
            self.octets.setdefault(octets, cause if how is None else _cause(how))

    def _recover(self, key: RSAPublicKey) -> None:
        """Take the digest out of the signature, once."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

        for octets, cause in self.octets.items():
            for name in ("SHA1", "SHA256", "SHA512"):
                try:
                    digest = key.recover_data_from_signature(octets, PKCS1v15(), getattr(hashes, name)())
                except (InvalidSignature, ValueError):
                    continue
                self.digests.setdefault((name.lower(), digest), cause)


def _cause(how: str) -> Cause:
    return Cause("signature_encoding", f"The client sent the signature {how}.", _FIX)


def _texts(signature: str, *, in_header: bool) -> Iterator[tuple[str, str]]:
    yield signature.strip(), "with a blank or a line end at its edge"
    yield "".join(signature.split()), "with a line break"
    unquoted = unquote(signature)
    if unquoted != signature:
        yield unquoted, "escaped twice"
        yield unquote(unquoted), "escaped three times"
    yield signature.replace(" ", "+"), "with + turned into a space" if in_header else "with + unescaped"
    yield f"{signature}{'=' * (-len(signature) % 4)}", "without its = at the end"
    yield signature.strip('"'), "in quotes"


def _octets(text: str) -> Iterator[tuple[bytes, str | None]]:
    with_padding = f"{text.rstrip('=')}{'=' * (-len(text.rstrip('=')) % 4)}"
    yield from ((octets, None) for octets in _decoded(text))
    if text != with_padding:
        yield from ((octets, "without its = at the end") for octets in _decoded(with_padding))
    if "-" in text or "_" in text:
        translated = with_padding.translate(str.maketrans("-_", "+/"))
        yield from ((octets, "in URL-safe Base64") for octets in _decoded(translated))
    if _HEXADECIMAL.fullmatch(text):
        yield bytes.fromhex(text), "in hexadecimal"
    for octets in _decoded(with_padding):
        inner = octets.decode("latin-1").strip()
        if _HEXADECIMAL.fullmatch(inner):
            yield bytes.fromhex(inner), "as the Base64 of its hexadecimal digest"
        else:
            yield from ((twice, "in Base64 twice") for twice in _decoded(inner))


def _decoded(text: str) -> Iterator[bytes]:
    try:
        octets = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return
    if octets:
        yield octets
