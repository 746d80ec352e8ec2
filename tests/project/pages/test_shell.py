"""What is wrong with a command is found."""

from __future__ import annotations

import pytest

from .shell import commands, problem
from .surroundings import ENVIRONMENT


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("async-oauth1 client add --name Printer --callback oob", ""),
        ("async-oauth1 client add --nam Printer", "--nam"),
        ("async-oauth1 client shw", "no command"),
        ("python -m async_oauth1 client lst", "no command"),
        ("make demo PORT=8", ""),
        ("make dmo", "make has no dmo"),
        ("pip install 'async-oauth1[quart,cli]'", ""),
        ("pip install 'async-oauth1[quartz]'", "no extra quartz"),
        ("hypercorn --bindings 127.0.0.1:8000 app:app", "--bindings"),
        ("an-unknown-program --help", "not installed"),
        ("export A=$(async-oauth1 keygn)", "no command"),
        ("cd photos && async-oauth1 client add --nme x", "--nme"),
    ],
)
def test_each_mistake_is_named(line: str, found: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of programs, commands, options, targets and extras; right ones pass."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    problems = "; ".join(filter(None, map(problem, commands(f"$ {line}\noutput --of it\n"))))
    assert found in problems
    assert bool(found) == bool(problems)
