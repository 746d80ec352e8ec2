"""Reading page forms: UTF-8, at most 64 KiB, each field once."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qsl

from quart import abort, request

#: Bytes; a consent form has a few hundred.
LARGEST_FORM = 64 * 1024
_MOST_FIELDS = 20


async def read_form() -> dict[str, str]:
    """Read the form of the current request.

    Returns:
        Its fields.

    Raises:
        HTTPException: 400 for a malformed form, 408 for a slow one, 413 for a large one, 415 for anything else.
    """
    if request.mimetype != "application/x-www-form-urlencoded":
        abort(415, "This page accepts only forms.")
    octets = await _read_body()
    try:
        fields = parse_qsl(octets.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
    except ValueError:
        abort(400, "This form is not UTF-8, or has too many fields.")
    form = dict(fields)
    if len(form) < len(fields) or any("\0" in text for field in fields for text in field):
        abort(400, "This form has a field twice, or a character that cannot be typed.")
    return form


async def _read_body() -> bytes:
    """Read at most `LARGEST_FORM` bytes, and keep them readable for the view."""
    if (request.content_length or 0) > LARGEST_FORM:
        abort(413, "This form is too large.")
    octets = bytearray()
    try:
        async with asyncio.timeout(request.body_timeout):
            async for chunk in request.body:
                octets += chunk
                if len(octets) > LARGEST_FORM:
                    abort(413, "This form is too large.")
    except TimeoutError:
        abort(408, "This form did not arrive in time.")
    request.body.append(bytes(octets))
    return bytes(octets)
