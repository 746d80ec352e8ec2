"""Frameworks that are too old are refused when their adapter is imported."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from async_oauth1.asgi.versions import require_version


@pytest.fixture
def framework(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """An imported framework."""
    module = ModuleType("lute")
    monkeypatch.setitem(sys.modules, "lute", module)
    return module


@pytest.mark.parametrize("installed", ["0.120.9", "0.9", "0"])
def test_an_older_version(framework: ModuleType, installed: str) -> None:
    """The error names both versions."""
    framework.__dict__["__version__"] = installed
    with pytest.raises(ImportError, match=rf"lute 0\.121 or newer, and {installed} is installed"):
        require_version("lute", "0.121")


@pytest.mark.parametrize("installed", ["0.121", "0.121.0", "0.121.0rc1", "0.1000.1", "1.0"])
def test_newer_versions(framework: ModuleType, installed: str) -> None:
    """Any newer version passes, however new."""
    framework.__dict__["__version__"] = installed
    require_version("lute", "0.121")


def test_the_installed_distribution_counts_too() -> None:
    """A module without a version is judged by the distribution of its name."""
    with pytest.raises(ImportError, match=r"starlette 99 or newer, and [0-9.]+ is installed"):
        require_version("starlette", "99")
