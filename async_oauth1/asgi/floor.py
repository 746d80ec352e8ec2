"""Refuses to be imported beside a framework that is too old."""

from __future__ import annotations

import re
import sys
from contextlib import suppress
from importlib import metadata

__all__ = ["require_version"]


def require_version(package: str, oldest: str) -> None:
    """Check the version of a framework that is imported already. A newer one than was tested is accepted.

    Args:
        package: the name of the module, and of the distribution, such as ``starlette``.
        oldest: the oldest version that works, as in ``pyproject.toml``.

    Raises:
        ImportError: the framework is older; the message names both versions.
    """
    for found in _versions(package):
        if _numbers(found) < _numbers(oldest):
            raise ImportError(
                f"async_oauth1.{package} needs {package} {oldest} or newer, and {found} is installed: "
                f'pip install --upgrade "async-oauth1[{package}]"'
            )


def _versions(package: str) -> set[str]:
    """What the module says and what the installer says: another copy may shadow the installed one."""
    said = getattr(sys.modules.get(package), "__version__", None)
    found = {said} if isinstance(said, str) else set[str]()
    with suppress(metadata.PackageNotFoundError):
        found.add(metadata.version(package))
    return found


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])
