"""Decoding and encoding percent-encoded octets, at a few nanoseconds per octet whatever they are.

Python's own functions handle escapes one at a time, and a broken one (``%zz``) costs a caught exception: half a
microsecond each, so a form of 1 MiB could hold the event loop for most of a second. Here every step is one call over
all octets. The decoder is the one for quoted-printable text, which has an equals sign instead of the percent sign.
"""

from __future__ import annotations

from binascii import a2b_qp

__all__ = ["recode"]

_UNRESERVED = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
_ESCAPED = [chr(octet) if octet in _UNRESERVED else f"%{octet:02X}" for octet in range(256)]
_RESERVED = [bytes([octet]) for octet in range(256) if octet not in _UNRESERVED]
# In long values, up to so many different octets are escaped by one replacement each: faster than a look-up per octet.
_FEW = 4
_LONG = 4_096

# Percent signs, hexadecimal digits and the rest, told apart.
_KINDS = bytes(
    octet if octet == b"%"[0] else b"h"[0] if octet in b"0123456789ABCDEFabcdef" else 0 for octet in range(256)
)
# Octets that may stand for a broken escape for a moment, once they are escaped themselves. One of 16 is rare.
_SPARES = [bytes([octet]) for octet in range(16)]
_PERCENT_TO_EQUALS = bytes.maketrans(b"%", b"=")


def recode(octets: bytes) -> str:
    """Decode a value and encode it as RFC 5849 section 3.6 says.

    Args:
        octets: percent-encoded by any rules. A malformed escape stands for itself.
    """
    return _escape(_unescape(octets) if b"%" in octets else octets)


def _escape(octets: bytes) -> str:
    if not octets.translate(None, _UNRESERVED):
        return octets.decode("ascii")
    present = [octet for octet in _RESERVED if octet in octets] if len(octets) > _LONG else _RESERVED
    if len(present) > _FEW:
        return "".join(map(_ESCAPED.__getitem__, octets))
    present.sort(key=b"%".__ne__)  # the percent sign first: the others bring more of them
    for octet in present:
        octets = octets.replace(octet, _ESCAPED[octet[0]].encode())
    return octets.decode("ascii")


def _unescape(octets: bytes) -> bytes:
    if b"%hh" not in octets.translate(_KINDS):
        return octets
    # An octet that becomes an escape is no hexadecimal digit, so no escape in front of it begins or ceases to be one.
    octets = _complete(octets.replace(b"=", b"%3D"))
    return a2b_qp(octets.translate(_PERCENT_TO_EQUALS))


def _complete(octets: bytes) -> bytes:
    """Write each percent sign that begins no escape as ``%25``."""
    if b"%" not in _without_escapes(octets):
        return octets
    spare = min(_SPARES, key=octets.count)
    octets = octets.replace(spare, b"%%%02X" % spare[0])
    broken = _without_escapes(octets)
    # "%" XOR this is the spare octet for each percent sign that is left. Nothing else changes.
    difference = broken.translate(bytes.maketrans(b"%h", bytes([b"%"[0] ^ spare[0], 0])))
    return _xor(octets, difference).replace(spare, b"%25")


def _without_escapes(octets: bytes) -> bytes:
    """The kinds of octets, with nothing in the place of each escape."""
    return octets.translate(_KINDS).replace(b"%hh", b"\0\0\0")


def _xor(left: bytes, right: bytes) -> bytes:
    number = int.from_bytes(left, "little") ^ int.from_bytes(right, "little")
    return number.to_bytes(len(left), "little")
