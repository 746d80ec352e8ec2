"""Sign any parameters whatever they are: what a client must not send, signed as if it were right."""

from __future__ import annotations

from collections.abc import Iterable

from async_oauth1.protocol.encoding import canonical_form, escape_text, split_pairs
from async_oauth1.protocol.signature import SIGNATURE_METHODS, SigningKeys, signature_base_string

from .signing import Message, Place, place_parameters

__all__ = ["base_string_anyhow", "sign_anyhow", "signature_anyhow"]

Pairs = list[tuple[str, str]]


def sign_anyhow(
    message: Message,
    pairs: Iterable[tuple[str, str]],
    keys: SigningKeys,
    *,
    algorithm: str = "HMAC-SHA1",
    place: Place = "header",
    realm: str | None = None,
) -> Message:
    """Sign a request without reading it, so that its parameters may be wrong, missing or repeated.

    Args:
        message: without protocol parameters.
        pairs: protocol parameters, without the signature.
        keys: of the client.
        algorithm: what it is signed by, whatever the parameters name.
        place: where the parameters stand.
        realm: for the Authorization header.
    """
    given: Pairs = list(pairs)
    signature = signature_anyhow(message, given, keys, algorithm=algorithm)
    return place_parameters(message, [*given, ("oauth_signature", signature)], place, realm)


def signature_anyhow(message: Message, pairs: Iterable[tuple[str, str]], keys: SigningKeys, *, algorithm: str) -> str:
    """The signature that `sign_anyhow` adds."""
    return SIGNATURE_METHODS[algorithm].sign(base_string_anyhow(message, pairs), keys)


def base_string_anyhow(message: Message, pairs: Iterable[tuple[str, str]], *, is_sorted: bool = True) -> str:
    """The base string that `sign_anyhow` signs (RFC 5849 section 3.4.1).

    Args:
        message: without protocol parameters.
        pairs: protocol parameters, without the signature.
        is_sorted: ``False`` to leave the parameters in the order of ``pairs``, query and form.
    """
    sent = message.query + (b"&" + message.body if message.has_form else b"")
    signed = [(escape_text(name), escape_text(value)) for name, value in pairs]
    signed += split_pairs(canonical_form(sent, max_parameters=1_000))
    uri = f"{message.scheme}://{message.host}{message.path.decode('latin-1')}"
    if is_sorted:
        return signature_base_string(message.method, uri, signed)
    joined = "&".join(f"{name}={value}" for name, value in signed)
    return f"{signature_base_string(message.method, uri, [])}{escape_text(joined)}"
