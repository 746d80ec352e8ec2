"""What an operator sees and does: restarts, recoveries, the stop, and stores that do not answer."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import httpx2
import pytest

from tests.examples.running import PATIENCE, STOPPED, Photos, photos
from tests.servers import Valkey, wait_until

from .test_workers import workers_of


def health(running: Photos) -> tuple[int, str]:
    """The status and text of the health check."""
    answer = httpx2.get(f"{running.url}/health", timeout=PATIENCE)
    return answer.status_code, answer.text


def wait_until_replaced(running: Photos, first: set[int]) -> None:
    """Wait until there are two workers, and none of the first."""
    wait_until(lambda: len(workers_of(running)) == 2 and not workers_of(running) & first, "the workers are replaced")


def test_health_names_the_store_that_does_not_answer(tmp_path: Path) -> None:
    """The answer has the option and the kind of store, but no address. Failure and recovery are logged once each."""
    nonces, store = tmp_path / "nonces.db", tmp_path / "photos.db"
    options = ("--nonces", f"sqlite:///{nonces}")
    with photos(*options, store=f"sqlite:///{store}") as running:
        assert health(running) == (200, "ok")
        nonces.rename(tmp_path / "aside.db")
        for _ in range(2):
            assert health(running) == (503, "does not answer: --nonces (sqlite)")
        store.rename(tmp_path / "aside2.db")
        assert health(running) == (503, "does not answer: --store (sqlite), --nonces (sqlite)")
        (tmp_path / "aside.db").rename(nonces)
        (tmp_path / "aside2.db").rename(store)
        assert health(running) == (200, "ok")
        assert running.stop() == 0
        errors = running.output[1]
    for name in ("--store (sqlite)", "--nonces (sqlite)"):
        assert errors.count(f"photos: health: {name} does not answer\n") == 1
        assert errors.count(f"photos: health: {name} answers again\n") == 1


def test_sighup_replaces_the_workers_one_by_one(tmp_path: Path) -> None:
    """No request is lost, and at least two workers serve all the time."""
    with photos("--workers", "2", store=f"sqlite:///{tmp_path}/photos.db") as running:
        first = workers_of(running)
        running.process.send_signal(signal.SIGHUP)

        def all_are_new() -> bool:
            assert health(running) == (200, "ok")
            now = workers_of(running)
            assert 2 <= len(now) <= 3
            return len(now) == 2 and not now & first

        wait_until(all_are_new, "all workers are new")
        assert running.stop() == 0
        errors = running.output[1]
    assert errors.startswith("photos: SIGHUP: restarting 2 workers, one by one\n")
    assert errors.count("takes over from worker") == 2
    assert "ended with status" not in errors
    assert errors.endswith(STOPPED)


def test_a_restart_survives_a_crash_and_a_hangup(tmp_path: Path) -> None:
    """A worker that is killed meanwhile is replaced. SIGHUP to the whole group, as of a terminal, restarts them too."""
    with photos("--workers", "2", store=f"sqlite:///{tmp_path}/photos.db") as running:
        first = workers_of(running)
        os.killpg(running.process.pid, signal.SIGHUP)
        os.kill(max(first), signal.SIGKILL)
        wait_until_replaced(running, first)
        assert health(running) == (200, "ok")
        assert running.stop() == 0


def test_a_restart_that_fails_keeps_the_workers(tmp_path: Path) -> None:
    """If a new worker cannot start, the restart is given up, and the old workers keep serving."""
    path = tmp_path / "photos.db"
    with photos("--workers", "2", store=f"sqlite:///{path}") as running:
        first = workers_of(running)
        path.rename(tmp_path / "aside.db")
        path.mkdir()
        running.process.send_signal(signal.SIGHUP)
        while "the restart is given up" not in running.next_error():
            pass
        assert workers_of(running) == first
        path.rmdir()
        (tmp_path / "aside.db").rename(path)
        assert health(running) == (200, "ok")


def test_a_worker_that_is_replaced_is_reported_as_ready(tmp_path: Path) -> None:
    """The log has the end of the old worker, and the readiness of the new one."""
    with photos("--workers", "2", store=f"sqlite:///{tmp_path}/photos.db") as running:
        first = workers_of(running)
        os.kill(min(first), signal.SIGKILL)
        assert running.next_error() == f"photos: worker {min(first)} ended with status -9\n"
        assert running.next_error().endswith(" is ready\n")


@pytest.mark.parametrize("arguments", [[], ["--workers", "2"]], ids=["one process", "two"])
def test_a_warning_about_redis_is_printed_once(tmp_path: Path, arguments: list[str]) -> None:
    """However many workers there are: the supervisor warns for all of them, also after a restart."""
    server = Valkey("--appendonly", "no")
    try:
        store = f"sqlite:///{tmp_path}/photos.db"
        with photos("--nonces", server.url, *arguments, store=store) as running:
            first = workers_of(running)
            if arguments:
                running.process.send_signal(signal.SIGHUP)
                wait_until_replaced(running, first)
            assert running.stop() == 0
            assert running.output[1].count("appendonly is off") == 1
    finally:
        server.close()
