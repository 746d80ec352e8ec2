"""What is tolerated of a client, and the log of each use; see `async_oauth1.tolerances` for the names."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from async_oauth1.credentials import Client
from async_oauth1.errors import OAuth1Error
from async_oauth1.protocol.callbacks import callback_matches
from async_oauth1.protocol.request import OAuth1Request
from async_oauth1.tolerances import CALLBACK_QUERY_MAY_DIFFER, TIMESTAMP_WINDOW, check_tolerances, window_in

from .hooks import optional
from .records.fields import record_fields

log = logging.getLogger("async_oauth1")


async def tolerances_of(client: Any, client_id: str | None) -> tuple[str, ...]:
    """The tolerances of a client; none if its model names one that does not exist."""
    if type(client) is Client:
        return client.tolerances
    names = await optional(client, "get_tolerances")
    if not names:
        return ()
    try:
        return check_tolerances(names, of_client=True)
    except (TypeError, ValueError) as error:
        log.error("Client %r is tolerated nothing: %s", client_id, error)
        return ()


def apply_tolerances(
    request: OAuth1Request,
    names: Sequence[str],
    of_all: Sequence[str],
    longest_window: Callable[[], int],
    clock: Callable[[], float],
) -> None:
    """Tell a request what is tolerated of its client.

    Args:
        request: with its client.
        names: the tolerances of the client.
        of_all: the tolerances of every client.
        longest_window: the number of seconds that nonces are kept for; called if the client has a window of its own.
        clock: Unix time in seconds; called in the same case.
    """
    if not names:
        request.tolerances = of_all
        return
    window = window_in(names)
    if window is None:
        request.tolerances = (*of_all, *names)
        return
    if window > (longest := longest_window()):
        _warn_of_window(request.client_id, window, longest)
        window = longest
    request.timestamp_window = window
    timestamp = request.timestamp
    covered = timestamp is not None and timestamp.isdecimal() and abs(int(timestamp) - clock()) <= window
    request.tolerances = (*of_all, *names, TIMESTAMP_WINDOW) if covered else (*of_all, *names)


def refusal_of(request: OAuth1Request, of_all: Sequence[str], *, uniform: bool) -> OAuth1Error | None:
    """The error of a deviation that a refused request has; ``None`` if it has none.

    With uniform errors the answer is the same whether the client is known or not, and whatever is tolerated of it.
    """
    if not request.deviations:
        return None
    return untolerated(request, of_all if uniform else None)


def untolerated(request: OAuth1Request, tolerances: Sequence[str] | None = None) -> OAuth1Error | None:
    """A new error like the one that `OAuth1Request.find_untolerated` finds.

    The request keeps that one, and the frames of a traceback keep the request: if it was raised, the garbage collector
    alone would free all of them.
    """
    kept = request.find_untolerated(tolerances)
    if kept is None:
        return None
    error = type(kept).__new__(type(kept), *kept.args)
    vars(error).update(vars(kept))
    return error


def check_deviations(request: OAuth1Request) -> None:
    """Refuse a request with a deviation that is not tolerated.

    Raises:
        OAuth1Error: the error of the first one.
    """
    error = untolerated(request) if request.deviations else None
    if error is None:
        return
    try:
        raise error
    finally:
        del error  # the traceback has this frame


def log_uses(request: OAuth1Request) -> None:
    """Log each tolerance without which a request would have been refused."""
    for name in (*(name for name, _ in request.deviations), *request.tolerances_used):
        _log_use(request, name)


def log_callback(request: OAuth1Request, callback: str) -> None:
    """Log a callback that is accepted although its query differs from the registered one."""
    client = request.client
    if type(client) is Client and not callback_matches(callback, client.callbacks):
        _log_use(request, CALLBACK_QUERY_MAY_DIFFER)


def _log_use(request: OAuth1Request, name: str) -> None:
    fields = record_fields("tolerance.used", request, oauth1__tolerance=name)
    log.info("Client %r used the tolerance %s.", request.client_id, name, extra=fields)


@lru_cache(maxsize=256)
def _warn_of_window(client_id: str | None, window: int, longest: int) -> None:
    """Once for each client: the call's result is kept."""
    log.warning(
        "The tolerance timestamp_window=%d of client %r is cut to %d seconds, for which nonces are kept. Set "
        "Policy.longest_timestamp_window.",
        window,
        client_id,
        longest,
    )
