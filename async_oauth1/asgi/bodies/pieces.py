"""Reads a body while it arrives, as far as its limits allow."""

from __future__ import annotations

from collections.abc import AsyncIterable

from async_oauth1.asgi.event_loops import time_limit
from async_oauth1.errors import InvalidRequestError, RequestTooLargeError


async def read_pieces(
    pieces: AsyncIterable[bytes], what: str, *, max_bytes: int, seconds: float | None, max_parameters: int | None = None
) -> bytes:
    """Read a body to its end.

    Args:
        pieces: the body's octets as they arrive.
        what: the name of the body in errors.
        max_bytes: the maximum length of the body in bytes.
        seconds: in which the body must have arrived; ``None`` for any time.
        max_parameters: of a form; ``None`` if the body is not a form.

    Raises:
        RequestTooLargeError: the body is too long.
        InvalidRequestError: the body has not arrived in time, or the form has too many parameters.
    """
    octets, separators = bytearray(), 0
    try:
        async with time_limit(seconds):
            async for piece in pieces:
                octets += piece
                if max_parameters is not None:
                    separators += piece.count(b"&")
                    if separators >= max_parameters:
                        raise InvalidRequestError(f"The request has more than {max_parameters} parameters.")
                if len(octets) > max_bytes:
                    raise too_large(what, max_bytes)
    except TimeoutError:
        raise too_slow(what) from None
    return bytes(octets)


def too_large(what: str, max_bytes: int) -> RequestTooLargeError:
    """The error of a body that is too long."""
    return RequestTooLargeError(f"The {what} is larger than {max_bytes} bytes.")


def too_slow(what: str) -> InvalidRequestError:
    """The error of a body that does not arrive in time."""
    return InvalidRequestError(f"The {what} did not arrive in time.", status_code=408)
