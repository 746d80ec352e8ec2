"""Checks of a request that need no look-up (RFC 5849 sections 3.1 to 3.3).

Their errors tell the client's author what is wrong. No check takes longer than reading the request.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import math
import re
from collections.abc import Sequence
from typing import Any, cast

from async_oauth1.errors import (
    InvalidRequestError,
    InvalidSignatureError,
    MisdirectedRequestError,
    MissingRequiredParameterError,
    TimestampRefusedError,
    UnsignedRequestError,
)
from async_oauth1.policy import Policy
from async_oauth1.protocol.authorization_header import other_names
from async_oauth1.protocol.callbacks import callback_matches
from async_oauth1.protocol.request import OAuth1Request
from async_oauth1.tolerances import OTHER_HEADER_PARAMETERS, TIMESTAMP_WINDOW, VERSION_1_0A

from .responses import with_problem

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# Section 3.3: "a positive integer". Twelve digits are enough until the year 33658, and fit into every store.
_TIMESTAMP = re.compile(r"[1-9][0-9]{0,11}")
_MILLISECONDS = re.compile(r"[1-9][0-9]{12}")
# What some clients send in place of "1.0", and may be tolerated.
_VERSIONS_1_0A = ("1.0a", "1.0A")
_REQUIRED = ("oauth_consumer_key", "oauth_signature_method", "oauth_signature")
_AGAINST_REPLAY = ("oauth_timestamp", "oauth_nonce")
#: The hash by the length of its digest; the draft that defines oauth_body_hash has only SHA-1.
BODY_HASHES = {20: "sha1", 32: "sha256", 64: "sha512"}


def check_host(request: OAuth1Request, policy: Policy) -> None:
    """Check that the policy allows the host.

    Raises:
        MisdirectedRequestError: the host is not in the policy's ``allowed_hosts``.
    """
    if not host_allowed(request.hostname, policy.allowed_hosts):
        raise MisdirectedRequestError()


def check_identifiers(request: OAuth1Request, policy: Policy) -> None:
    """Check client identifier, token and nonce before a store is called with them.

    Raises:
        InvalidRequestError: one of them is too long or contains a control character.
    """
    parameters, limit = request.protocol_parameters, policy.max_identifier_bytes
    together = f"{parameters.get('oauth_consumer_key')}{parameters.get('oauth_token')}{parameters.get('oauth_nonce')}"
    if len(together) <= limit and together.isascii() and together.isprintable():
        return  # the usual case: all three are valid
    for name in ("oauth_consumer_key", "oauth_token", "oauth_nonce"):
        value = parameters.get(name)
        if not value:
            continue
        if len(value) > limit or (not value.isascii() and len(value.encode()) > limit):
            raise InvalidRequestError(f'"{name}" is longer than {limit} bytes.')
        if not value.isprintable() and _CONTROL.search(value):
            raise InvalidRequestError(f'"{name}" contains a control character.')


def note_header_parameters(request: OAuth1Request) -> None:
    """Note parameters in the Authorization header that are not part of the protocol; they are refused if not tolerated.

    The base string does not contain the place of a parameter (section 3.4.1.3.2). If a parameter were moved from the
    query or the form into the header, the signature would still verify, but the view would not see the parameter:
    ``DELETE /photos?id=5`` would become ``DELETE /photos``.
    """
    # There may be a thousand, and the message names one.
    if (name := next(other_names(request.canonical_forms[0]), None)) is not None:
        error = InvalidRequestError(
            f"The Authorization header has the parameter {name[:100]!a}, which does not begin with oauth_. "
            "Send it in the query or in a form, where the application sees it. For clients that cannot be changed the "
            'provider can set the tolerance "other_header_parameters".'
        )
        request.note_deviation(OTHER_HEADER_PARAMETERS, error)


def check_protocol_parameters(request: OAuth1Request, policy: Policy) -> None:
    """Check the protocol parameters of a request (section 3.1).

    Raises:
        UnsignedRequestError: the request has no OAuth parameters.
        MissingRequiredParameterError: a required parameter is missing or empty.
        InvalidRequestError: an identifier or the version is invalid.
    """
    parameters = request.protocol_parameters
    if not parameters:
        raise with_problem(UnsignedRequestError(), oauth_parameters_absent="&".join((*_REQUIRED, *_AGAINST_REPLAY)))
    check_present(request, names=_REQUIRED)
    check_identifiers(request, policy)
    if request.has_other_header_parameters:
        note_header_parameters(request)
    if "oauth_version" in parameters:
        check_version(request)


def check_present(request: OAuth1Request, *, names: Sequence[str]) -> None:
    """Check that parameters are present and not empty.

    Raises:
        MissingRequiredParameterError: names the first one that is not.
    """
    for name in names:
        if not request.protocol_parameters.get(name):
            raise missing(request, name, names)


def missing(request: OAuth1Request, name: str, names: Sequence[str]) -> MissingRequiredParameterError:
    """Create the error for a parameter that is missing or empty; problem reporting names the other ones, too.

    Args:
        request: of the client.
        name: of the parameter.
        names: of the parameters that are required with it.
    """
    sent = request.protocol_parameters
    wanted = [*_REQUIRED, *names]
    wanted += [name for name in _AGAINST_REPLAY if name in sent or sent.get("oauth_signature_method") != "PLAINTEXT"]
    absent = dict.fromkeys(name for name in wanted if not sent.get(name))
    return with_problem(MissingRequiredParameterError(name), oauth_parameters_absent="&".join(absent))


def check_version(request: OAuth1Request) -> None:
    """Check that the version is "1.0", if it is sent (section 3.1). "1.0a" is noted, and refused if not tolerated.

    Raises:
        InvalidRequestError: the version is another one.
    """
    version = request.protocol_parameters.get("oauth_version", "1.0")
    if version == "1.0":
        return
    error = with_problem(
        InvalidRequestError('"oauth_version" must be "1.0" if it is sent.'),
        oauth_problem="version_rejected",
        oauth_acceptable_versions="1.0-1.0",
    )
    if version not in _VERSIONS_1_0A:
        raise error
    request.note_deviation(VERSION_1_0A, error)


def check_timestamp(request: OAuth1Request, policy: Policy, now: float) -> None:
    """Check that timestamp and nonce are present, and that the timestamp is near the server's time (section 3.3).

    PLAINTEXT may omit the timestamp, the nonce, or both (section 3.1). A timestamp outside of the policy's window is
    noted if a client's own window may cover it.

    Raises:
        MissingRequiredParameterError: timestamp or nonce is missing.
        InvalidRequestError: the timestamp is not a positive integer of seconds.
        TimestampRefusedError: the timestamp is outside the policy's window.
    """
    sent = request.protocol_parameters
    timestamp, nonce = sent.get("oauth_timestamp"), sent.get("oauth_nonce")
    if not (timestamp and nonce):
        may_omit = sent.get("oauth_signature_method") == "PLAINTEXT"
        for name, value in (("oauth_timestamp", timestamp), ("oauth_nonce", nonce)):
            if not value and (value is not None or not may_omit):
                raise missing(request, name, ())
        if timestamp is None:
            return
    try:
        check_timestamp_window(timestamp, policy.timestamp_window, now)
    except TimestampRefusedError as error:
        if abs(int(timestamp) - now) > policy.longest_window:
            raise
        request.note_deviation(TIMESTAMP_WINDOW, error)


def omits_timestamp(request: OAuth1Request) -> bool:
    """Return whether a PLAINTEXT request has neither timestamp nor nonce, which is allowed."""
    return request.signature_method == "PLAINTEXT" and request.timestamp is None and request.nonce is None


def check_timestamp_window(timestamp: str, window: int, now: float) -> None:
    """Check that a timestamp is at most ``window`` seconds away from the server's time.

    Raises:
        InvalidRequestError: the timestamp is not a positive integer of seconds.
        TimestampRefusedError: the timestamp is outside the window.
    """
    if not _TIMESTAMP.fullmatch(timestamp):
        if _MILLISECONDS.fullmatch(timestamp):
            raise InvalidRequestError('"oauth_timestamp" looks like milliseconds; it counts seconds since 1970.')
        raise InvalidRequestError('"oauth_timestamp" is not a positive whole number of seconds since 1970.')
    if abs(int(timestamp) - now) > window:
        raise outside_window(window, now)


def outside_window(window: int, now: float) -> TimestampRefusedError:
    """Create the error for a timestamp that is more than ``window`` seconds away from the server's time."""
    error = TimestampRefusedError(
        f'"oauth_timestamp" is more than {window} seconds away from this server\'s time, which is {int(now)}.'
    )
    return with_problem(error, oauth_acceptable_timestamps=f"{math.ceil(now - window)}-{math.floor(now + window)}")


def unregistered_callback(callback: str, client: object) -> InvalidRequestError:
    """What is raised for a callback that is not registered.

    Args:
        callback: of the request, whose signature holds.
        client: its model; if it lists its ``callbacks``, as `Client` does, the error says what differs.
    """
    text = 'This "oauth_callback" is not registered for the client.'
    registered: Any = getattr(client, "callbacks", None)
    listed = isinstance(registered, list | tuple)
    if listed and callback_matches(callback, cast("Sequence[str]", registered), query_may_differ=True):
        text += (
            " It differs from a registered one in its query alone: register it as it is, or let the query differ "
            "(callback_query_may_differ)."
        )
    return InvalidRequestError(text)


def check_body_hash(request: OAuth1Request, body: bytes) -> None:
    """Check that ``oauth_body_hash`` is the hash of the body.

    Raises:
        InvalidRequestError: it is malformed.
        InvalidSignatureError: it is the hash of another body.
    """
    algorithm, claimed = claimed_body_hash(request)
    check_digest(hashlib.new(algorithm, body, usedforsecurity=False).digest(), claimed)


def claimed_body_hash(request: OAuth1Request) -> tuple[str, bytes]:
    """The algorithm and the value of ``oauth_body_hash``.

    Raises:
        InvalidRequestError: it is malformed.
    """
    try:
        claimed = base64.b64decode(request.protocol_parameters.get("oauth_body_hash", ""), validate=True)
    except (binascii.Error, ValueError):
        claimed = b""
    algorithm = BODY_HASHES.get(len(claimed))
    if algorithm is None:
        raise InvalidRequestError('"oauth_body_hash" is not the Base64 of a SHA-1, SHA-256 or SHA-512 hash.')
    return algorithm, claimed


def check_digest(digest: bytes, claimed: bytes) -> None:
    """Check that the hash of a body is the one that the client claims.

    Raises:
        InvalidSignatureError: it is another one.
    """
    if not hmac.compare_digest(digest, claimed):
        raise InvalidSignatureError('"oauth_body_hash" is not the hash of the body that arrived.')


def host_allowed(hostname: str, allowed: tuple[str, ...]) -> bool:
    """Return whether a host, without port and brackets, is one of a policy's ``allowed_hosts``."""
    name = hostname.removesuffix(".")
    return any(
        name.endswith(pattern[1:].lower()) if pattern.startswith("*.") else name == pattern.strip("[]").lower()
        for pattern in allowed
    )
