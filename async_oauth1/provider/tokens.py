"""Tokens, secrets and verifiers: random text from the operating system's generator (RFC 5849 section 4.10)."""

from __future__ import annotations

import secrets
import string

#: Characters of tokens, secrets and verifiers: 62, so 22 of them make 128 bits.
ALPHABET = string.ascii_letters + string.digits
#: What a resource owner types: no letters or digits that look like another.
OOB_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"

#: 128 bits, and what a request may carry.
TOKEN_LENGTHS = range(22, 256)

TOKEN_LENGTH = 42
TOKEN_SECRET_LENGTH = 48
VERIFIER_LENGTH = 36


def generate_token(length: int, alphabet: str = ALPHABET) -> str:
    """Random text from the operating system's generator (RFC 5849 section 4.10).

    Args:
        length: in characters; at least 22 for 128 bits.
        alphabet: the characters to draw from.
    """
    return "".join(secrets.choice(alphabet) for _ in range(length))


def generate_credentials() -> dict[str, str]:
    """A token and its secret, about 250 random bits each."""
    return {"oauth_token": generate_token(TOKEN_LENGTH), "oauth_token_secret": generate_token(TOKEN_SECRET_LENGTH)}
