"""What may watch the decisions of a server; `async_oauth1.telemetry` does."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from async_oauth1.errors import OAuth1Error
from async_oauth1.protocol.request import OAuth1Request

__all__ = ["DecisionObserver", "watching"]


class DecisionObserver(Protocol):
    """Watches decisions. It must not raise."""

    def watch(self, request: OAuth1Request, endpoint: str) -> AbstractContextManager[object]:
        """Watch the verification of one request: it is refused if the context ends with an error.

        Args:
            request: is being verified.
            endpoint: ``resource``, ``temporary_credentials``, ``authorization`` or ``token``.
        """
        ...

    def refused(self, error: OAuth1Error, request: OAuth1Request | None, endpoint: str) -> None:
        """Note a refusal outside of `watch`: of a request that could not be read, or by a route's own demand."""
        ...


def watching(
    observer: DecisionObserver | None, request: OAuth1Request | None, endpoint: str
) -> AbstractContextManager[object]:
    """The context in which an observer watches; one that does nothing without an observer."""
    if observer is None or request is None or request.watched_by is observer:
        return nullcontext()
    return observer.watch(request, endpoint)
