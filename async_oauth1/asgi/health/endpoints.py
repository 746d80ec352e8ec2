"""The health checks of a provider: whether the process serves requests, and whether its stores answer."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Protocol

from async_oauth1.asgi.endpoints import path_below_mounts
from async_oauth1.asgi.requests import ASGIApp, send_response
from async_oauth1.asgi.startup import run_lifespan, serve_nothing
from async_oauth1.errors import StoreUnavailableError
from async_oauth1.provider.responses import OAuth1Response

__all__ = ["health_endpoints"]

_log = logging.getLogger(__name__)
_TEXT = ("Content-Type", "text/plain; charset=utf-8")
_HEADERS = [_TEXT, ("Cache-Control", "no-store")]
# Seconds that a probe waits for the stores; orchestrators give up after a few.
_TIMEOUT = 5.0


class AnswersPings(Protocol):
    """What can be ready: every store.

    Attributes:
        url: its scheme is shown; the rest is not.
    """

    url: str

    async def ping(self) -> None:
        """Raise an error unless the store answers."""
        ...


def health_endpoints(*stores: AnswersPings, timeout: float = _TIMEOUT) -> ASGIApp:
    """Make an ASGI application of two health checks, to mount at ``/health``, or to serve on a port of its own.

    ``GET /health/alive`` is 200 as long as the process serves requests: restart it otherwise. ``GET /health/ready`` is
    200 if every store answers; otherwise it is 503, and the balancer should send requests elsewhere. Neither needs a
    signature, and neither shows more than the kinds of the stores.

    Args:
        stores: what the provider needs.
        timeout: seconds in which all of them must answer.
    """
    return _Health(stores, timeout)


class _Health:
    def __init__(self, stores: tuple[AnswersPings, ...], timeout: float) -> None:
        self._stores = stores
        self._timeout = timeout
        self._silent: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await run_lifespan(serve_nothing, [], scope, receive, send)
        elif scope["type"] == "http":
            await send_response(await self._answer(scope), send, method=scope["method"])
        else:  # the server answers a WebSocket with 403
            await send({"type": "websocket.close", "code": 1000})

    async def _answer(self, scope: Any) -> OAuth1Response:
        name = path_below_mounts(scope).removeprefix("/health")
        if name not in ("/alive", "/ready"):
            return OAuth1Response(404, "Not Found", _HEADERS)
        if scope["method"] not in ("GET", "HEAD"):
            return OAuth1Response(405, "Method Not Allowed", [*_HEADERS, ("Allow", "GET, HEAD")])
        silent = [] if name == "/alive" else await self._find_silent()
        if not silent:
            return OAuth1Response(200, "ok", _HEADERS)
        retry_after = ("Retry-After", str(StoreUnavailableError().retry_after))
        return OAuth1Response(503, f"does not answer: {', '.join(silent)}", [*_HEADERS, retry_after])

    async def _find_silent(self) -> list[str]:
        """The kinds of the stores that do not answer; each change is logged once."""
        answers = await asyncio.gather(*(self._answers(store) for store in self._stores))
        silent = [
            store.url.partition("://")[0] for store, has_answered in zip(self._stores, answers, strict=True)
            if not has_answered
        ]  # fmt: skip
        before, self._silent = self._silent, silent
        for name in sorted(set(silent) - set(before)):
            _log.error("health: %s does not answer", name)
        for name in sorted(set(before) - set(silent)):
            _log.warning("health: %s answers again", name)
        return silent

    async def _answers(self, store: AnswersPings) -> bool:
        try:
            async with asyncio.timeout(self._timeout):
                await store.ping()
        except (StoreUnavailableError, TimeoutError):
            return False
        except Exception:  # noqa: BLE001 - whatever it is, the store cannot be used
            _log.exception("health: %s failed", store.url.partition("://")[0])
            return False
        return True
