"""Checks that a framework is new enough, before its adapter is imported."""

from __future__ import annotations

import re

__all__ = ["require_version"]


def require_version(framework: str, installed: str, oldest: str) -> None:
    """Check the version of a framework. Newer ones than those that are tested are no error.

    Args:
        framework: its name.
        installed: its version.
        oldest: the oldest version that works, such as ``1.2``.

    Raises:
        ImportError: the installed version is older; the message names both.
    """
    if _numbers(installed) < _numbers(oldest):
        raise ImportError(f"async_oauth1 needs {framework} {oldest} or newer, and {installed} is installed.")


def _numbers(text: str) -> list[int]:
    """The release of a version, without what marks it as a pre-release (PEP 440)."""
    release = re.match(r"[0-9]+(?:\.[0-9]+)*", text)
    return [int(number) for number in release[0].split(".")] if release else []
