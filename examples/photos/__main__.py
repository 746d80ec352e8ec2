"""The command line: ``python -m examples.photos``."""

from __future__ import annotations

import os
import signal
import sys

if __name__ == "__main__":
    # Importing the rest takes a moment. A signal during that time ends the process: no request is in flight yet.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os._exit(0))
    from .command import main

    sys.exit(main())
