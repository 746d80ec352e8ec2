"""Check what is published: `python -m tools.release`, which `make release-check` runs.

Builds the source distribution and the wheel, and checks both. Installs the wheel with each extra in an environment of
its own, and imports what the extra is for. Runs the demo with the packages of the wheel.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

from .imports import ROOT

#: What each extra is for: modules that can be imported with it. The extras of development are not listed.
MODULES: dict[str, tuple[str, ...]] = {
    "": ("async_oauth1", "async_oauth1.asgi", "async_oauth1.explain", "async_oauth1.stores"),
    "admin": ("async_oauth1.admin.page",),
    "cli": ("async_oauth1.cli",),
    "django": ("async_oauth1.django",),
    "fastapi": ("async_oauth1.fastapi",),
    "flask": ("flask_compat", "flask_compat.frameworks.flask"),
    "keys": ("async_oauth1.stores.encryption",),
    "limits": ("limits",),
    "litestar": ("async_oauth1.litestar",),
    "lti": ("async_oauth1.lti",),
    "opentelemetry": ("opentelemetry.metrics",),
    "postgres": ("async_oauth1.stores.postgres",),
    "prometheus": ("prometheus_client",),
    "quart": ("async_oauth1.quart", "flask_compat.frameworks.quart"),
    "redis": ("async_oauth1.stores.redis",),
    "rest-framework": ("rest_framework",),
    "rsa": ("async_oauth1.protocol.rsa_keys",),
    "serve": ("async_oauth1.serve",),
    "sqlalchemy": ("async_oauth1.sqlalchemy",),
    "sqlite": ("async_oauth1.stores.sqlite",),
    "starlette": ("async_oauth1.starlette",),
    "trio": ("anyio", "trio"),
}
#: Extras of development, and the examples, which the demo is run with.
OTHERS = frozenset({"bench", "docs", "examples", "lint", "release", "test"})


def unlisted_extras() -> set[str]:
    """Extras of pyproject.toml that `MODULES` does not know."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return set(project["optional-dependencies"]) - set(MODULES) - OTHERS


def _run(*command: str | Path, cwd: Path) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=cwd)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stdout}{done.stderr}")


def _install(environment: Path, wheel: Path, extra: str) -> Path:
    """Install the wheel with an extra into a new environment, and return its Python."""
    _run(sys.executable, "-m", "venv", environment, cwd=ROOT)
    python = environment / "bin" / "python"
    wanted = f"{wheel}[{extra}]" if extra else str(wheel)
    _run(python, "-m", "pip", "install", "--quiet", "--constraint", ROOT / "constraints.txt", wanted, cwd=ROOT)
    return python


def _build(target: Path) -> Path:
    """Build and check the distributions, and return the wheel."""
    _run(sys.executable, "-m", "build", "--outdir", target, ROOT, cwd=ROOT)
    files = sorted(target.iterdir())
    _run(sys.executable, "-m", "twine", "check", "--strict", *files, cwd=ROOT)
    (wheel,) = target.glob("*.whl")
    checker = (sys.executable, "-m", "check_wheel_contents")
    # W004: Django's migrations are modules whose names begin with a digit.
    _run(*checker, "--ignore", "W004", "--toplevel", "async_oauth1,flask_compat", wheel, cwd=ROOT)
    return wheel


def _steps(folder: Path) -> Iterator[str]:
    """Do one step after another, and name what was found to be right."""
    wheel = _build(folder / "dist")
    yield f"{wheel.name} and its source distribution are well-formed"
    for extra, modules in MODULES.items():
        python = _install(folder / "environment", wheel, extra)
        _run(python, "-W", "error", "-c", f"import {', '.join(modules)}", cwd=folder)
        yield f"extra {extra or '(none)'}: {', '.join(modules)}"
        shutil.rmtree(folder / "environment")
    python = _install(folder / "environment", wheel, "examples")
    shutil.copytree(ROOT / "examples", folder / "apart" / "examples")
    _run(python, "-m", "examples.demo", cwd=folder / "apart")
    yield "the demo runs with the packages of the wheel"


def main() -> None:
    """Run every check, and stop at the first that fails."""
    if unlisted := unlisted_extras():
        sys.exit(f"tools/release.py does not say what these extras are for: {', '.join(sorted(unlisted))}")
    with tempfile.TemporaryDirectory() as folder:
        for step in _steps(Path(folder)):
            print(step, flush=True)


if __name__ == "__main__":
    main()
