"""Threads may have small stacks: with `threading.stack_size`, and by default with some C libraries."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
import threading
from async_oauth1 import native

def read():
    header = b'OAuth oauth_consumer_key="key"'
    print(native.read("GET", "https", "a.example", b"/", header, b"a=1&b=%C3%A9", b"", 9)[0])

threading.stack_size(64 * 1024)
thread = threading.Thread(target=read)
thread.start()
thread.join()
"""


@pytest.mark.usefixtures("native_reader")
def test_a_thread_with_a_small_stack_reads_requests() -> None:
    """64 KiB are enough: the reader's room for the largest request is not on the stack."""
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "HEADER\n", "")
