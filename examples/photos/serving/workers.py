"""Several worker processes that serve one socket, and their supervisor."""

from __future__ import annotations

import asyncio
import logging
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
from examples.photos.storage import Storage

from .log import configure_logs, log
from .metrics import forget_worker, shared_by_workers
from .rolling_restart import RollingRestart, Worker
from .server import STOP_SIGNALS, ignore_stop_signals, serve
from .wakeup import drain, wakeup_descriptor

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
    with shared_by_workers():
        return _Supervisor(settings, listener, announce).run()


class _Worker(Worker):
    """A worker process, and the pipe on which it reports that it is ready."""

    def __init__(self, settings: Settings, listener: socket.socket) -> None:
        self.ready, theirs = _spawn.Pipe(duplex=False)
        self.is_ready = False
        # `spawn` passes the settings through a pipe. On a command line, all users could read their passwords.
        self.process: SpawnProcess = _spawn.Process(target=_work, args=(settings, listener, theirs))
        self.process.start()
        theirs.close()

    def becomes_ready(self) -> bool:
        """Read whether the worker is ready; returns ``True`` once."""
        if not self.is_ready and self.ready.poll():
            try:
                self.ready.recv_bytes()
            except EOFError:  # the worker is ending
                return False
            self.is_ready = True
            return True
        return False

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
        self._restart = RollingRestart()
        self._restart_asked = False
        self._stopping = False
        self._has_logged_stop = False
        self._status = 0

    def run(self) -> int:
        with wakeup_descriptor() as wakeup:
            self._handle_signals()
            for _ in range(self._settings.workers):
                self._start()
            while self._workers:
                wait([wakeup, *(event for worker in self._workers for event in worker.events())])
                drain(wakeup)
                self._look_after_workers()
                if self._stopping:
                    self._log_stop()
                else:
                    self._go_on()
        ignore_stop_signals()
        return self._status

    def _log_stop(self) -> None:
        if self._announce is None and not self._has_logged_stop:  # a failed start has its own message
            self._has_logged_stop = True
            log.info("stopping")

    def _handle_signals(self) -> None:
        # SIGHUP stays blocked in the processes that are started: a closed terminal sends it to all of them.
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP])
        # Started before the workers: its start unblocks the signals that `_start` blocks.
        resource_tracker.ensure_running()
        for number in STOP_SIGNALS:
            signal.signal(number, lambda *_: self._stop())
        signal.signal(signal.SIGHUP, lambda *_: self._ask_for_restart())
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGHUP])

    def _look_after_workers(self) -> None:
        for worker in tuple(self._workers):
            if worker.becomes_ready() and self._announce is None and not self._stopping:
                log.info("worker %d is ready", worker.process.pid)
            if worker.has_ended():
                self._remove(worker)

    def _go_on(self) -> None:
        """Announce the provider, and take the next step of a restart."""
        if self._announce and all(worker.is_ready for worker in self._workers):
            self._announce()
            self._announce = None
        if self._announce is None and self._restart_asked and not self._restart.is_under_way():
            self._restart_asked = False
            log.info("SIGHUP: restarting %d workers, one by one", len(self._workers))
            self._restart.begin(self._workers)
        self._restart.go_on(has_surplus=len(self._workers) > self._settings.workers)
        if self._restart.wants_successor():
            self._restart.successor = self._start()

    def _start(self) -> _Worker | None:
        # A worker inherits the blocked signals, and unblocks the stop signals when it has its handlers.
        blocked = [*STOP_SIGNALS, signal.SIGHUP]
        signal.pthread_sigmask(signal.SIG_BLOCK, blocked)
        try:
            if self._stopping:
                return None
            worker = _Worker(self._settings, self._listener)
            self._workers.append(worker)
            return worker
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, blocked)

    def _remove(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        forget_worker(worker.process.pid)
        is_expected = self._restart.ended(worker) or self._stopping
        if not is_expected:
            log.warning("worker %d ended with status %d", worker.process.pid, worker.process.exitcode)
        if self._announce and not self._stopping:  # during start-up: a new worker would fail in the same way
            self._status = 2
            self._stop()
        elif not self._stopping and len(self._workers) < self._settings.workers:
            time.sleep(0 if worker.is_ready else REPLACEMENT_PAUSE)
            self._start()
        worker.close()

    def _ask_for_restart(self) -> None:
        self._restart_asked = True

    def _stop(self) -> None:
        self._stopping = True
        self._listener.close()  # otherwise the kernel would accept connections that no worker serves
        for worker in self._workers:
            worker.process.terminate()


def _work(settings: Settings, listener: socket.socket, ready: Connection) -> None:
    configure_logs(settings.log_level)
    stores = logging.getLogger("async_oauth1.stores")
    stores.setLevel(logging.ERROR)  # the supervisor has opened them before, and logged their warnings

    def report(_: Storage) -> None:
        stores.setLevel(logging.NOTSET)
        ready.send_bytes(b"ready")

    try:
        asyncio.run(serve(settings, listener, report))
    except StoreError as error:
        sys.stderr.write(f"photos: {error}\n")
        sys.exit(2)
