"""Run Authlib's tests of ``django_oauth1`` with only the import changed.

    python tests/django_oauth1/run_authlib_suite.py PATH [options of Django's test runner]

PATH is a checkout of Authlib. Its tests are copied to a temporary folder, where ``authlib.integrations.django_oauth1``
becomes ``async_oauth1.django``. Nothing is downloaded, and the folder is removed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SUITE = Path("tests/django/test_oauth1")
IMPORT, OURS = "authlib.integrations.django_oauth1", "async_oauth1.django"


def main(arguments: list[str]) -> int:
    """Copy, change the import, and run.

    Args:
        arguments: the checkout's path, then options for Django's test runner.
    """
    if not arguments or not (Path(arguments[0]) / SUITE).is_dir():
        print(f"usage: {Path(__file__).name} PATH, where PATH/{SUITE} exists", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(Path(arguments[0]) / "tests", Path(folder) / "tests")
        changed = 0
        for module in (Path(folder) / SUITE).glob("*.py"):
            text = module.read_text()
            changed += text.count(IMPORT)
            module.write_text(text.replace(IMPORT, OURS))
        settings = (
            Path(folder) / "tests/django/settings.py"
        )  # both applications' models have the same reverse accessors
        settings.write_text(settings.read_text().replace('"tests.django.test_oauth2",', ""))
        print(f"{changed} import lines changed", flush=True)
        project = str(Path(__file__).resolve().parents[2])
        command = [sys.executable, "-m", "django", "test", SUITE.as_posix().replace("/", "."), *arguments[1:]]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join((project, os.environ.get("PYTHONPATH", ""))),
            "DJANGO_SETTINGS_MODULE": "tests.django.settings",
        }
        return subprocess.call(command, cwd=folder, env=environment)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
