"""Certificates: a right one, and one for each way to be wrong."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.certificates import Authority

#: Name of the certificate, and what it is for.
Files = dict[str, tuple[Path, Path]]


@pytest.fixture(scope="package")
def folder() -> Iterator[Path]:
    """A folder that the servers may read, whoever they run as."""
    path = Path(tempfile.mkdtemp(prefix="oauth1-tls-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="package")
def authority(folder: Path) -> Authority:
    """The authority that signs the servers' certificates."""
    return Authority(folder, "authority")


@pytest.fixture(scope="package")
def other_authority(folder: Path) -> Authority:
    """An authority that has signed nothing."""
    return Authority(folder, "other")


@pytest.fixture(scope="package")
def certificates(authority: Authority) -> Files:
    """Certificates with their keys: ``right``, ``host`` (for another host) and ``expired``."""
    return {
        "right": authority.sign("right"),
        "host": authority.sign("host", ("store.example.com",)),
        "expired": authority.sign("expired", days=-1),
    }
