"""Compiles the native reader into the wheel if that is possible, and builds a pure wheel otherwise.

The environment variable ``ASYNC_OAUTH1_NATIVE`` says more: ``1`` makes a failure an error, ``0`` leaves the reader out.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

MODULE = "async_oauth1.native.extension"
FOLDER = Path("async_oauth1/native")
SOURCES = ("extension.c", "reader.c")

NEEDED = (
    "The native reader of async-oauth1 cannot be compiled. Install a C compiler and Python's headers (on Debian: gcc,"
    " libc6-dev and python3-dev), or unset ASYNC_OAUTH1_NATIVE to do without it."
)

COMPILER_FLAGS = [
    "-O2",
    "-g0",
    "-std=c11",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-fvisibility=hidden",
    "-fstack-protector-strong",
    "-U_FORTIFY_SOURCE",  # distributions may define it, and a second definition is a warning
    "-D_FORTIFY_SOURCE=2",
]
LINKER_FLAGS: list[str] = []
if sys.platform == "linux":
    COMPILER_FLAGS.append("-fstack-clash-protection")
    LINKER_FLAGS += ["-Wl,-z,relro", "-Wl,-z,now", "-Wl,-z,noexecstack"]
    if platform.machine() == "x86_64":
        COMPILER_FLAGS.append("-fcf-protection")


class NativeReaderHook(BuildHookInterface[Any]):
    """Adds the extension to the wheel; to an editable one, beside the sources."""

    PLUGIN_NAME = "custom"

    _scratch: Path | None = None

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and tell hatchling what to add.

        Args:
            version: ``standard`` or ``editable``.
            build_data: what hatchling builds; changed here.

        Raises:
            SystemExit: it cannot be compiled, and ``ASYNC_OAUTH1_NATIVE`` is ``1``.
        """
        wanted = os.environ.get("ASYNC_OAUTH1_NATIVE", "")
        is_editable = version == "editable"
        if is_editable:
            remove_extensions(Path(self.root) / FOLDER)  # an older one would be used, with these sources
        if wanted == "0":
            return
        if not is_editable:
            self._scratch = Path(tempfile.mkdtemp())
        try:
            built = compile_extension(Path(self.root), self._scratch or Path(self.root))
        except Exception as error:  # noqa: BLE001 - whatever a compiler or its absence raises
            if wanted == "1":
                self._remove_scratch()
                raise SystemExit(f"{NEEDED} The failure: {error}") from None  # one sentence instead of a traceback
            self.app.display_warning(f"async-oauth1 is installed without its native reader, and is slower: {error}")
            return
        build_data["pure_python"] = False
        build_data["tag"] = f"cp311-abi3-{platform_tag(sysconfig.get_platform())}"
        if not is_editable:
            build_data["force_include"][str(built)] = str(FOLDER / built.name)

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what was compiled, once it is in the wheel."""
        self._remove_scratch()

    def _remove_scratch(self) -> None:
        if self._scratch is not None:
            shutil.rmtree(self._scratch)
            self._scratch = None


def platform_tag(name: str) -> str:
    """The last part of a wheel's tag.

    Args:
        name: of the platform, as `sysconfig.get_platform` returns it.
    """
    # From macOS 11 on, pip only accepts minor versions of 0.
    name = re.sub(r"^macosx-(1[1-9]|[2-9]\d)(\.\d+)*-", r"macosx-\1.0-", name)
    return name.replace("-", "_").replace(".", "_")


def remove_extensions(folder: Path) -> None:
    """Remove compiled extensions."""
    for path in (*folder.glob("*.so"), *folder.glob("*.pyd")):
        path.unlink()


def compile_extension(root: Path, target: Path) -> Path:
    """Compile the extension.

    Args:
        root: of the source tree.
        target: the directory that gets the file, in the folders of its package.

    Returns:
        The path of the file.

    Raises:
        RuntimeError: this Python has no limited API.
    """
    from setuptools import Distribution, Extension
    from setuptools.command.build_ext import build_ext

    if sys.implementation.name != "cpython" or sysconfig.get_config_var("Py_GIL_DISABLED"):
        raise RuntimeError("it needs a CPython with the limited API, which free-threaded builds do not have")
    extension = Extension(
        MODULE,
        [str(root / FOLDER / name) for name in SOURCES],
        depends=[str(root / FOLDER / "reader.h")],
        py_limited_api=True,
        extra_compile_args=COMPILER_FLAGS,
        extra_link_args=LINKER_FLAGS,
    )
    command = build_ext(Distribution({"name": "async-oauth1", "ext_modules": [extension]}))
    with tempfile.TemporaryDirectory() as objects:
        command.build_lib, command.build_temp, command.force = str(target), objects, True
        command.ensure_finalized()
        command.run()
    return Path(command.get_ext_fullpath(MODULE))
