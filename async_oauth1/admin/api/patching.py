"""JSON Patch (RFC 6902) and JSON Merge Patch (RFC 7396) of a document."""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from typing import Any, cast

from .problems import ProblemError

__all__ = ["merge_patched", "patched"]

_MAX_OPERATIONS = 100
_INDEX = re.compile(r"0|[1-9][0-9]{0,5}")


def patched(document: dict[str, Any], operations: Any) -> dict[str, Any]:
    """The document after some operations; the given one stays as it is.

    Args:
        document: a JSON object.
        operations: a JSON Patch document.

    Raises:
        ProblemError: 400 for a malformed patch, 409 for one that does not apply.
    """
    if not isinstance(operations, list):
        raise ProblemError(
            400, "A JSON Patch is an array of operations; send an object as application/merge-patch+json."
        )
    each = cast("Sequence[Any]", operations)
    if len(each) > _MAX_OPERATIONS:
        raise ProblemError(400, f"A JSON Patch has at most {_MAX_OPERATIONS} operations.")
    root: dict[str, Any] = {"": copy.deepcopy(document)}
    for number, operation in enumerate(each):
        try:
            _apply(root, operation)
        except ProblemError as error:
            raise ProblemError(error.status, f"Operation {number} of the patch: {error.detail}") from None
    result: Any = root.get("")
    if not isinstance(result, dict):
        raise ProblemError(400, "The patch replaces the client by something that is not an object.")
    return cast("dict[str, Any]", result)


def merge_patched(document: dict[str, Any], patch: Any) -> dict[str, Any]:
    """The document with the members of a merge patch; ``null`` removes one.

    Raises:
        ProblemError: 400, the patch is not an object.
    """
    if not isinstance(patch, dict):
        raise ProblemError(400, "A merge patch is an object.")
    members = {**document, **cast("dict[str, Any]", patch)}
    return {name: value for name, value in members.items() if value is not None or name not in patch}


def _apply(root: dict[str, Any], operation: Any) -> None:
    if not isinstance(operation, dict):
        raise ProblemError(400, "it is not an object.")
    members = cast("dict[str, Any]", operation)
    name, path = members.get("op"), _pointer(members, "path")
    if name in ("add", "replace", "test") and "value" not in members:
        raise ProblemError(400, 'it has no "value".')
    if name == "add":
        _add(root, path, members["value"])
    elif name == "remove":
        _remove(root, path)
    elif name == "replace":
        _remove(root, path)
        _add(root, path, members["value"])
    elif name == "test":
        if not _is_equal(_get(root, path), members["value"]):
            raise ProblemError(409, "the test fails.")
    elif name in ("move", "copy"):
        source = _pointer(members, "from")
        value = copy.deepcopy(_get(root, source))
        if name == "move":
            _remove(root, source)
        _add(root, path, value)
    else:
        raise ProblemError(400, '"op" is add, remove, replace, move, copy or test.')


def _pointer(operation: dict[str, Any], name: str) -> list[str]:
    """The tokens of a JSON Pointer (RFC 6901), after the one of the root."""
    pointer = operation.get(name)
    if not isinstance(pointer, str) or (pointer and not pointer.startswith("/")):
        raise ProblemError(400, f'"{name}" is not a JSON Pointer.')
    return [token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")]


def _parent(root: dict[str, Any], path: list[str]) -> dict[str, Any] | list[Any]:
    value = _get(root, path[:-1]) if len(path) > 1 else root
    if not isinstance(value, (dict, list)):
        raise _missing(path)
    return cast("dict[str, Any] | list[Any]", value)


def _get(root: dict[str, Any], path: list[str]) -> Any:
    value: Any = root
    for token in path:
        if isinstance(value, list):
            items = cast("Sequence[Any]", value)
            value = items[_index(token, path, len(items) - 1)]
        elif isinstance(value, dict) and token in value:
            value = cast("dict[str, Any]", value)[token]
        else:
            raise _missing(path)
    return value


def _add(root: dict[str, Any], path: list[str], value: Any) -> None:
    parent = _parent(root, path)
    if isinstance(parent, list):
        index = len(parent) if path[-1] == "-" else _index(path[-1], path, len(parent))
        parent.insert(index, value)
    else:
        parent[path[-1]] = value


def _remove(root: dict[str, Any], path: list[str]) -> None:
    _get(root, path)
    parent = _parent(root, path)
    if isinstance(parent, list):
        del parent[int(path[-1])]
    else:
        del parent[path[-1]]


def _index(token: str, path: list[str], last: int) -> int:
    if not _INDEX.fullmatch(token) or int(token) > last:
        raise _missing(path)
    return int(token)


def _is_equal(one: Any, other: Any) -> bool:
    """Whether two values are equal in JSON; Python takes True for 1."""
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def _missing(path: list[str]) -> ProblemError:
    return ProblemError(409, f"there is no {'/'.join(path)[:100]!a}.")
