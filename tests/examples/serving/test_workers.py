"""Two worker processes on one socket."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import httpx2

from tests.examples.jane import Jane, Printer
from tests.examples.running import PATIENCE, STOPPED, Photos, photos
from tests.servers import wait_until


def workers_of(running: Photos) -> set[int]:
    """The process identifiers of its workers."""
    listed = subprocess.run(["ps", "-A", "-ww", "-o", "pid=,ppid=,args="], check=True, capture_output=True, text=True)
    rows = [line.split(None, 2) for line in listed.stdout.splitlines()]
    return {int(pid) for pid, parent, command in rows if int(parent) == running.process.pid and "spawn_main" in command}


def test_workers_share_sessions_nonces_and_tokens(provider_of_two: Photos) -> None:
    """Both workers give the same answers."""
    with Jane(provider_of_two.url) as jane:
        jane.sign_in()
        printer = Printer(provider_of_two.url)
        printer.let_in_by(jane)
        # Each connection is served by one worker; twelve connections reach both.
        assert {httpx2.get(f"{jane.http.base_url}", cookies=jane.http.cookies).status_code for _ in range(12)} == {200}
        assert {printer.photo().status_code for _ in range(12)} == {200}
        url, headers, _ = printer.signed("GET", "/photos", token=printer.token)
        assert [httpx2.get(url, headers=headers).status_code for _ in range(6)] == [200] + 5 * [401]
    assert len(workers_of(provider_of_two)) == 2


def test_a_killed_worker_is_replaced(tmp_path: Path) -> None:
    """This also holds before it is ready; the other worker continues, and each is reported in one line."""
    with photos("--workers", "2", store=f"sqlite:///{tmp_path}/photos.db") as running:
        first = workers_of(running)
        os.kill(min(first), signal.SIGKILL)
        wait_until(lambda: len(workers_of(running) - first) == 1, "the worker is replaced")
        (second,) = workers_of(running) - first
        os.kill(second, signal.SIGKILL)
        wait_until(lambda: len(workers_of(running) - first - {second}) == 1, "the second is replaced, too")
        assert httpx2.get(f"{running.url}/health", timeout=PATIENCE).status_code == 200
        assert running.stop() == 0
        output, errors = running.output
        assert output == ""
        for ended in (min(first), second):
            assert errors.count(f"photos: worker {ended} ended with status -9\n") == 1
        assert errors.endswith(STOPPED)


def test_workers_end_with_their_supervisor(tmp_path: Path) -> None:
    """After SIGKILL of the supervisor, no worker remains."""
    with photos("--workers", "2", store=f"sqlite:///{tmp_path}/photos.db") as running:
        workers = workers_of(running)
        running.process.kill()
        running.process.wait(PATIENCE)
        wait_until(lambda: not any(is_running(pid) for pid in workers), "all workers have ended")
        running.ended()


def is_running(pid: int) -> bool:
    """Whether a process exists and is not a zombie."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], check=False, capture_output=True, text=True).stdout
    return bool(state.strip()) and not state.startswith("Z")
