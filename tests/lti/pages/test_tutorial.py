"""The programs of the tutorial, as a reader would run them."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from tests.servers.processes import free_ports, unmeasured_environment, wait_until_it_listens

PATIENCE = 60
_FIELD = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)">')


def programs(repository: Path, page: str) -> list[str]:
    """The Python programs of a page."""
    return re.findall(r"^```python\n(.*?)^```$", (repository / "docs" / page).read_text(), re.MULTILINE | re.DOTALL)


@pytest.fixture
def urls(repository: Path, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The URLs of tool and course, each under hypercorn, on free ports instead of the tutorial's."""
    ports = dict(zip(("tool", "course"), free_ports(2), strict=True))
    environment = {
        **unmeasured_environment(),
        "LTI_SECRET": "a random secret of the test",
        "PYTHONPATH": str(repository),
    }
    with ExitStack() as running:
        for name, program in zip(ports, programs(repository, "lti-tutorial.md"), strict=True):
            for fixed, port in (("8000", ports["tool"]), ("8001", ports["course"])):
                program = program.replace(f":{fixed}", f":{port}")  # noqa: PLW2901
            (tmp_path / f"{name}.py").write_text(program)
            command = [sys.executable, "-m", "hypercorn", "--bind", f"127.0.0.1:{ports[name]}", f"{name}:app"]
            server = running.enter_context(subprocess.Popen(command, cwd=tmp_path, env=environment))
            running.callback(server.terminate)
            wait_until_it_listens(server, ports[name])
        yield {"tool": f"http://127.0.0.1:{ports['tool']}", "course": f"http://localhost:{ports['course']}"}


def posted(url: str, page: str, **more: str) -> requests.Response:
    """What a browser gets when it posts the form of a page."""
    fields = [(html.unescape(name), html.unescape(value)) for name, value in _FIELD.findall(page)]
    return requests.post(url, data=[*fields, *more.items()], timeout=PATIENCE)


def test_the_tutorial_ends_with_a_grade(urls: dict[str, str]) -> None:
    """The launch is accepted once, and the grade of the answer arrives in the course."""
    course = requests.get(f"{urls['course']}/", timeout=PATIENCE).text
    question = posted(f"{urls['tool']}/launch", course)
    assert question.status_code == 200
    assert "Hello Jane Doe" in question.text
    assert "used before" in posted(f"{urls['tool']}/launch", course).text
    assert "grade of 100%" in posted(f"{urls['tool']}/answer", question.text, answer="42").text
    assert requests.get(f"{urls['course']}/grades", timeout=PATIENCE).json() == {"question-1:jane": 1.0}
    assert posted(f"{urls['tool']}/answer", question.text, answer="42").status_code == 403
