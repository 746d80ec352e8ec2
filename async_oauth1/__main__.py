"""``python -m async_oauth1``: the same as the command ``async-oauth1``."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command, or name the extra that is not installed.

    Returns:
        The exit status.
    """
    try:
        from .cli import main as run
    except ModuleNotFoundError as error:
        if error.name not in ("typer", "rich"):
            raise
        sys.stderr.write(f'async-oauth1: the command needs {error.name}; install "async-oauth1[cli]"\n')
        return 2
    return run()


if __name__ == "__main__":
    sys.exit(main())
