"""Compare and fuzz under AddressSanitizer and UndefinedBehaviorSanitizer.

    python -m tests.native.sanitized [SECONDS]

Any access outside of what was given, and any undefined behaviour, ends the program with a report. Python allocates each
object by itself, so the end of every value is watched. With clang, the core is fuzzed by libFuzzer as well, guided by
its coverage.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from .faults import NATIVE, Fault, compile_extension, write_sources

__all__ = ["compare", "fuzz"]

SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer")
FUZZ = Path(__file__).parent / "fuzz"


def compare(seconds: float, fault: Fault | None = None) -> None:
    """Run `tests.native.comparing` with a sanitized extension, into which a fault may be planted.

    Raises:
        CalledProcessError: a difference, or a report; its ``stderr`` has the reason.
    """
    with tempfile.TemporaryDirectory() as directory:
        extension = compile_extension(Path(directory), fault, flags=SANITIZERS, compiler="gcc")
        library = subprocess.run(
            ("gcc", "-print-file-name=libasan.so"), check=True, capture_output=True, text=True
        ).stdout.strip()
        # Python itself frees little at its end, so leaks are not looked for here, but in tests/native/test_memory.py.
        environment = {"LD_PRELOAD": library, "ASAN_OPTIONS": "detect_leaks=0", "PYTHONMALLOC": "malloc"}
        command = (sys.executable, "-m", "tests.native.comparing", extension, str(seconds))
        subprocess.run(command, check=True, cwd=NATIVE.parents[1], env={**os.environ, **environment})


def fuzz(seconds: float, fault: Fault | None = None) -> None:
    """Fuzz the core, into which a fault may be planted, starting with the corpus.

    Raises:
        CalledProcessError: an input that the sanitizers report; it is in the working directory.
    """
    with tempfile.TemporaryDirectory() as directory:
        target, found = Path(directory) / "fuzz", Path(directory) / "found"
        found.mkdir()
        flags = ("-O1", "-g", "-std=c11", "-fsanitize=fuzzer,address,undefined", "-fno-sanitize-recover=all")
        write_sources(Path(directory), fault)
        sources = (FUZZ / "fuzz_reader.c", Path(directory) / "reader.c")
        subprocess.run(("clang", *flags, "-I", directory, *sources, "-o", target), check=True)
        limits = ("-max_len=9000", f"-max_total_time={int(seconds)}", "-print_final_stats=1", "-verbosity=0")
        subprocess.run((target, *limits, found, FUZZ / "corpus"), check=True, cwd=directory if fault else None)


def main() -> None:
    """Do both, the second one if clang is there; in CI it must be."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    compare(seconds)
    if shutil.which("clang") or os.environ.get("CI"):
        fuzz(seconds)


if __name__ == "__main__":
    main()
