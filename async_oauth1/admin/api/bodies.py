"""Reads the JSON body of a request."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from async_oauth1.asgi.bodies.received import ReceivedBody, check_length
from async_oauth1.asgi.requests import Receive, Scope, content_type_of

from .problems import ProblemError

__all__ = ["JSON_PATCH", "MAX_BODY_BYTES", "MERGE_PATCH", "read_json"]

#: The largest body; a client with the longest values fits.
MAX_BODY_BYTES = 64 * 1024
#: Seconds in which it must have arrived.
_TIMEOUT = 30.0
JSON, JSON_PATCH, MERGE_PATCH = "application/json", "application/json-patch+json", "application/merge-patch+json"


async def read_json(
    scope: Scope, receive: Receive, accepted: tuple[str, ...] = (JSON,), *, optional: bool = False
) -> tuple[str, Any]:
    """Read a body, and return its media type and its value.

    A body of another media type is refused: a page of another site can send a form or plain text, and JSON in it.

    Args:
        scope: of the request.
        receive: as the server passes it.
        accepted: media types.
        optional: whether there may be no body; its value is an empty object then.

    Raises:
        ProblemError: 413, 415, or 400 for what is not JSON.
        OAuth1Error: the body does not arrive in time, or not as a whole.
    """
    octets = await ReceivedBody(receive, _TIMEOUT).read("body", MAX_BODY_BYTES)
    check_length(scope, len(octets))
    if not octets and optional:
        return JSON, {}
    media_type = content_type_of(scope).decode("latin-1").partition(";")[0].strip().lower()
    if media_type not in accepted:
        raise ProblemError(415, f"The body must be {' or '.join(accepted)}, and Content-Type must say so.")
    try:
        return media_type, json.loads(octets.decode(), object_pairs_hook=_unrepeated, parse_constant=_not_json)
    except (ValueError, RecursionError) as error:
        reason = (
            str(error) if type(error) is ValueError or isinstance(error, json.JSONDecodeError) else "it is not text"
        )
        raise ProblemError(400, f"The body is not JSON: {reason[:200]}.") from None


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):  # parsers disagree which of them counts (RFC 8259 section 4)
        raise ValueError("a member is repeated")
    return members


def _not_json(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a value")
