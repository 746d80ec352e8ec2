"""A protected request takes few calls, in few files."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from async_oauth1 import native
from tests.servers import Valkey
from tools.request_path import GOALS

_LINE = re.compile(r"(\w+): (\d+) calls in (\d+) files")


def test_each_path_is_as_short_as_its_goal(repository: Path) -> None:
    """The figures are those of the script, in a process of its own: Quart calls a facade that is imported, too.

    Each path takes as many calls in as many files as its goal says, or fewer.
    """
    server = Valkey()
    try:
        command = [sys.executable, "-m", "tools.request_path", server.url]
        done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=repository)
    finally:
        server.close()
    assert done.returncode == 0, done.stderr
    paths = {name: (int(calls), int(files)) for name, calls, files in _LINE.findall(done.stdout)}
    goals = GOALS[native.IN_USE]
    assert paths.keys() == goals.keys()
    assert {name: path for name, path in paths.items() if path[0] > goals[name][0] or path[1] > goals[name][1]} == {}
