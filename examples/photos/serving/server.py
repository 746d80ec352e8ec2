"""Serving a listening socket in this process, under hypercorn."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import signal
import socket
from collections.abc import Callable
from typing import Any, cast

from hypercorn.asyncio import serve as serve_with_hypercorn
from hypercorn.typing import Framework
from quart import Quart

from async_oauth1.serve.listening import LARGEST_HEAD
from examples.photos.app import create_app
from examples.photos.passwords import stop_threads
from examples.photos.settings import Settings
from examples.photos.storage import Storage, open_storage

from .connection_errors import log_in_one_line
from .connections import Limit, LimitedConfig, raise_descriptor_limit
from .log import log
from .stopping import GracefulStop

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
#: Seconds for requests in flight to finish.
GRACE = 5.0
#: New objects minus freed ones between two runs of the garbage collector.
OBJECTS_BETWEEN_COLLECTIONS = 20_000


async def serve(settings: Settings, listener: socket.socket, ready: Callable[[Storage], object]) -> None:
    """Serve until SIGTERM, SIGINT, or the end of the parent process.

    Args:
        settings: the provider's settings.
        listener: the listening socket; closed at the end.
        ready: called with the open stores when the provider is ready for requests.

    Raises:
        StoreError: a store cannot be used.
    """
    stop = _stop_event()
    async with open_storage(settings) as storage:
        app = create_app(settings, storage)

        @app.before_serving
        async def announce() -> None:
            ready(storage)

        _collect_seldom()
        asyncio.get_running_loop().set_exception_handler(log_in_one_line)
        await _serve_until(stop, app, listener)
    # The closing loop first closes its wakeup pipe and then removes its signal handlers. A signal in between would
    # print an error about the pipe or end the process. So signals are blocked in this thread, all other threads are
    # stopped, and `ignore_stop_signals` drops what is pending.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    signal.set_wakeup_fd(-1)
    stop_threads()


def ignore_stop_signals() -> None:
    """Ignore further stop signals, so that they do not change the exit status."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _collect_seldom() -> None:
    """Run the garbage collector less often: by default it scans a thousand requests' objects again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS, 1, 3)


def _stop_event() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, stop.set)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
    parent = multiprocessing.parent_process()
    if parent is not None:
        sentinel = parent.sentinel

        def parent_ended() -> None:
            loop.remove_reader(sentinel)
            stop.set()

        loop.add_reader(sentinel, parent_ended)
    return stop


async def _serve_until(stop: asyncio.Event, app: Quart, listener: socket.socket) -> None:
    graceful = GracefulStop(app)
    descriptor = listener.detach()

    async def stopped(*_: Any) -> None:
        await stop.wait()
        if multiprocessing.parent_process() is None:  # the supervisor of several workers says so itself
            log.info("stopping")
        loop = asyncio.get_running_loop()
        await graceful.drain(descriptor)
        # From Python 3.12 on, hypercorn waits for all connections without a time-out.
        loop.call_later(GRACE + 1, serving.cancel)

    serving = asyncio.ensure_future(
        serve_with_hypercorn(cast("Framework", graceful), _config(descriptor), shutdown_trigger=stopped)
    )
    try:
        await serving
    except asyncio.CancelledError:
        if not stop.is_set():
            raise


def _config(descriptor: int) -> LimitedConfig:
    config = LimitedConfig()
    config.limit = Limit(raise_descriptor_limit())
    config.bind = [f"fd://{descriptor}"]
    config.graceful_timeout = GRACE
    config.h11_max_incomplete_size = LARGEST_HEAD
    config.h2_max_header_list_size = LARGEST_HEAD
    config.loglevel = "WARNING"  # to stderr
    return config
