"""The unit for systemd loads, is confined, and its command runs on a read-only file system as an ordinary user."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from tests.examples.running import PATIENCE, ROOT, environment
from tests.servers.processes import free_ports, wait_until

FOLDER = ROOT / "deploy" / "systemd"
UNIT = (FOLDER / "oauth1-provider.service").read_text()
INSTALLED = "/opt/oauth1-provider"
#: Of 10, as `systemd-analyze security` counts; a unit without hardening has 9.6.
MOST_EXPOSED = 1.5


def setting(name: str) -> list[str]:
    """The values of a setting of the unit, in order."""
    return re.findall(rf"^{name}=(.*)$", UNIT, re.MULTILINE)


def program(name: str) -> str:
    """The path of a program; without it, skip the test, or fail in CI."""
    found = shutil.which(name)
    if found is None and not os.environ.get("CI"):
        pytest.skip(f"{name} is not installed")
    assert found is not None, f"{name} is not installed"
    return found


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit, with the interpreter of these tests."""
    assert f"{INSTALLED}/.venv/bin/python" in UNIT
    file = tmp_path / "oauth1-provider.service"
    file.write_text(UNIT.replace(f"{INSTALLED}/.venv/bin/python", sys.executable))
    return file


def test_systemd_accepts_the_unit(unit: Path) -> None:
    """It has no unknown setting and no wrong value."""
    checked = subprocess.run(
        [program("systemd-analyze"), "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
    )
    about_it = [line for line in checked.stderr.splitlines() if unit.name in line]
    assert (checked.returncode, about_it) == (0, [])


def test_the_unit_is_confined(unit: Path) -> None:
    """It is as little exposed as the limit says."""
    limit = str(round(MOST_EXPOSED * 10))
    command = [program("systemd-analyze"), "security", "--offline=true", "--no-pager", f"--threshold={limit}"]
    checked = subprocess.run([*command, str(unit)], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert setting("DynamicUser") == setting("NoNewPrivileges") == setting("PrivateTmp") == ["yes"]
    assert setting("ProtectSystem") == ["strict"]


def test_a_stop_is_waited_for() -> None:
    """SIGTERM reaches the supervisor alone, which is not killed before its workers have ended; SIGHUP restarts them."""
    from examples.photos.serving import server, stopping

    assert setting("KillMode") == ["mixed"]
    assert float(setting("TimeoutStopSec")[0]) > stopping.LONGEST + server.GRACE + 1
    assert setting("ExecReload") == ["/bin/kill -HUP $MAINPID"]


@pytest.fixture
def writable(tmp_path: Path) -> Path:
    """The only folder that the command may write to."""
    if os.geteuid() != 0 and not os.environ.get("CI"):
        pytest.skip("only root can make a file system read-only")
    return tmp_path


def test_its_command_needs_no_writable_file(writable: Path) -> None:
    """With a read-only file system and without rights, the provider starts, replaces its workers, and stops."""
    (port,) = free_ports(1)
    arguments = shlex.split(setting("ExecStart")[0])
    assert arguments[0] == f"{INSTALLED}/.venv/bin/python"
    for option, value in (("--port", str(port)), ("--workers", "2")):
        arguments[arguments.index(option) + 1] = value
    mounts = 'mount -n --bind "$TMPDIR" "$TMPDIR" && mount -n -o remount,bind,ro / && exec "$@"'
    confined = [program("unshare"), "--mount", "sh", "-c", mounts, "sh"]
    confined += [program("setpriv"), "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"]
    with (
        (writable / "log").open("w") as log,
        subprocess.Popen(
            [*confined, sys.executable, *arguments[1:]],
            cwd=ROOT,
            env=environment(
                PHOTOS_STORE=f"sqlite:///{writable}/photos.db", TMPDIR=str(writable), PYTHONDONTWRITEBYTECODE="1"
            ),
            stdout=log,
            stderr=log,
        ) as process,
    ):
        try:
            answered(process, port)
            process.send_signal(signal.SIGHUP)
            written = writable / "log"
            wait_until(lambda: written.read_text().count("takes over from worker") == 2, "both workers are replaced")
            answered(process, port)
        finally:
            process.terminate()
            status = process.wait(PATIENCE)
    assert (status, "Traceback" in (writable / "log").read_text()) == (0, False)


def answered(process: subprocess.Popen[bytes], port: int) -> None:
    """Wait until the provider answers that its stores can be used."""

    def answers() -> bool:
        assert process.poll() is None, "it has ended"
        try:
            return httpx2.get(f"http://127.0.0.1:{port}/health", timeout=PATIENCE).status_code == 200
        except httpx2.TransportError:
            return False

    wait_until(answers, "the stores can be used")
