"""Loads the extension, or does without it."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeAlias

__all__ = ["INTERFACE", "IN_USE", "STATE", "ReadParts", "ReadScope", "read", "read_scope"]

#: The version of the functions' arguments, results and meaning; the same number is in ``extension.c``.
INTERFACE = 2

#: Place, protocol parameters, realm, whether the header has other parameters, and the base string, if it was built.
#: Last the timestamp and the octets of all identifiers, if the lane wants nothing else of the parameters; otherwise 0.
ReadParts: TypeAlias = "tuple[str | None, dict[str, str], str | None, bool, str | None, int, int]"
#: Method, scheme, host, path, header fields, peer, whether the body is a form, and the octets of Authorization, query
#: and form; behind them the parts.
ReadScope: TypeAlias = tuple[
    str,
    str,
    str,
    bytes,
    tuple[tuple[bytes, bytes], ...],
    str | None,
    bool,
    tuple[bytes, bytes, bytes],
    str | None,
    dict[str, str],
    str | None,
    bool,
    str | None,
    int,
    int,
]


def _find_nothing(*_: Any) -> None:
    return None


def _load() -> tuple[Any, str]:
    """The extension, or ``None``; and a sentence about it."""
    if os.environ.get("ASYNC_OAUTH1_NATIVE") == "0":
        return None, "The native reader is turned off by ASYNC_OAUTH1_NATIVE=0."
    try:
        extension = import_module("async_oauth1.native.extension")
    except ModuleNotFoundError:
        return None, "The native reader is not installed: there was no C compiler, or this is not a usual CPython."
    except Exception as error:  # noqa: BLE001 - a broken file can raise anything, and is no reason not to serve
        return None, _warn_of(f"cannot be loaded ({ascii(str(error))[1:-1]})")
    found = getattr(extension, "INTERFACE", None)
    if found != INTERFACE or not (hasattr(extension, "read") and hasattr(extension, "read_scope")):
        return None, _warn_of(f"has the interface {found!r}, and this release needs {INTERFACE} ({extension.__file__})")
    return extension, f"The native reader is used: {extension.__file__}."


def _warn_of(problem: str) -> str:
    text = f"The native reader is not used: it {problem}. Reinstall async-oauth1, or remove the file."
    logging.getLogger("async_oauth1").warning("%s", text)
    return text


_extension, STATE = _load()

#: Whether requests are read natively.
IN_USE: bool = _extension is not None

#: Reads method, scheme, host, path, Authorization, query and form, with at most so many parameters.
read: Callable[[str, str, str, bytes, bytes, bytes, bytes, int], ReadParts | None]
read = _extension.read if _extension else _find_nothing
#: Reads an ASGI scope: the scope, the normal form of known hosts by scheme and field, the form, and the four limits of
#: `SizeLimits`.
read_scope: Callable[[Any, dict[str, dict[bytes, str]], bytes | None, int, int, int, int], ReadScope | None]
read_scope = _extension.read_scope if _extension else _find_nothing
