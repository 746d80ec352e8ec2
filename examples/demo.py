"""The whole flow in one command: ``python -m examples.demo``.

Starts the provider on a free port with a new SQLite file, runs the printer, and stops the provider. It shows eight
short steps; with ``--wire``, every octet of every message. With ``--serve``, the provider keeps running until Ctrl-C.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote

#: Seconds for the provider to stop, and for the printer to finish.
STOPS_WITHIN = 15
PRINTS_WITHIN = 40


def main() -> int:
    """Run the provider and the printer; returns 0 if both succeed."""
    parser = argparse.ArgumentParser(
        prog="demo", description="The example of RFC 5849, from the first request to the photo."
    )
    parser.add_argument("--serve", action="store_true", help="keep the provider running afterwards")
    parser.add_argument("--wire", action="store_true", help="show every octet of every message")
    parser.add_argument(
        "--no-color", action="store_true", help="print no colours; NO_COLOR in the environment does, too"
    )
    given = parser.parse_args()
    keeps_serving = given.serve
    options = [*([] if given.wire else ["--story"]), *(["--no-color"] if given.no_color else [])]
    with tempfile.TemporaryDirectory(prefix="photos-") as folder:
        store = f"sqlite:///{quote(str(Path(folder) / 'photos.db'))}"
        command = [sys.executable, "-m", "examples.photos", "--log-level", "warning", "--port", "0", "--store", store]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as photos:
            try:
                status = tell_story(photos, options)
                if status == 0 and keeps_serving:
                    print("The provider goes on, until Ctrl-C.", flush=True)
                    photos.wait()
            except KeyboardInterrupt:
                status = 0 if keeps_serving else 130
            except subprocess.TimeoutExpired:
                status = failed(f"the printer did not finish in {PRINTS_WITHIN} seconds")
            finally:
                stopped = stop(photos)
    print(f"photos: stopped with exit status {stopped}", flush=True)
    return status or stopped


def tell_story(photos: subprocess.Popen[str], options: list[str]) -> int:
    """Run the printer, with these options, when the provider listens; returns the printer's exit status."""
    announcement = photos.stdout.readline() if photos.stdout else ""
    if not announcement:
        return failed("the provider did not start")
    print(announcement, end="", flush=True)
    provider = announcement.split()[-1]
    command = [sys.executable, "-m", "examples.printer", "--provider", provider, *options]
    return subprocess.run(command, check=False, timeout=PRINTS_WITHIN).returncode


def stop(photos: subprocess.Popen[str]) -> int:
    """Stop the provider; returns its exit status."""
    photos.terminate()
    try:
        return photos.wait(STOPS_WITHIN)
    except subprocess.TimeoutExpired:
        photos.kill()
        failed(f"the provider did not stop in {STOPS_WITHIN} seconds")
        return photos.wait()


def failed(reason: str) -> int:
    """Print a one-line error; returns 1."""
    print(f"demo: {reason}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
