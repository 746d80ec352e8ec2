"""Pure checks of a request, before anything is looked up (RFC 5849 sections 3.1 to 3.3).

Each names what is wrong to the client's author, and costs no more than reading the request did.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re

from async_oauth1.errors import (
    InvalidRequestError,
    InvalidSignatureError,
    MisdirectedRequestError,
    MissingRequiredParameterError,
    TimestampRefusedError,
    UnsignedRequestError,
)
from async_oauth1.policy import Policy
from async_oauth1.protocol.request import OAuth1Request

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# Section 3.3: "a positive integer". Twelve digits last until the year 33658, and fit wherever a store puts them.
_TIMESTAMP = re.compile(r"[1-9][0-9]{0,11}")
_MILLISECONDS = re.compile(r"[1-9][0-9]{12}")
_REQUIRED = ("oauth_consumer_key", "oauth_signature_method", "oauth_signature")
# The length of a digest tells the hash; the parameter's own draft knew SHA-1 alone.
_BODY_HASHES = {20: "sha1", 32: "sha256", 64: "sha512"}


def check_host(request: OAuth1Request, policy: Policy) -> None:
    """Refuse hosts that are not served, if the policy names those that are.

    Raises:
        MisdirectedRequestError: a host that is not served here.
    """
    if not _host_allowed(request.hostname, policy.allowed_hosts):
        raise MisdirectedRequestError()


def check_identifiers(request: OAuth1Request, policy: Policy) -> None:
    """Refuse identifiers that no store should see.

    Raises:
        InvalidRequestError: client identifier, token or nonce too long or with control characters.
    """
    parameters, limit = request.oauth_params, policy.max_identifier_bytes
    together = f"{parameters.get('oauth_consumer_key')}{parameters.get('oauth_token')}{parameters.get('oauth_nonce')}"
    if len(together) <= limit and together.isascii() and together.isprintable():
        return  # as nearly always: then each of them is all right
    for name in ("oauth_consumer_key", "oauth_token", "oauth_nonce"):
        value = parameters.get(name)
        if not value:
            continue
        if len(value) > limit or (not value.isascii() and len(value.encode()) > limit):
            raise InvalidRequestError(f'"{name}" is longer than {limit} bytes.')
        if not value.isprintable() and _CONTROL.search(value):
            raise InvalidRequestError(f'"{name}" contains a control character.')


def check_header_parameters(request: OAuth1Request, policy: Policy) -> None:
    """Refuse parameters in the Authorization header that are not the protocol's.

    The base string does not say where a parameter was (section 3.4.1.3.2). Moved from the query or the form into the
    header it would still verify, and the view would not see it: ``DELETE /photos?id=5`` would be ``DELETE /photos``.

    Raises:
        InvalidRequestError: there is one, and the policy does not tolerate it.
    """
    names = request.other_header_parameters
    if names and "other_header_parameters" not in policy.tolerances:
        raise InvalidRequestError(
            f"The Authorization header has the parameter {names[0][:100]!a}, which does not begin with oauth_. "
            "Send it in the query or in a form, where the application sees it. For clients that cannot be changed the "
            'provider can set the tolerance "other_header_parameters".'
        )


def check_protocol_parameters(request: OAuth1Request, policy: Policy) -> None:
    """Section 3.1: the required parameters are there, and the version is the one there is.

    Raises:
        UnsignedRequestError: no OAuth parameters at all.
        MissingRequiredParameterError: one of them is missing or empty.
        InvalidRequestError: a malformed identifier or version, or another parameter in the Authorization header.
    """
    parameters = request.oauth_params
    if not parameters:
        raise UnsignedRequestError()
    for name in _REQUIRED:
        if not parameters.get(name):
            raise MissingRequiredParameterError(name)
    check_identifiers(request, policy)
    if request.has_other_header_parameters:
        check_header_parameters(request, policy)
    if "oauth_version" in parameters:
        check_version(request)


def check_version(request: OAuth1Request) -> None:
    """Section 3.1: the version is the one there is.

    Raises:
        InvalidRequestError: another version.
    """
    if request.oauth_params.get("oauth_version", "1.0") != "1.0":
        raise InvalidRequestError('"oauth_version" must be "1.0" where it is sent.')


def check_timestamp(request: OAuth1Request, policy: Policy, now: float) -> None:
    """Section 3.3: the timestamp is present, a positive integer, and near the server's time.

    PLAINTEXT may omit both timestamp and nonce.

    Raises:
        MissingRequiredParameterError: timestamp or nonce is missing.
        InvalidRequestError: the timestamp is no positive integer of seconds.
        TimestampRefusedError: it lies outside the window.
    """
    timestamp = request.oauth_params.get("oauth_timestamp")
    if timestamp and request.oauth_params.get("oauth_nonce"):
        check_timestamp_window(timestamp, policy.timestamp_window, now)
    elif not omits_timestamp(request):
        raise MissingRequiredParameterError("oauth_nonce" if timestamp else "oauth_timestamp")


def omits_timestamp(request: OAuth1Request) -> bool:
    """Whether the request has neither timestamp nor nonce, and need not."""
    return request.signature_method == "PLAINTEXT" and request.timestamp is None and request.nonce is None


def check_timestamp_window(timestamp: str, window: int, now: float) -> None:
    """A positive integer, at most ``window`` seconds away from the server's time.

    Raises:
        InvalidRequestError: the timestamp is no positive integer of seconds.
        TimestampRefusedError: it lies outside the window.
    """
    if not _TIMESTAMP.fullmatch(timestamp):
        if _MILLISECONDS.fullmatch(timestamp):
            raise InvalidRequestError('"oauth_timestamp" looks like milliseconds; it counts seconds since 1970.')
        raise InvalidRequestError('"oauth_timestamp" is not a positive whole number of seconds since 1970.')
    if abs(int(timestamp) - now) > window:
        raise outside_window(window, now)


def outside_window(window: int, now: float) -> TimestampRefusedError:
    """What is raised for a timestamp that is more than ``window`` seconds away from the server's time."""
    return TimestampRefusedError(
        f'"oauth_timestamp" is more than {window} seconds away from this server\'s time, which is {int(now)}.'
    )


def check_body_hash(request: OAuth1Request, body: bytes) -> None:
    """Compare ``oauth_body_hash`` with the body.

    Raises:
        InvalidRequestError: it is no hash at all.
        InvalidSignatureError: it is not the hash of this body.
    """
    try:
        claimed = base64.b64decode(request.oauth_params.get("oauth_body_hash", ""), validate=True)
    except (binascii.Error, ValueError):
        claimed = b""
    algorithm = _BODY_HASHES.get(len(claimed))
    if algorithm is None:
        raise InvalidRequestError('"oauth_body_hash" is not the Base64 of a SHA-1, SHA-256 or SHA-512 hash.')
    if not hmac.compare_digest(hashlib.new(algorithm, body, usedforsecurity=False).digest(), claimed):
        raise InvalidSignatureError('"oauth_body_hash" is not the hash of the body that arrived.')


def _host_allowed(hostname: str, allowed: tuple[str, ...]) -> bool:
    name = hostname.removesuffix(".")
    return any(
        name.endswith(pattern[1:].lower()) if pattern.startswith("*.") else name == pattern.strip("[]").lower()
        for pattern in allowed
    )
