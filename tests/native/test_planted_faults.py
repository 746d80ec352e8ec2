"""Faults that are planted in the C code are found, by the comparison or by the sanitizers."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.stress import sample

from .faults import FAULTS, Fault, compares_equal, compile_extension
from .sanitized import compare, fuzz

pytestmark = pytest.mark.usefixtures("native_reader")

#: Faults that change no result, but write outside of what there is; and some that only read there.
WRITING = (
    Fault("reader.h", "CANONICAL_ROOM = 3 *", "CANONICAL_ROOM = 2 *"),
    Fault("reader.h", "BASE_ROOM = 5 *", "BASE_ROOM = 3 *"),
)
READING = (
    Fault("reader.c", "end - at >= 2 && hex_digit(at[0]) >= 0 &&", "end - at >= 1 && hex_digit(at[0]) >= 0 &&"),
    Fault("reader.c", "if (middle == name || end - at < 3 ||", "if (middle == name ||"),
)


def test_the_sources_are_right_as_they_are(tmp_path: Path) -> None:
    """The same comparison finds nothing if nothing is planted."""
    assert compares_equal(compile_extension(tmp_path), seconds=0.2)


@pytest.mark.stress
@pytest.mark.parametrize("fault", sample(FAULTS, 2))
def test_the_comparison_finds_a_fault(fault: Fault, tmp_path: Path) -> None:
    """A faulty reader reads some listed case, or some mutation, in another way than Python."""
    assert not compares_equal(compile_extension(tmp_path, fault))


@pytest.mark.stress
@pytest.mark.parametrize("fault", sample(WRITING, 1))
def test_the_sanitizers_stop_a_faulty_reader(fault: Fault) -> None:
    """The program that compares does not survive a write out of bounds."""
    with pytest.raises(subprocess.CalledProcessError):
        compare(1, fault)


@pytest.mark.stress
@pytest.mark.parametrize("fault", sample(READING, 1))
def test_the_fuzzer_finds_a_fault(fault: Fault) -> None:
    """An octet behind the end is read: the fuzzer's inputs are in memory of exactly their size."""
    if not shutil.which("clang") and not os.environ.get("CI"):
        pytest.skip("there is no clang")
    with pytest.raises(subprocess.CalledProcessError) as caught:
        fuzz(60, fault)
    assert caught.value.cmd[0] != "clang"  # it was compiled


def test_there_are_enough_faults() -> None:
    """Each is planted in one place, and no two are the same."""
    assert len({(fault.right, fault.wrong) for fault in FAULTS}) == len(FAULTS) > 20
