"""Bounds the log of refusals: after some in a minute of one kind from one client, the rest are counted."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from ipaddress import IPv6Address
from time import monotonic
from typing import NamedTuple
from weakref import WeakSet

from async_oauth1.protocol.request import OAuth1Request

from .fields import LONGEST_TEXT, printable, record_fields

__all__ = ["Kind", "RefusalSampler", "kind_of"]

log = logging.getLogger("async_oauth1")

#: Seconds after which counting begins again.
WINDOW = 60.0
#: Kinds that are told apart in a window; all others are counted together.
MAX_KINDS = 1_024
#: Of the refusals above the limit, one in so many is logged all the same.
SAMPLE = 1_000

_samplers: WeakSet[RefusalSampler] = WeakSet()


class Kind(NamedTuple):
    """Refusals that are counted together.

    Attributes:
        code: the reason.
        client_id: of a client that exists; ``None`` if it was not looked up, or is unknown.
        peer: the address, unless the client is known; of IPv6 the network of 64 bits.
    """

    code: str
    client_id: str | None
    peer: str | None


_OTHERS = Kind("several", None, None)


def kind_of(code: str, request: OAuth1Request | None, peer: str | None) -> Kind:
    """What a refusal is counted as. What a client has made up counts as its address."""
    if request is not None and request.client is not None:
        return Kind(code, request.client_id, None)
    return Kind(code, None, _network(peer) if peer and ":" in peer else peer)


class RefusalSampler:
    """Counts the refusals of one server, in any thread."""

    def __init__(self, timer: Callable[[], float] = monotonic) -> None:
        """Start without any.

        Args:
            timer: seconds, monotonic.
        """
        self._timer = timer
        self._lock = threading.Lock()
        self._counts: dict[Kind, int] = {}
        self._suppressed: dict[Kind, int] = {}
        self._ends = float("-inf")
        self._waiting: threading.Timer | None = None
        _samplers.add(self)

    def admits(self, kind: Kind, limit: int | None) -> bool:
        """Count a refusal.

        Args:
            kind: as from `kind_of`.
            limit: refusals of a kind that are logged in a minute; ``None`` for all.

        Returns:
            Whether it is to be logged.
        """
        if limit is None:
            return True
        with self._lock:
            ended = self._roll() if self._timer() >= self._ends else {}
            if kind not in self._counts and len(self._counts) >= MAX_KINDS:
                kind = _OTHERS
            count = self._counts[kind] = self._counts.get(kind, 0) + 1
            is_logged = count <= limit or (count - limit) % SAMPLE == 0
            if not is_logged:
                self._suppressed[kind] = self._suppressed.get(kind, 0) + 1
                self._wait()
        _report(ended)
        return is_logged

    def flush(self) -> None:
        """Log what was suppressed, and begin a new minute."""
        with self._lock:
            ended = self._roll()
        _report(ended)

    def forget(self) -> None:
        """Start anew in a forked process: the parent reports its own."""
        self._lock = threading.Lock()
        self._counts, self._suppressed, self._waiting = {}, {}, None

    def _roll(self) -> dict[Kind, int]:
        ended, self._suppressed, self._counts = self._suppressed, {}, {}
        self._ends = self._timer() + WINDOW
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
        return ended

    def _wait(self) -> None:
        """Report at the end of the minute, although no further refusal may come."""
        if self._waiting is None:
            self._waiting = threading.Timer(max(self._ends - self._timer(), 0.0), self.flush)
            self._waiting.daemon = True
            self._waiting.start()


def _report(suppressed: dict[Kind, int]) -> None:
    for kind, count in suppressed.items():
        client = kind.client_id and printable(kind.client_id, LONGEST_TEXT)
        fields = record_fields("refusals.suppressed", error__type=kind.code, client__address=kind.peer,
                               oauth1__client_id=client, oauth1__suppressed=count)  # fmt: skip
        log.info("Refusals that were not logged in the last minute: %d of client %a from %a: %s",
                 count, kind.client_id, kind.peer, kind.code, extra=fields)  # fmt: skip


def _network(peer: str) -> str:
    try:
        return f"{IPv6Address(peer.partition('%')[0]).exploded[:19]}::/64"
    except ValueError:
        return printable(peer, 100)


def _forget_all() -> None:
    for sampler in [*_samplers]:
        sampler.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
