"""The records of what is accepted, at DEBUG of the logger ``async_oauth1.decisions``: off unless switched on."""

from __future__ import annotations

import logging

from async_oauth1.protocol.request import OAuth1Request

from .fields import client_name, printable, record_fields

__all__ = ["log_accepted", "logs_accepted"]

_log = logging.getLogger("async_oauth1.decisions")
#: Whether anything is logged: asked first for every request, because a call takes longer.
logs_accepted = _log.isEnabledFor


def log_accepted(event: str, request: OAuth1Request) -> None:
    """Log a decision in favour of a request.

    Args:
        event: such as ``request.accepted``.
        request: is genuine.
    """
    if logs_accepted(logging.DEBUG):
        what = printable(f"{request.method} {request.raw_path.decode('latin-1')}")
        _log.debug("%s: %s of client %a from %a", event, what, client_name(request), request.peer,
                   extra=record_fields(event, request))  # fmt: skip
