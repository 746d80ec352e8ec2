"""The command line: ``python -m examples.photos``."""

from __future__ import annotations

import os
import signal
import sys

if __name__ == "__main__":
    # Until it serves there is nothing to finish, and loading the rest takes a moment.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os._exit(0))
    from .command import main

    sys.exit(main())
