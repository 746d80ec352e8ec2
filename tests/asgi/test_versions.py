"""Frameworks that are too old are refused when their adapter is imported."""

from __future__ import annotations

import pytest

from async_oauth1.asgi.versions import require_version


@pytest.mark.parametrize("installed", ["0.120.9", "0.9", "0"])
def test_an_older_version(installed: str) -> None:
    """The error names both versions."""
    with pytest.raises(ImportError, match=rf"FastAPI 0\.121 or newer, and {installed} is installed"):
        require_version("FastAPI", installed, "0.121")


@pytest.mark.parametrize("installed", ["0.121", "0.121.0", "0.121.0rc1", "0.1000.1", "1.0"])
def test_newer_versions(installed: str) -> None:
    """Any newer version passes, however new."""
    require_version("FastAPI", installed, "0.121")
