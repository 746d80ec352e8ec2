"""The demo."""

from __future__ import annotations

import re
import signal
import subprocess
import sys

from .running import PATIENCE, environment, run


def test_the_demo_succeeds() -> None:
    """It shows the photo and the refused replay, and stops the provider, within a minute, which `run` waits."""
    told = run("examples.demo")
    assert (told.returncode, told.stderr) == (0, "")
    assert re.match(r"photos: listening on http://127\.0\.0\.1:\d+\n", told.stdout)
    assert '"owner":"jane"' in told.stdout.replace(" ", "")
    assert told.stdout.endswith("photos: stopped with exit status 0\n")


def test_the_demo_can_keep_the_provider_running() -> None:
    """Ctrl-C ends both without an error."""
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "examples.demo", "--serve"],
        env=environment(),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as demo:
        assert demo.stdout is not None
        for line in demo.stdout:
            if line.startswith("The provider goes on"):
                break
        demo.send_signal(signal.SIGINT)
        output, errors = demo.communicate(timeout=PATIENCE)
    assert (demo.returncode, errors) == (0, "")
    assert output.endswith("photos: stopped with exit status 0\n")
