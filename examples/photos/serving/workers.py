"""Several worker processes that serve one socket, and their supervisor."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
import time
from collections.abc import Callable
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from async_oauth1.stores import StoreError
from examples.photos.settings import Settings

from .server import STOP_SIGNALS, ignore_stop_signals, serve

__all__ = ["supervise"]

#: Seconds before a worker that failed to start is replaced, so that restarts do not take up the machine.
REPLACEMENT_PAUSE = 1.0

_spawn = get_context("spawn")


def supervise(settings: Settings, listener: socket.socket, announce: Callable[[], None]) -> int:
    """Keep workers running until SIGTERM or SIGINT.

    Args:
        settings: the provider's settings, with the number of workers.
        listener: the socket that they share.
        announce: called once, when all workers are ready.

    Returns:
        The exit status: 0 after a stop signal, 2 if a worker could not start.
    """
    return _Supervisor(settings, listener, announce).run()


class _Worker:
    """A worker process, and the pipe on which it reports that it is ready."""

    def __init__(self, settings: Settings, listener: socket.socket) -> None:
        self.ready, theirs = _spawn.Pipe(duplex=False)
        self.is_ready = False
        # `spawn` passes the settings through a pipe. On a command line, all users could read their passwords.
        self.process: SpawnProcess = _spawn.Process(target=_work, args=(settings, listener, theirs))
        self.process.start()
        theirs.close()

    def update(self) -> None:
        """Read whether the worker is ready."""
        if not self.is_ready and self.ready.poll():
            try:
                self.ready.recv_bytes()
                self.is_ready = True
            except EOFError:
                pass  # the worker is ending

    def events(self) -> list[Connection | int]:
        """The descriptors and connections to wait for."""
        return [self.process.sentinel] if self.is_ready else [self.process.sentinel, self.ready]

    def has_ended(self) -> bool:
        """Whether the process has ended."""
        return self.process.exitcode is not None

    def close(self) -> None:
        """Release the ended process and its pipe."""
        self.process.join()
        self.process.close()
        self.ready.close()


class _Supervisor:
    def __init__(self, settings: Settings, listener: socket.socket, announce: Callable[[], None]) -> None:
        self._settings = settings
        self._listener = listener
        self._announce: Callable[[], None] | None = announce
        self._workers: list[_Worker] = []
        self._stopping = False
        self._status = 0

    def run(self) -> int:
        # Started before the workers: its start unblocks the signals that `_start` blocks.
        resource_tracker.ensure_running()
        for number in STOP_SIGNALS:
            signal.signal(number, lambda *_: self._stop())
        for _ in range(self._settings.workers):
            self._start()
        while self._workers:
            wait([event for worker in self._workers for event in worker.events()])
            for worker in tuple(self._workers):
                worker.update()
                if worker.has_ended():
                    self._replace(worker)
            if self._announce and not self._stopping and all(worker.is_ready for worker in self._workers):
                self._announce()
                self._announce = None
        ignore_stop_signals()
        return self._status

    def _start(self) -> None:
        # A worker inherits the blocked signals, and unblocks them when it has its handlers.
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        try:
            if not self._stopping:
                self._workers.append(_Worker(self._settings, self._listener))
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)

    def _replace(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        if not self._stopping:
            sys.stderr.write(f"photos: worker {worker.process.pid} ended with status {worker.process.exitcode}\n")
            if self._announce is None:
                time.sleep(0 if worker.is_ready else REPLACEMENT_PAUSE)
                self._start()
            else:  # during start-up: a new worker would fail in the same way
                self._status = 2
                self._stop()
        worker.close()

    def _stop(self) -> None:
        self._stopping = True
        self._listener.close()  # otherwise the kernel would accept connections that no worker serves
        for worker in self._workers:
            worker.process.terminate()


def _work(settings: Settings, listener: socket.socket, ready: Connection) -> None:
    try:
        asyncio.run(serve(settings, listener, lambda: ready.send_bytes(b"ready")))
    except StoreError as error:
        sys.stderr.write(f"photos: {error}\n")
        sys.exit(2)
