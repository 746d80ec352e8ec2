"""One process that serves a listening socket, under hypercorn."""

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

from examples.photos.app import create_app
from examples.photos.passwords import stop_threads
from examples.photos.settings import Settings, SettingsError
from examples.photos.storage import open_storage

from .connection_errors import log_in_one_line
from .connections import BACKLOG, Limit, LimitedConfig, raise_descriptor_limit
from .stopping import GracefulStop

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
#: Seconds in which what is in flight is finished.
GRACE = 5.0
#: An Authorization header and a query of 64 KiB each arrive whole, in any number of packets.
LARGEST_HEAD = 256 * 1024
#: New ones, less those that are gone.
OBJECTS_BETWEEN_COLLECTIONS = 50_000


def listen(host: str, port: int) -> socket.socket:
    """Accept connections from now on; whoever connects waits for the first worker.

    Args:
        host: name or address.
        port: 0 for any that is free.

    Raises:
        SettingsError: the address is in use, or not this machine's.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(cast("tuple[str, int]", address), family=family, backlog=BACKLOG)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a host name"
        raise SettingsError(f"cannot listen on {host}, port {port}: {reason}") from error


def url_of(listener: socket.socket) -> str:
    """Where a socket listens."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def serve(settings: Settings, listener: socket.socket, ready: Callable[[], object]) -> None:
    """Serve until a signal asks to stop, or the process that started this worker is gone.

    Args:
        settings: how.
        listener: where; closed at the end.
        ready: called when requests will be answered.

    Raises:
        StoreError: a store cannot be used.
    """
    stop = _stop_event()
    async with open_storage(settings) as storage:
        app = create_app(settings, storage)

        @app.before_serving
        async def tell() -> None:
            ready()

        _collect_seldom()
        asyncio.get_running_loop().set_exception_handler(log_in_one_line)
        await _serve_until(stop, app, listener)
    # While the loop closes, it gives up its pipe first and its handlers afterwards. A signal that comes in between
    # would complain of the pipe or end the process, in any thread that takes it. So this thread is the only one that
    # is left, and takes none; `ignore_stop_signals` drops what has come.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    signal.set_wakeup_fd(-1)
    stop_threads()


def ignore_stop_signals() -> None:
    """Once it ends as it was asked to: a second signal must not make a failure of that."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _collect_seldom() -> None:
    """With a thousand requests under way, Python's own thresholds look through their objects all the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS, 2, 2)


def _stop_event() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, stop.set)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
    parent = multiprocessing.parent_process()
    if parent is not None:
        sentinel = parent.sentinel

        def orphaned() -> None:
            loop.remove_reader(sentinel)
            stop.set()

        loop.add_reader(sentinel, orphaned)
    return stop


async def _serve_until(stop: asyncio.Event, app: Quart, listener: socket.socket) -> None:
    graceful = GracefulStop(app)
    descriptor = listener.detach()

    async def stopped(*_: Any) -> None:
        await stop.wait()
        loop = asyncio.get_running_loop()
        await graceful.drain(descriptor)
        # From Python 3.12 on, hypercorn waits for every connection without end; a stuck one must not keep the rest.
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
