"""``python -m async_oauth1.native`` says which reader is used, and why."""

from __future__ import annotations

import sys

from .loading import IN_USE, STATE

if __name__ == "__main__":
    sys.stdout.write(STATE if IN_USE else f"{STATE} Requests are read in Python.")
    sys.stdout.write("\n")
