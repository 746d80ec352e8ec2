"""The page of the command line, from typer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer.main

from async_oauth1.cli import app

from .markdown import MADE, table

__all__ = ["page"]

_ABOUT = """# Command line

The command `async-oauth1` comes with the extra `cli`, and `python -m async_oauth1` is the same. Results go to standard
output, and messages to standard error. A mistake is one line and exit status 2. `async-oauth1 COMMAND --help` prints
what is below.

"""


def page() -> str:
    """The page, with a section for each command."""
    sections = [_section(name, command) for name, command in _commands("async-oauth1", typer.main.get_command(app))]
    return MADE + _ABOUT + "\n".join(sections)


def _commands(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    """Each command that can be run, with its whole name."""
    children = getattr(command, "commands", None)
    if children is None:
        yield name, command
        return
    for word, child in sorted(children.items()):
        yield from _commands(f"{name} {word}", child)


def _section(name: str, command: Any) -> str:
    arguments = [parameter for parameter in command.params if parameter.param_type_name == "argument"]
    options = [parameter for parameter in command.params if parameter.param_type_name == "option"]
    usage = " ".join([name, *("[OPTIONS]" for _ in options[:1]), *map(_argument, arguments)])
    rows = [(f"`{_argument(parameter)}`", _text(parameter)) for parameter in arguments]
    rows += [(_option(parameter), _text(parameter)) for parameter in options if _is_shown(parameter)]
    return f"## `{name}`\n\n{_prose(command.help)}\n\n```text\n{usage}\n```\n\n{table(('', ''), rows)}"


def _is_shown(option: Any) -> bool:
    return not getattr(option, "hidden", False)


def _argument(argument: Any) -> str:
    """Its name, in brackets if it may be left out."""
    name = (argument.metavar or argument.name.upper()).strip("[]")
    return name if argument.required else f"[{name}]"


def _option(option: Any) -> str:
    names = ", ".join([*option.opts, *option.secondary_opts])
    return f"`{names} {option.metavar}`" if option.metavar and not option.is_flag else f"`{names}`"


def _text(parameter: Any) -> str:
    """What it is for, whether it is required, its default, and the variable that sets it."""
    parts = [_prose(parameter.help)]
    if parameter.param_type_name == "option" and parameter.required:
        parts.append("Required.")
    if isinstance(parameter.default, str | int | float) and not isinstance(parameter.default, bool):
        parts.append(f"Default: `{parameter.default}`.")
    if parameter.envvar:
        names = parameter.envvar if isinstance(parameter.envvar, list | tuple) else [parameter.envvar]
        parts.append(f"Environment: {', '.join(f'`{name}`' for name in names)}.")
    return " ".join(filter(None, parts))


def _prose(text: str | None) -> str:
    """Text in which no character is Markdown."""
    return (
        " ".join((text or "").replace("\f", " ").split()).replace("<", "&lt;").replace("*", "\\*").replace("_", "\\_")
    )
