"""Decode percent-encoded octets and encode them again, in a few nanoseconds per octet for any input.

The functions of the standard library decode one escape at a time, and catch an exception for each malformed one
(``%zz``). At half a microsecond each, a form of 1 MiB could block the event loop for most of a second. Here every step
is one call for all octets. The decoder is the one for quoted-printable text, which uses ``=`` instead of ``%``.
"""

from __future__ import annotations

from binascii import a2b_qp

__all__ = ["recode"]

_UNRESERVED = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
_ESCAPED = [chr(octet) if octet in _UNRESERVED else f"%{octet:02X}" for octet in range(256)]
_RESERVED = [bytes([octet]) for octet in range(256) if octet not in _UNRESERVED]
# In long values with at most this many different octets to escape, one replacement for each is faster than a look-up
# for each octet.
_FEW = 4
_LONG = 4_096

# Replaces each octet by its kind: a percent sign, "h" for a hexadecimal digit, or NUL for any other.
_KINDS = bytes(
    octet if octet == b"%"[0] else b"h"[0] if octet in b"0123456789ABCDEFabcdef" else 0 for octet in range(256)
)
# Octets that can temporarily replace the percent sign of a malformed escape, after they were escaped themselves. The
# least frequent one is chosen.
_SPARES = [bytes([octet]) for octet in range(16)]
_PERCENT_TO_EQUALS = bytes.maketrans(b"%", b"=")


def recode(octets: bytes) -> str:
    """Decode a value, and encode it again as in RFC 5849 section 3.6.

    Args:
        octets: the value, with any percent-encoding. The octets of a malformed escape are kept.
    """
    return _escape(_unescape(octets) if b"%" in octets else octets)


def _escape(octets: bytes) -> str:
    if not octets.translate(None, _UNRESERVED):
        return octets.decode("ascii")
    present = [octet for octet in _RESERVED if octet in octets] if len(octets) > _LONG else _RESERVED
    if len(present) > _FEW:
        return "".join(map(_ESCAPED.__getitem__, octets))
    present.sort(key=b"%".__ne__)  # the percent sign first, because the other escapes contain it
    for octet in present:
        octets = octets.replace(octet, _ESCAPED[octet[0]].encode())
    return octets.decode("ascii")


def _unescape(octets: bytes) -> bytes:
    if b"%hh" not in octets.translate(_KINDS):
        return octets
    # The escaped octet is not a hexadecimal digit, so the percent signs before it keep their meaning.
    octets = _complete(octets.replace(b"=", b"%3D"))
    return a2b_qp(octets.translate(_PERCENT_TO_EQUALS))


def _complete(octets: bytes) -> bytes:
    """Replace each percent sign that does not start an escape with ``%25``."""
    if b"%" not in _without_escapes(octets):
        return octets
    spare = min(_SPARES, key=octets.count)
    octets = octets.replace(spare, b"%%%02X" % spare[0])
    broken = _without_escapes(octets)
    # XOR with this changes each remaining percent sign to the spare octet, and no other octet.
    difference = broken.translate(bytes.maketrans(b"%h", bytes([b"%"[0] ^ spare[0], 0])))
    return _xor(octets, difference).replace(spare, b"%25")


def _without_escapes(octets: bytes) -> bytes:
    """Return the kinds of the octets, with NULs for each escape."""
    return octets.translate(_KINDS).replace(b"%hh", b"\0\0\0")


def _xor(left: bytes, right: bytes) -> bytes:
    number = int.from_bytes(left, "little") ^ int.from_bytes(right, "little")
    return number.to_bytes(len(left), "little")
