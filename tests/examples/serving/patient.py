"""The example provider. When it stops, it waits a few seconds before it treats a connection as idle.

By default it waits for a quarter of a second. If the machine stands still for longer, so does the test's client, and
its next request comes too late.
"""

from __future__ import annotations

import runpy

import tests.examples.cheap_hashes  # noqa: F401 - it changes the hashes
from examples.photos.serving import stopping

stopping.QUIET, stopping.LONGEST = 3.0, 30.0

if __name__ == "__main__":
    runpy.run_module("examples.photos", run_name="__main__")
