"""Sign a form that a browser posts (RFC 5849 section 3.4), as launches and their answers are."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

from async_oauth1.protocol.encoding import canonical_form, escape_text, split_pairs
from async_oauth1.protocol.hosts import normalize_host
from async_oauth1.protocol.signature import SIGNATURE_METHODS, SigningKeys, signature_base_string

__all__ = ["sign_form"]


def sign_form(
    url: str,
    parameters: Mapping[str, str],
    key: str,
    secret: str,
    *,
    method: str = "HMAC-SHA1",
    now: float | None = None,
    nonce: str | None = None,
) -> dict[str, str]:
    """Sign a form.

    Args:
        url: where it is posted to; its query is signed, too, and stays in the URL.
        parameters: the fields, without those of OAuth.
        key: ``oauth_consumer_key``.
        secret: of the key.
        method: ``HMAC-SHA1`` or ``HMAC-SHA256``.
        now: Unix time in seconds; ``None`` for the present.
        nonce: ``None`` for a random one.

    Returns:
        The fields with the protocol parameters, the signature included.
    """
    parts = urlsplit(url)
    fields = {
        **parameters,
        "oauth_consumer_key": key,
        "oauth_nonce": nonce or secrets.token_hex(16),
        "oauth_signature_method": method,
        "oauth_timestamp": str(int(time.time() if now is None else now)),
        "oauth_version": "1.0",
        "oauth_callback": "about:blank",
    }
    uri = f"{parts.scheme}://{normalize_host(parts.netloc, parts.scheme)}{parts.path or '/'}"
    pairs = [(escape_text(name), escape_text(value)) for name, value in fields.items()]
    query = split_pairs(canonical_form(parts.query.encode(), max_parameters=1_000))
    signature = SIGNATURE_METHODS[method].sign(
        signature_base_string("POST", uri, [*query, *pairs]), SigningKeys(client_secret=secret)
    )
    return {**fields, "oauth_signature": signature}
