"""Whether the signature of a request holds, whose client and credential have been looked up."""

from __future__ import annotations

import logging
from collections.abc import Callable

from async_oauth1.credentials import RSA_METHODS, Client, TokenCredential
from async_oauth1.errors import (
    InvalidSignatureError,
    OAuth1Error,
    UnsupportedSignatureMethodError,
    UnusableVerdictError,
)
from async_oauth1.protocol.request import OAuth1Request
from async_oauth1.protocol.rsa_keys import log_key_problem
from async_oauth1.protocol.signature import SIGNATURE_METHODS, SigningKeys
from async_oauth1.tolerances import EMPTY_CLIENT_SECRET

from .hooks import MaybeAwaitable, call_hook, optional
from .signing_keys import keys_of_models, keys_of_records

__all__ = [
    "DUMMY_CLIENT",
    "DUMMY_CREDENTIAL",
    "DUMMY_KEYS",
    "CustomVerifier",
    "compute_dummy_signature",
    "find_problem",
    "lacks_token_secret",
]

log = logging.getLogger("async_oauth1")

#: A custom method: verifies a request, and counts only if it returns ``True`` itself.
CustomVerifier = Callable[[OAuth1Request], MaybeAwaitable[bool]]

#: An unknown client costs what a known one does: these keys make the same computation, and match nothing.
DUMMY_KEYS = SigningKeys(client_secret="0" * 48, token_secret="0" * 48)
#: The records of these keys.
DUMMY_CLIENT = Client(client_id="0", client_secret=DUMMY_KEYS.client_secret)
DUMMY_CREDENTIAL = TokenCredential(
    oauth_token="0", oauth_token_secret=DUMMY_KEYS.token_secret, client_id=DUMMY_CLIENT.client_id, user_id="0"
)


async def find_problem(request: OAuth1Request, custom_verifier: CustomVerifier | None) -> OAuth1Error | None:
    """What is wrong with a signature; ``None`` if it holds.

    Args:
        request: with its client, its credential, and what is tolerated of the client.
        custom_verifier: of the request's signature method; ``None`` if the method is a shipped one.
    """
    client, credential = request.client, request.credential
    name = request.protocol_parameters.get("oauth_signature_method", "")
    if custom_verifier is not None:
        holds = await call_hook(custom_verifier, request)
        if not isinstance(holds, bool):
            return _unusable_verdict(request, holds)
        methods = await optional(client, "get_signature_methods")
    else:
        rsa, tolerances = name in RSA_METHODS, request.tolerances
        found = keys_of_records(client, credential, rsa=rsa, tolerances=tolerances)
        if found is None:
            found = await keys_of_models(client, credential, rsa=rsa, tolerances=tolerances)
        keys, methods = found
        if rsa:
            log_key_problem(request.client_id, keys[0].rsa_key)
        holds = request.is_signed_with(*keys)
        if not holds:
            request.tried_keys = tuple(keys)
        if keys[0].token_secret_suffices:
            request.tolerances_used = (*request.tolerances_used, EMPTY_CLIENT_SECRET)
    if methods is not None and name not in methods:
        return UnsupportedSignatureMethodError("The signature method is not enabled for this client.")
    return None if holds else InvalidSignatureError("The signature does not verify.")


def compute_dummy_signature(request: OAuth1Request) -> None:
    """Compute a signature for an unknown client that takes as long as that of a known one, and matches nothing."""
    method = SIGNATURE_METHODS.get(request.signature_method or "")
    if method is None:
        request.is_signed_by(SIGNATURE_METHODS["HMAC-SHA512"], DUMMY_KEYS)
    elif method.key_kind == "RSA key":
        request.is_signed_by(method, SigningKeys())
    elif found := keys_of_records(DUMMY_CLIENT, DUMMY_CREDENTIAL, rsa=False):
        keys, _ = found
        request.is_signed_with(*keys)


def lacks_token_secret(request: OAuth1Request) -> bool:
    """Whether the signature verifies with an empty token secret. It takes the same time for every refused exchange."""
    secrets = request.client.get_client_secrets() if type(request.client) is Client else ()
    return request.is_signed_with(SigningKeys(next(iter(secrets), DUMMY_KEYS.client_secret)))


def _unusable_verdict(request: OAuth1Request, verdict: object) -> UnusableVerdictError:
    description = (
        f"The verifier of the signature method {request.signature_method} returned {type(verdict).__name__} where True "
        "or False is wanted, so it accepts no signature. Let it compare the signature it computed with the request's "
        "own, by hmac.compare_digest, and return the outcome."
    )
    log.error(description)
    return UnusableVerdictError(description)
