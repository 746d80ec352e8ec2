"""Check the name and the arguments of a hook when it is registered, and not at the first request."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Collection
from typing import Any

from . import protocols
from .problems import name_of

__all__ = ["check_signature", "hook_parameters", "unknown_hook"]


def hook_parameters(name: str) -> tuple[str, ...] | None:
    """The names of the arguments that a hook is always called with; ``None`` if it has no Protocol."""
    protocol = getattr(protocols, name.title().replace("_", ""), None)
    if protocol is None:
        return None
    _, *parameters = inspect.signature(protocol.__call__).parameters.values()
    return tuple(parameter.name for parameter in parameters if parameter.default is parameter.empty)


def check_signature(name: str, func: Callable[..., Any]) -> None:
    """Refuse a function that cannot be called as this hook is.

    Raises:
        TypeError: the function takes other arguments.
    """
    parameters = hook_parameters(name)
    if parameters is None:
        return
    try:
        # What is called is the decorated function: it may take other arguments than the one that it wraps.
        signature = inspect.signature(func, follow_wrapped=False)
    except Exception:  # noqa: BLE001 - builtins have no signature, and a proxy may raise anything
        return
    try:
        signature.bind(*parameters)
    except TypeError as error:
        # Without its default values: they may be secrets.
        taken = f"{name_of(func)}({', '.join(signature.parameters)})"
        called = f"{name}({', '.join(parameters)})"
        raise TypeError(f'The hook "{name}" is called as {called}, not as {taken}: {error}.') from None


def unknown_hook(name: object, known: Collection[str]) -> str:
    """The message about a name that is no hook of a server, with the nearest one."""
    nearest = difflib.get_close_matches(str(name), known, 1, 0.5)
    suggestion = f' Did you mean "{nearest[0]}"?' if nearest else ""
    return f'Invalid "name" of hook: {name!r}.{suggestion} Known are {", ".join(known)}.'
