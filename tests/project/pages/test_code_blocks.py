"""Every code block of README and the documentation runs, or is parsed by what it is for."""

from __future__ import annotations

import ast
import asyncio
import inspect
import json
import logging
import re
import sqlite3
import sys
import tomllib
from collections.abc import Callable, Iterator
from configparser import ConfigParser
from itertools import groupby
from pathlib import Path
from types import ModuleType

import hypothesis  # noqa: F401 - a page uses it, and imported only then it warns of trio's generator
import pytest
import yaml

from .blocks import Block, blocks, blocks_of
from .shell import commands, problem
from .surroundings import CHANGES, ENVIRONMENT, PAGES, USUAL

#: Languages whose blocks a test of its own runs, and that test.
ELSEWHERE = {
    "nginx": "tests/attacks/transport/test_documented_proxies.py",
    "caddyfile": "tests/attacks/transport/test_documented_proxies.py",
}
#: Blocks that do not run: the page, a text in the block, and why.
NOT_RUN: dict[tuple[str, str], str] = {}
#: What reads data.
READERS: dict[str, Callable[[str], object]] = {
    "json": json.loads,
    "toml": tomllib.loads,
    "yaml": yaml.safe_load,
    "ini": lambda text: ConfigParser().read_string(text) is None,
}
PROGRAMS = {page: list(group) for page, group in groupby(blocks_of("python"), lambda block: block.page)}


@pytest.fixture
def page_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A directory of its own, the environment, and logging as it was before."""
    monkeypatch.chdir(tmp_path)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    loggers = [logging.getLogger(name) for name in (None, "async_oauth1", "async_oauth1.decisions")]
    before = [(logger.level, logger.handlers[:]) for logger in loggers]
    yield
    for logger, (level, handlers) in zip(loggers, before, strict=True):
        logger.setLevel(level)
        logger.handlers[:] = handlers


async def run(block: Block, module: ModuleType) -> None:
    """Run a block as Python does, and as `python -m asyncio` if it awaits something."""
    for (page, text), change in CHANGES.items():
        if page == block.page and text in block.text:
            exec(change, vars(module))
    text = "\n" * block.line + block.text
    code = compile(text, block.page, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    if "asyncio.run(" in block.text:  # this starts a loop, and there is one in this thread
        await asyncio.to_thread(exec, code, vars(module))
        return
    result = eval(code, vars(module))
    if inspect.iscoroutine(result):
        await result


@pytest.mark.parametrize("page", PROGRAMS)
async def test_the_programs_of_a_page_run(page: str, page_environment: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """One after the other, each with the names of those before."""
    module = ModuleType("page")
    monkeypatch.setitem(sys.modules, "page", module)
    exec(USUAL + PAGES.get(page, ""), vars(module))
    running = asyncio.all_tasks()
    for block in PROGRAMS[page]:
        await run(block, module)
    for task in asyncio.all_tasks() - running:
        task.cancel()
    for left in vars(module).values():  # from Python 3.13 on, an open one is a warning
        if isinstance(left, sqlite3.Connection):
            left.close()


@pytest.mark.parametrize("block", blocks_of("console"), ids=lambda block: block.place)
def test_the_commands_exist_with_their_options(block: Block, page_environment: None) -> None:
    """Each line is a command that can be started with these arguments."""
    assert commands(block.text), f"{block.place} has no command"
    assert [found for command in commands(block.text) if (found := problem(command))] == []


@pytest.mark.parametrize("block", blocks_of("diff"), ids=lambda block: block.place)
def test_what_a_diff_adds_can_be_imported(block: Block) -> None:
    """Each import on one line is executed; all other lines are added or removed."""
    lines = block.text.splitlines()
    assert all(line[0] in "+- " for line in lines)
    for line in lines:
        if re.match(r"\+(?:from|import) .*[^(]$", line):
            exec(line[1:], {})


@pytest.mark.parametrize("block", blocks_of(*READERS), ids=lambda block: block.place)
def test_data_can_be_read(block: Block) -> None:
    """Each document is well-formed, and not empty."""
    assert READERS[block.language](block.text)


@pytest.mark.parametrize("block", blocks_of("sql", "postgresql"), ids=lambda block: block.place)
def test_statements_are_valid(block: Block) -> None:
    """SQLite prepares each of them, with the tables of the pages."""
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE pins (consumer_key text PRIMARY KEY, value text)")
    for statement in filter(str.strip, block.text.split(";")):
        database.execute(f"EXPLAIN {statement}", dict.fromkeys(map(str, range(1, 10)), ""))
    database.close()


def test_every_block_is_run() -> None:
    """Or, if it is text, shown for what it says. A list above has what is left, and no more."""
    run_here = {"python", "console", "diff", "sql", "postgresql", *READERS, *ELSEWHERE}
    left = [block for block in blocks() if block.language not in run_here | {"text"}]
    listed = {key for key in NOT_RUN for block in left if block.page == key[0] and key[1] in block.text}
    not_listed = [
        f"{block.place}: give the block a language" if not block.language else f"{block.place}: {block.language}"
        for block in left
        if not any(block.page == page and text in block.text for page, text in NOT_RUN)
    ]
    assert not_listed == []
    assert listed == set(NOT_RUN)


def test_the_tests_that_run_other_languages_exist(repository: Path) -> None:
    """And they read the page."""
    for test in set(ELSEWHERE.values()):
        assert '"deploying.md"' in (repository / test).read_text(encoding="utf-8")
    assert {block.page for block in blocks_of(*ELSEWHERE)} == {"docs/deploying.md"}
