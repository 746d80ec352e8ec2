"""The whole story in one command: ``python -m examples.demo``.

Starts the provider on a free port with a fresh SQLite file, sends the printer through the flow, stops the provider.
With ``--serve`` the provider goes on until Ctrl-C.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote

#: Seconds that the provider may take to stop, and the printer for its part.
STOPS_WITHIN = 15
PRINTS_WITHIN = 40


def main() -> int:
    """Run provider and printer; 0 where both did what they should."""
    parser = argparse.ArgumentParser(prog="demo", description="RFC 5849's story, from the first request to the photo.")
    parser.add_argument("--serve", action="store_true", help="keep the provider running afterwards")
    keeps_serving = parser.parse_args().serve
    with tempfile.TemporaryDirectory(prefix="photos-") as folder:
        store = f"sqlite:///{quote(str(Path(folder) / 'photos.db'))}"
        command = [sys.executable, "-m", "examples.photos", "--port", "0", "--store", store]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as photos:
            try:
                status = tell_story(photos)
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


def tell_story(photos: subprocess.Popen[str]) -> int:
    """Send the printer to the provider once that listens; the printer's exit status."""
    announcement = photos.stdout.readline() if photos.stdout else ""
    if not announcement:
        return failed("the provider did not start")
    print(announcement, end="", flush=True)
    provider = announcement.split()[-1]
    command = [sys.executable, "-m", "examples.printer", "--provider", provider]
    return subprocess.run(command, check=False, timeout=PRINTS_WITHIN).returncode


def stop(photos: subprocess.Popen[str]) -> int:
    """Ask the provider to stop; its exit status."""
    photos.terminate()
    try:
        return photos.wait(STOPS_WITHIN)
    except subprocess.TimeoutExpired:
        photos.kill()
        failed(f"the provider did not stop in {STOPS_WITHIN} seconds")
        return photos.wait()


def failed(reason: str) -> int:
    """Say why, in one line."""
    print(f"demo: {reason}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
