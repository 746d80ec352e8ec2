"""Tokens, secrets and verifiers: random text from the operating system's generator (RFC 5849 section 4.10)."""

from __future__ import annotations

import secrets
import string

#: Characters of tokens, secrets and verifiers: 62, so 22 of them make 128 bits.
ALPHABET = string.ascii_letters + string.digits
#: Characters of codes that a resource owner types, without letters and digits that look alike.
OOB_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"

#: The allowed lengths in characters, from 128 bits up to the longest identifier in a request.
TOKEN_LENGTHS = range(22, 256)

TOKEN_LENGTH = 42
TOKEN_SECRET_LENGTH = 48
VERIFIER_LENGTH = 36


def generate_token(length: int, alphabet: str = ALPHABET) -> str:
    """Generate random text (RFC 5849 section 4.10).

    Args:
        length: the number of characters; at least 22 for 128 bits.
        alphabet: the characters to choose from.
    """
    return "".join(secrets.choice(alphabet) for _ in range(length))


def generate_credentials() -> dict[str, str]:
    """Generate a token and its secret, with 250 and 285 random bits."""
    return {"oauth_token": generate_token(TOKEN_LENGTH), "oauth_token_secret": generate_token(TOKEN_SECRET_LENGTH)}
