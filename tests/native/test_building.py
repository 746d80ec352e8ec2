"""The build hook: with a compiler, without one, and as ASYNC_OAUTH1_NATIVE says."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

NATIVE = Path("async_oauth1/native")


def build(tmp_path: Path, repository: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Build a wheel from the tree."""
    environment = {name: value for name, value in os.environ.items() if name != "ASYNC_OAUTH1_NATIVE"}
    command = (sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", tmp_path / "built", repository)
    return subprocess.run(command, check=False, capture_output=True, text=True, env={**environment, **more})


def wheel(tmp_path: Path) -> tuple[str, list[str]]:
    """The name of the only wheel, and the files of the native reader in it."""
    (path,) = (tmp_path / "built").iterdir()
    with zipfile.ZipFile(path) as archive:
        return path.name, [name for name in archive.namelist() if name.endswith((".so", ".c", ".h"))]


def test_without_a_compiler_the_wheel_is_pure(tmp_path: Path, repository: Path) -> None:
    """A compiler that fails costs speed, and is said; also if an extension lies about in the tree."""
    done = build(tmp_path, repository, CC="/bin/false")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "without its native reader" in done.stdout + done.stderr
    name, files = wheel(tmp_path)
    assert name.endswith("-py3-none-any.whl")
    assert files == []


@pytest.mark.parametrize("compiler", ["/bin/false", "/does/not/exist"])
def test_a_failure_is_an_error_on_demand(tmp_path: Path, repository: Path, compiler: str) -> None:
    """ASYNC_OAUTH1_NATIVE=1 builds no wheel without the reader, and says in one sentence what to install."""
    done = build(tmp_path, repository, CC=compiler, ASYNC_OAUTH1_NATIVE="1")
    assert done.returncode != 0
    assert not list(tmp_path.glob("built/*"))
    assert "Install a C compiler and Python's headers" in done.stderr + done.stdout
    assert compiler in done.stderr + done.stdout
    assert "hatch_build.py" not in done.stderr + done.stdout


def test_it_can_be_left_out(tmp_path: Path, repository: Path) -> None:
    """ASYNC_OAUTH1_NATIVE=0 builds a pure wheel, whatever compilers there are."""
    assert build(tmp_path, repository, ASYNC_OAUTH1_NATIVE="0").returncode == 0
    assert wheel(tmp_path)[0].endswith("-py3-none-any.whl")


@pytest.fixture
def hook(repository: Path) -> ModuleType:
    """The module of the build hook."""
    spec = importlib.util.spec_from_file_location("hatch_build", repository / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("linux-x86_64", "linux_x86_64"),
        ("linux-aarch64", "linux_aarch64"),
        ("macosx-10.9-x86_64", "macosx_10_9_x86_64"),
        ("macosx-11.0-arm64", "macosx_11_0_arm64"),
        ("macosx-15.2-arm64", "macosx_15_0_arm64"),
        ("macosx-14-universal2", "macosx_14_0_universal2"),
    ],
)
def test_the_tag_is_one_that_pip_accepts(hook: ModuleType, name: str, tag: str) -> None:
    """pip knows no minor versions of macOS from 11 on, although Python may name one."""
    assert hook.platform_tag(name) == tag


@pytest.mark.parametrize("wanted", ["", "1"])
def test_a_free_threaded_build_gets_the_pure_wheel(
    hook: ModuleType, repository: Path, monkeypatch: pytest.MonkeyPatch, wanted: str
) -> None:
    """Such builds have no limited API. That is said, or is an error on demand."""
    monkeypatch.setenv("ASYNC_OAUTH1_NATIVE", wanted)
    monkeypatch.setattr(hook.sysconfig, "get_config_var", lambda name: 1 if name == "Py_GIL_DISABLED" else None)
    warnings: list[str] = []
    application = SimpleNamespace(display_warning=warnings.append)
    made = hook.NativeReaderHook(str(repository), {}, None, None, "", "wheel", application)
    build_data: dict[str, Any] = {"force_include": {}}
    if wanted:
        with pytest.raises(SystemExit, match="which free-threaded builds do not have"):
            made.initialize("standard", build_data)
    else:
        made.initialize("standard", build_data)
        assert "which free-threaded builds do not have" in warnings[0]
    made.finalize("standard", build_data, "")
    assert build_data == {"force_include": {}}


@pytest.mark.usefixtures("native_reader")
def test_one_wheel_serves_every_python(tmp_path: Path, repository: Path) -> None:
    """The compiled wheel has one file of the stable ABI, and no sources."""
    done = build(tmp_path, repository, ASYNC_OAUTH1_NATIVE="1")
    assert done.returncode == 0, done.stdout + done.stderr
    name, files = wheel(tmp_path)
    assert "-cp311-abi3-" in name
    assert files == [str(NATIVE / "extension.abi3.so")]


def test_make_clean_removes_the_extension(tmp_path: Path, repository: Path) -> None:
    """Nothing compiled is left, so nothing older than its sources is used."""
    (tmp_path / NATIVE).mkdir(parents=True)
    (tmp_path / NATIVE / "extension.abi3.so").touch()
    shutil.copy(repository / "Makefile", tmp_path)
    subprocess.run(("make", "clean"), check=True, capture_output=True, cwd=tmp_path)
    assert list((tmp_path / NATIVE).iterdir()) == []


def test_the_c_code_is_small(repository: Path) -> None:
    """Under 800 lines, so that it can be reviewed as a whole."""
    sources = [path for path in (repository / NATIVE).iterdir() if path.suffix in (".c", ".h")]
    assert len(sources) == 3
    assert sum(path.read_text(encoding="utf-8").count("\n") for path in sources) < 800
