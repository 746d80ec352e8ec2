"""Commands in the documentation: what they start, and whether it takes these arguments."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from functools import cache
from typing import Any

import typer.main

from async_oauth1.cli import app

from .blocks import ROOT

#: Words that only the shell understands.
_BUILT_IN = {"export", "set", "unset", ".", "cd", "wait"}
_SEPARATORS = re.compile(r"&&|\|\||[;|&()]+")


def commands(text: str) -> list[list[str]]:
    """The commands of a block, split into words. In a block with prompts, other lines are output."""
    lines = text.replace("\\\n", " ").splitlines()
    if any(line.startswith("$ ") for line in lines):
        lines = [line[2:] for line in lines if line.startswith("$ ")]
    return [command for line in lines for command in _split(line)]


def _split(line: str) -> list[list[str]]:
    """The commands of a line: between separators, and within ``$(...)``."""
    inner = [command for text in re.findall(r"\$\(([^()]*(?:\([^()]*\))?[^()]*)\)", line) for command in _split(text)]
    lexer = shlex.shlex(re.sub(r"\$\(.*\)", "VALUE", line), posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    found: list[list[str]] = [[]]
    for word in lexer:
        if _SEPARATORS.fullmatch(word):
            found.append([])
        else:
            found[-1].append(word)
    return [command for command in found if command] + inner


def problem(command: list[str]) -> str:
    """Why a command cannot be started, or an empty string."""
    words = [word for word in command if not re.fullmatch(r"[A-Z_0-9]+=.*", word)]
    for redirection in (">", "<", ">>"):
        if redirection in words:
            words = words[: words.index(redirection)]
    if not words or words[0] in _BUILT_IN:
        return ""
    program, *arguments = words
    program = program.rpartition("/bin/")[2] or program
    if program.startswith("python") and arguments[:1] == ["-m"] and arguments[1] != "venv":
        program, *arguments = arguments[1:]
    check = _CHECKS.get(program, _is_installed if program == words[0] else _is_module)
    return check(program, arguments)


def _is_installed(program: str, arguments: list[str]) -> str:
    return "" if shutil.which(program) or (ROOT / program).exists() else f"{program} is not installed"


def _is_module(program: str, arguments: list[str]) -> str:
    """A module of this repository, or a program, whose ``--help`` has each option."""
    options = [argument.partition("=")[0] for argument in arguments if argument.startswith("-")]
    return next((f"{program} has no {option}" for option in options if option not in _help(program)), "")


@cache
def _help(module: str) -> str:
    command = [sys.executable, "-m", module, "--help"]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True).stdout


def _of_ours(_program: str, arguments: list[str]) -> str:
    """A command of ``async-oauth1``: its arguments are parsed as the program does, and nothing is run."""
    command: Any = typer.main.get_command(app)
    rest = arguments[:]
    while rest and rest[0] in getattr(command, "commands", ()):
        command = command.commands[rest.pop(0)]
    if rest and hasattr(command, "commands") and not rest[0].startswith("-"):
        return f"async-oauth1 has no command {' '.join(arguments)}"
    try:
        command.make_context("async-oauth1", rest).close()
    except typer.Exit:
        return ""
    except Exception as error:
        # typer has a copy of click's exceptions, or click's own, which depends on its version.
        if not hasattr(error, "format_message"):
            raise
        return f"async-oauth1 {' '.join(arguments)}: {error.format_message()}"
    return ""


def _of_make(_program: str, arguments: list[str]) -> str:
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    return next((f"make has no {word}" for word in arguments if "=" not in word and word not in targets), "")


def _of_pip(_program: str, arguments: list[str]) -> str:
    """``pip install`` of our own extras, if they are named."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = [extra for word in arguments for found in re.findall(r"\[([\w,-]+)\]", word) for extra in found.split(",")]
    return next((f"there is no extra {extra}" for extra in named if extra not in project["optional-dependencies"]), "")


_CHECKS = {
    "async-oauth1": _of_ours,
    "async_oauth1": _of_ours,
    "make": _of_make,
    "pip": _of_pip,
    "hypercorn": _is_module,
}
_CHECKS |= {"uvicorn": _is_module}
