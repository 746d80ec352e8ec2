"""Serve an ASGI application in a thread, for a plain or an async test. hypercorn is imported when it starts."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Coroutine
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

if TYPE_CHECKING:
    import asyncio

__all__ = ["GRACE", "TIMEOUT", "ServerInThread"]

T = TypeVar("T")
#: Seconds to wait for the server before a test fails.
TIMEOUT = 30.0
#: Seconds that open connections get when it stops.
GRACE = 0.05


class ServerInThread(ABC):
    """A server on a free port of 127.0.0.1, in a thread of its own.

    Attributes:
        url: such as ``http://127.0.0.1:40123``, without a slash at the end.
    """

    url: str
    #: What it is called in errors.
    name = "server"

    def __init__(self) -> None:
        """Prepare a server; `start`, or ``with``, starts it."""
        self._started = threading.Event()
        self._problem: BaseException | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop
        self._stop: asyncio.Event

    def start(self) -> None:
        """Serve until `stop`.

        Raises:
            RuntimeError: it could not start.
            ModuleNotFoundError: the extra ``serve`` is not installed.
        """
        from async_oauth1.serve.listening import listen, url_of

        self._prepare()
        listener = listen("127.0.0.1", 0)
        self.url = url_of(listener)
        self._thread = threading.Thread(target=self._run, args=(listener,), name="async_oauth1.testing", daemon=True)
        self._thread.start()
        if not self._started.wait(TIMEOUT) or self._problem is not None:
            raise RuntimeError(f"The {self.name} did not start.") from self._problem

    def stop(self) -> None:
        """Stop serving; open connections are closed. Safe to repeat."""
        if self._thread is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(TIMEOUT)
        self._thread = None

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    def _prepare(self) -> None:  # noqa: B027 - most servers have nothing to prepare
        """Import what is missing, and check the options, in the thread of the test."""

    @abstractmethod
    async def _serve(self, listener: Any) -> None:
        """Serve until ``self._stop`` is set; set ``self._started`` once connections are accepted."""

    def _wait_for(self, coroutine: Coroutine[Any, Any, T]) -> T:
        import asyncio

        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(TIMEOUT)

    def _run(self, listener: Any) -> None:
        import asyncio

        async def serve() -> None:
            self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
            await self._serve(listener)

        try:
            with listener:
                asyncio.run(serve())
        except BaseException as error:  # noqa: BLE001 - raised by `start`
            self._problem = error
        finally:
            self._started.set()
