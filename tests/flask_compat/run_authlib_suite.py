"""Run Authlib's tests of ``flask_oauth1``, and of 0.15's ``sqla_oauth1``, with only the imports changed.

    python tests/flask_compat/run_authlib_suite.py PATH [pytest's options]

PATH is a checkout of Authlib. Its tests are copied to a temporary folder, where ``authlib.integrations.flask_oauth1``
becomes ``flask_compat``, and ``authlib.integrations.sqla_oauth1`` becomes ``flask_compat.sqla``.
Nothing is downloaded, and the folder is removed. Flask-SQLAlchemy must be installed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SUITE = Path("tests/flask/test_oauth1")
IMPORTS = {
    "authlib.integrations.flask_oauth1": "flask_compat",
    "authlib.integrations.sqla_oauth1": "flask_compat.sqla",  # Authlib 0.15 has it
}


def main(arguments: list[str]) -> int:
    """Copy, change the import, and run.

    Args:
        arguments: the checkout's path, then options for pytest.
    """
    if not arguments or not (Path(arguments[0]) / SUITE).is_dir():
        print(f"usage: {Path(__file__).name} PATH, where PATH/{SUITE} exists", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(Path(arguments[0]) / "tests", Path(folder) / "tests")
        changed = 0
        for module in (Path(folder) / SUITE).glob("*.py"):
            text = module.read_text()
            for theirs, ours in IMPORTS.items():
                changed += text.count(theirs)
                text = text.replace(theirs, ours)
            module.write_text(text)
        print(f"{changed} import lines changed", flush=True)
        project = str(Path(__file__).resolve().parents[2])
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(SUITE), *arguments[1:]]
        return subprocess.call(command, cwd=folder, env={**os.environ, "PYTHONPATH": project})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
