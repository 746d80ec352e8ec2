"""A tutorial, followed step by step: its files, its commands with what they print, and the user in the browser."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.servers.processes import PATIENCE, free_ports, wait_until_it_listens

#: A file, a block of commands, or an address that the user opens.
_STEP = re.compile(r"^```(python|console)\n(.*?)^```$|^The user opens `(\S+)`", re.MULTILINE | re.DOTALL)
#: What a test does not repeat: it has an environment of its own.
_INSTALLING = re.compile(r"mkdir |cd |python3 -m venv |\. \.venv/|pip install ")
_SERVERS = {"hypercorn": ("--bind", "127.0.0.1:{port}"), "uvicorn": ("--port", "{port}")}
#: The words that stand for what was printed before, and the names that they were printed under.
_WORDS = {
    "CLIENT_SECRET": "client_secret",
    "CLIENT_ID": "client_id",
    "TOKEN_SECRET": "oauth_token_secret",
    "TOKEN": "oauth_token",
}
_WORD = re.compile(r"(?<![A-Z_])(?:CLIENT_SECRET|CLIENT_ID|TOKEN_SECRET|TOKEN|CODE)(?![A-Z_=])")


def _own_environment() -> dict[str, str]:
    """The environment of a terminal in which the packages are installed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ASYNC_OAUTH1_", "COV_"))}
    return {**kept, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


@dataclass
class Reader:
    """Follows a tutorial in a directory, and compares what is printed with what the page says."""

    directory: Path
    port: int = field(default_factory=lambda: free_ports(1)[0])
    printed: dict[str, str] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)
    _server: subprocess.Popen[str] | None = None
    _serve: list[str] = field(default_factory=list)
    _environment: dict[str, str] = field(default_factory=_own_environment)

    def follow(self, page: str) -> None:
        """Do every step of a page."""
        for language, content, address in _STEP.findall(page):
            if language == "python":
                self._write(content)
            elif language == "console":
                for command, output in _commands(content):
                    self._do(command, output)
            else:
                self._approve(self._filled(address))

    def close(self) -> None:
        """Stop the server; fails if it printed a traceback."""
        if self._server is not None:
            self._server.terminate()
            output = self._server.communicate(timeout=PATIENCE)[0]
            assert "Traceback" not in output, output
            self._server = None

    def _write(self, content: str) -> None:
        """Save the program, or add to it and restart the server."""
        with (self.directory / "app.py").open("a", encoding="utf-8") as program:
            program.write("\n\n" + content)
        if self._serve:
            self.close()
            self._start()

    def _do(self, command: str, expected: str) -> None:
        if _INSTALLING.match(command):
            return
        self.commands.append(command)
        program, *arguments = shlex.split(command)
        if program in _SERVERS:
            self._serve = [sys.executable, "-m", program, *arguments, *_SERVERS[program]]
            self._start()
        else:
            self._compare(command, expected, self._run(self._filled(command)))

    def _run(self, command: str) -> str:
        """Run a command, and keep the variables that it sets."""
        script = f"{command}\necho; echo ----; env -0"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.directory,
            env=self._environment,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
        output, _, variables = done.stdout.decode().rpartition("\n----\n")
        self._environment = dict(pair.split("=", 1) for pair in variables.split("\0") if pair)
        text = f"{output.strip()}\n{done.stderr.decode()}"
        self.printed |= dict(re.findall(r"\b(\w+): (\S+)$", text, re.MULTILINE))
        self.printed |= dict(re.findall(r"(\w+)=([\w-]+)(?=&|\s)", output + "\n"))
        return text

    def _compare(self, command: str, expected: str, printed: str) -> None:
        """Every line of the page is in the output, in this order; ``...`` stands for anything."""
        pattern = ".*".join(re.escape(part) for part in re.split(r"\.\.\.", expected.strip()))
        assert re.search(pattern, printed, re.DOTALL), (
            f"$ {command}\nprinted:\n{printed}\nand the page says:\n{expected}"
        )

    def _filled(self, text: str) -> str:
        """The words in capital letters replaced by what was printed, and the port by a free one."""

        def value(word: re.Match[str]) -> str:
            return self.printed[_WORDS.get(word[0], word[0])]

        return _WORD.sub(value, text).replace(":8000", f":{self.port}")

    def _start(self) -> None:
        command = [part.format(port=self.port) for part in self._serve]
        self._server = subprocess.Popen(
            command,
            cwd=self.directory,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        wait_until_it_listens(self._server, self.port)

    def _approve(self, page: str) -> None:
        """Press the button, and read the code."""
        assert '<form method="post">' in httpx.get(page).text
        self.printed["CODE"] = httpx.post(page).text


def _commands(block: str) -> Iterator[tuple[str, str]]:
    """Each command of a block, and what it should print."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield command, output
