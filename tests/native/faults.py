"""Faults to plant in the C code. Each is a text that stands there once, and what takes its place."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import NamedTuple

__all__ = ["FAULTS", "NATIVE", "Fault", "compares_equal", "compile_extension", "write_sources"]

NATIVE = Path(__file__).resolve().parents[2] / "async_oauth1/native"


class Fault(NamedTuple):
    """A fault of one file."""

    file: str
    right: str
    wrong: str


FAULTS: tuple[Fault, ...] = tuple(
    Fault("reader.c", right, wrong)
    for right, wrong in (
        ("['~'] = 1,", "['~'] = 0,"),
        ("c - 'a' + 10 : -1", "c - 'a' + 9 : -1"),
        ("c <= 'f' ?", "c <= 'g' ?"),
        ('digits[] = "0123456789ABCDEF"', 'digits[] = "0123456789abcdef"'),
        ("end - at >= 2 && hex_digit", "end - at > 2 && hex_digit"),
        ("c == '+' && plus_is_space", "c == '+'"),
        ("reading->pieces >= MOST_PIECES", "reading->pieces > MOST_PIECES - 2 && 0"),
        ("piece->name_size >= 6 &&", "piece->name_size > 6 &&"),
        ("reading->protocols >= MOST_PROTOCOL ||", "0 ||"),
        ("|| is_repeated(reading, piece))", ")"),
        ("for (size_t i = 0; i < reading->protocols; i++) {\n        const",
         "for (size_t i = 1; i < reading->protocols; i++) {\n        const"),
        ("reading->protocols && reading->place != place", "reading->place == BODY && place == HEADER"),
        ("reading->others = 1;", "reading->others = 0;"),
        ("return close && !memchr(at, '\\\\', (size_t)(close - at)) ? close : NULL;", "return close;"),
        ("close[1] != ','", "close[1] == 0"),
        ("(Octets){at, (size_t)(close - at)};", "(Octets){at, (size_t)(close - at) + 1};"),
        ("return skip_spaces(close + 2, end);", "return skip_spaces(close + 3, end);"),
        ('memcmp(at, "OAuth ", 6) ||', 'memcmp(at, "OAuth", 5) ||'),
        ("if (middle == name || end - at < 3", "if (end - at < 3"),
        ("|| at[1] != '\"')", ")"),
        ('(size_t)(middle - name)}, (Octets)TEXT("realm")))',
         '(size_t)(middle - name)}, (Octets)TEXT("realms")))'),
        ("out = write_canonical(out, at, close, 0);", "out = write_canonical(out, at, close, 1);"),
        ("        if (*at++ != ',')\n            return UNUSUAL;", "        at++;"),
        ("memmove(&sorted[low + 1], &sorted[low], (count - low)",
         "memmove(&sorted[low + 1], &sorted[low], (count - low) / 2"),
        ("if (stop && ++separators >= max_parameters)", "if (stop && ++separators > max_parameters)"),
        ("if (piece_end > at) {", "if (piece_end >= at) {"),
        ("out = write_canonical(out, equal + 1, piece_end, 1);",
         "out = write_canonical(out, equal + 1, piece_end, 0);"),
        ("return reading->pieces > max_parameters ? UNUSUAL", "return reading->pieces > max_parameters + 1 ? UNUSUAL"),
        ("return sign ? sign : (left.size > right.size) - (left.size < right.size);", "return sign ? sign : 0;"),
        ("compare(value_of(left), value_of(right))) < 0;",
         "compare(value_of(left), value_of(right))) <= 0 && left->value_size;"),
        ("(piece->known == SIGNATURE)", "(piece->known == SIGNATURE && reading->place == HEADER)"),
        ("low = middle + 1;", "low = middle + 1, high -= high > low;"),
        ("*out++ = '5';", "*out++ = '6';"),
        ("*upper = (uint8_t)(*upper - 32);", "*upper = *upper;"),
        ("path.size > MOST_PATH)", "path.size > MOST_PATH - 1 && path.size < MOST_PATH + 2) path.size--; if (0)"),
        ('        if (i)\n            out = write_octets(out, (Octets)TEXT("%26"));',
         '        if (i > 1)\n            out = write_octets(out, (Octets)TEXT("%26"));'),
        ("is_plain = !memchr(name, '%', (size_t)(end - name));",
         "is_plain = !memchr(name, '%', (size_t)(equal - name));"),
        ("other->known == piece->known &&", "other->known < piece->known &&"),
        ("(at[1] == '7' && at[2] == 'F')", "0"),
        ("at[1] < '2' ||", "at[1] < '1' ||"),
        ("at[1] > '7' ||", "0 ||"),
        ("*at == '%' ? 3 : 1", "1"),
        ("!client || !nonce ||", "!client ||"),
        ("digits > 12 ||", "digits > 13 ||"),
        ("!known[SIGNATURE]->value_size", "0"),
        ("!known[SIGNATURE_METHOD] || known[BODY_HASH]", "!known[SIGNATURE_METHOD]"),
        ("known[TOKEN]->value_size && !token", "0"),
        ("(known[VERSION] && !equals", "(0 && !equals"),
        ("|| c > '9' ||", "|| c > 'a' ||"),
        ("c == '0' && !timestamp", "0"),
        ("client + token + nonce + digits;", "client + nonce + digits;"),
    )
) + tuple(
    Fault("extension.c", right, wrong)
    for right, wrong in (
        ('(Py_ssize_t)octets.size, "strict")', '(Py_ssize_t)octets.size, "replace")'),
        ("return size == PyUnicode_GetLength(object);", "return size >= PyUnicode_GetLength(object);"),
        ("PyBool_FromLong(reading->others)", "PyBool_FromLong(0)"),
        ("PyUnicode_DecodeLatin1((const char *)reading->realm.at",
         "PyUnicode_DecodeUTF8((const char *)reading->realm.at"),
    )
)  # fmt: skip


def write_sources(directory: Path, fault: Fault | None) -> None:
    """Copy the sources, with a fault planted in one of them."""
    for name in ("reader.h", "reader.c", "extension.c"):
        source = (NATIVE / name).read_text(encoding="utf-8")
        if fault is not None and fault.file == name:
            assert source.count(fault.right) == 1, f"not there once: {fault.right!r}"
            source = source.replace(fault.right, fault.wrong)
        (directory / name).write_text(source, encoding="utf-8")


def compile_extension(
    directory: Path, fault: Fault | None = None, *, flags: tuple[str, ...] = (), compiler: str = ""
) -> Path:
    """Compile the sources, with a fault planted in one of them.

    Args:
        directory: for the sources and the extension.
        fault: what to change.
        flags: of the compiler, after ``-O1``.
        compiler: instead of the one that Python was compiled with.
    """
    write_sources(directory, fault)
    compiler = compiler or (sysconfig.get_config_var("CC") or "cc").split()[0]
    target = directory / "extension.abi3.so"
    command = (
        compiler, "-O1", "-g", "-std=c11", "-fPIC", "-shared", "-isystem", sysconfig.get_paths()["include"], *flags,
        directory / "reader.c", directory / "extension.c", "-o", target,
    )  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, text=True)
    return target


def compares_equal(extension: Path, *, seconds: float = 2) -> bool:
    """Whether `tests.native.comparing` finds no difference, in the listed cases and in some seconds of mutations."""
    command = (sys.executable, "-m", "tests.native.comparing", extension, str(seconds))
    return subprocess.run(command, check=False, capture_output=True, cwd=NATIVE.parents[1], timeout=600).returncode == 0
