"""Runs ``python -m examples.lti_tool`` and launches it over HTTP, as a browser does."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path

import requests

from tests.examples.running import PATIENCE, STRICT, environment
from tests.servers import wait_until

SECRET = "the secret of the course, as long as it has to be"
_FIELD = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)">')


@dataclass(frozen=True)
class Demo:
    """The running tool and course.

    Attributes:
        tool: its URL.
        course: its URL; empty if the tool runs alone.
        log: the file that both write to.
    """

    tool: str
    course: str
    log: Path

    @property
    def port(self) -> int:
        """The port on which the tool listens; a proxy may be in front of it."""
        self.logged("is listening on port")
        return int(self.log.read_text().split("is listening on port ")[1].split()[0])

    def form(self, person: str = "jane", fault: str = "") -> tuple[str, list[tuple[str, str]]]:
        """The URL and the fields that the course lets the browser post."""
        page = requests.get(f"{self.course}/launch", params={"person": person, "fault": fault}, timeout=PATIENCE).text
        action = re.search(r'action="([^"]*)"', page)
        assert action is not None
        return unescape(action[1]), fields(page)

    def launch(self, person: str = "jane", fault: str = "") -> requests.Response:
        """What the tool answers to a launch."""
        url, form = self.form(person, fault)
        return requests.post(url, data=form, timeout=PATIENCE, allow_redirects=False)

    def logged(self, text: str) -> None:
        """Wait until the log has a text."""
        wait_until(lambda: text in self.log.read_text(), f"{text!r} is logged")


def fields(page: str) -> list[tuple[str, str]]:
    """The hidden fields of a page."""
    return [(unescape(name), unescape(value)) for name, value in _FIELD.findall(page)]


@contextmanager
def lti_demo(*arguments: str) -> Iterator[Demo]:
    """Start the tool and the course on free ports, and stop them afterwards.

    Raises:
        AssertionError: they did not start, did not stop cleanly, or wrote a traceback or the secret.
    """
    command = [sys.executable, *STRICT, "-m", "examples.lti_tool", "--port", "0", "--course-port", "0"]
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with log.open("w") as errors:
            process = subprocess.Popen(
                [*command, *arguments],
                env=environment(LTI_DEMO_SECRET=SECRET),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        try:
            assert process.stdout is not None
            names = ["tool"] if "--tool-only" in arguments else ["tool", "course"]
            announced = dict(process.stdout.readline().split(": ", 1) for _ in names)
            assert list(announced) == names, log.read_text()
            yield Demo(announced["tool"].strip(), announced.get("course", "").strip(), log)
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=PATIENCE)
            written = log.read_text()
            assert process.returncode == 0, written
            assert "Traceback" not in written, written
            assert SECRET not in written
        finally:
            process.kill()
            process.communicate()
