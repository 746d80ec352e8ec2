"""Starting the provider, and errors at start."""

from __future__ import annotations

import re
import socket
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import httpx2
import pytest

from examples.photos.command import main

from .jane import PRINTER, READY, Jane, Printer
from .running import add_client, photos, run


def test_it_prints_its_url_when_it_listens(tmp_path: Path) -> None:
    """One line on stdout has the actual port. A relative path of a store is relative to the working directory."""
    with photos(store="sqlite:///here.db", cwd=tmp_path) as running:
        assert httpx2.get(f"{running.url}/health").text.strip() == "ok"
        assert running.stop() == 0
        assert running.output == ("", "")
    assert (tmp_path / "here.db").exists()


def test_an_ipv6_address_is_printed_in_brackets() -> None:
    """The printed URL can be used."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    with photos("--host", "::1") as running, Jane(running.url) as jane:
        assert running.url.startswith("http://[::1]:")
        jane.sign_in()
        printer = Printer(running.url)
        printer.let_in_by(jane)
        assert printer.photo().status_code == 200


@pytest.mark.parametrize(
    "arguments",
    [
        ["--store", "nonsense"],
        ["--store", ""],
        ["--store", "mysql://u:hush@h/d"],
        ["--store", "redis://:hush@127.0.0.1:1"],
        ["--store", "postgresql://u:hu@sh/hush?x@h:5432/d"],
        ["--store", "sqlite:///no/such/folder/photos.db"],
        ["--store", "sqlite:///corrupt.db"],
        ["--store", "sqlite:///folder"],
        ["--store", "sqlite:///"],
        ["--store", "memory://\nx"],
        ["--nonces", "nonsense"],
        ["--nonces", ""],
        ["--nonces", "sqlite:///corrupt.db"],
        ["--port", "70000"],
        ["--port", "-1"],
        ["--port", "http"],
        ["--workers", "0"],
        ["--workers", "two"],
        ["--workers", "2", "--store", "memory://"],
        ["--workers", "2", "--nonces", "memory://"],
        ["--host", "no.such.host.invalid"],
        ["--host", "192.0.2.1"],
        ["--host", "a..b"],
        ["--external-base-url", "ftp://example.com"],
        ["--external-base-url", "http://[::1"],
        ["--external-base-url", "https://user:hush@example.com"],
        ["--external-base-url", "http://a..b"],
        ["--external-base-url", "http://example.com:99999"],
        ["--unknown"],
        ["surplus"],
        ["--store"],
    ],
    ids=" ".join,
)
def test_invalid_settings_are_one_line_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    """The line on stderr contains no traceback and no password; the exit status is 2."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "corrupt.db").write_bytes(b"this is no database" * 100)
    (tmp_path / "folder").mkdir()
    assert main(["--port", "0", *arguments]) == 2
    output, errors = capsys.readouterr()
    assert output == ""
    assert re.fullmatch(r"photos: [^\n]+\n", errors)
    assert "hush" not in errors


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_port_in_use_is_a_one_line_error(tmp_path: Path, workers: str) -> None:
    """The line names the port; the exit status is 2."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        started = run("examples.photos", "--port", port, "--workers", workers, cwd=tmp_path)
    assert (started.returncode, started.stdout) == (2, "")
    assert re.fullmatch(rf"photos: [^\n]*{port}[^\n]*in use[^\n]*\n", started.stderr)


def test_a_locked_file_is_a_one_line_error(tmp_path: Path) -> None:
    """The provider waits for the lock first."""
    path = tmp_path / "photos.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("CREATE TABLE t (x)")
        holder.execute("BEGIN EXCLUSIVE")
        started = run("examples.photos", "--port", "0", "--store", f"sqlite:///{path}?timeout=0.3")
    assert started.returncode == 2
    assert re.fullmatch(r"photos: [^\n]*locked[^\n]*\n", started.stderr)


def test_flags_override_the_environment(tmp_path: Path) -> None:
    """PHOTOS_STORE, PHOTOS_NONCES and PHOTOS_EXTERNAL_BASE_URL are the defaults of the flags."""
    elsewhere, nonces = f"sqlite:///{tmp_path}/elsewhere.db", f"sqlite:///{tmp_path}/nonces.db"
    with (
        photos(store=f"sqlite:///{tmp_path}/flag.db", PHOTOS_STORE=elsewhere, PHOTOS_NONCES=nonces) as running,
        Jane(running.url) as jane,
    ):
        jane.sign_in()
        printer = Printer(running.url)
        printer.let_in_by(jane)
        assert printer.photo().status_code == 200
    assert {path.name for path in tmp_path.glob("*.db")} == {"flag.db", "nonces.db"}
    with closing(sqlite3.connect(tmp_path / "nonces.db")) as database:
        assert database.execute("SELECT count(*) FROM oauth1_nonce").fetchone() == (3,)
        assert database.execute("SELECT count(*) FROM oauth1_client").fetchone() == (0,)
    for name in ("PHOTOS_STORE", "PHOTOS_NONCES", "PHOTOS_EXTERNAL_BASE_URL"):
        assert run("examples.photos", "--port", "0", cwd=tmp_path, **{name: "nonsense"}).returncode == 2


def test_the_demo_data_is_added_to_existing_clients(tmp_path: Path) -> None:
    """Demo data is also added after ``client add``; the second start changes nothing."""
    store = f"sqlite:///{tmp_path}/photos.db"
    first = add_client(store, "--callback", READY)
    for _ in range(2):
        with photos(store=store) as running, Jane(running.url) as jane:
            jane.sign_in()
            for credentials in (PRINTER, (first["client_id"], first["client_secret"])):
                client = Printer(running.url, *credentials)
                client.let_in_by(jane)
                assert client.photo().json()["client_id"] == credentials[0]


def test_several_providers_can_start_on_one_file_at_once(tmp_path: Path) -> None:
    """All of them find the demo user and client."""
    store = f"sqlite:///{tmp_path}/photos.db"
    with ExitStack() as stack, ThreadPoolExecutor() as pool:
        started = list(pool.map(lambda _: stack.enter_context(photos(store=store)), range(4)))
        for running in started:
            with Jane(running.url) as jane:
                assert jane.sign_in().status_code == 302
            assert Printer(running.url).initiate()


def test_a_proxy_that_removes_a_prefix() -> None:
    """Signatures are checked against the client's URL; pages and redirects contain the prefix."""
    with (
        photos("--demo-data", "--external-base-url", "https://photos.example.net/deep/") as running,
        httpx2.Client() as browser,
    ):
        printer = Printer("https://photos.example.net/deep")
        url, headers, _ = printer.signed("GET", "/signed/x?a=b")
        answer = browser.get(url.replace("https://photos.example.net/deep", running.url), headers=headers)
        assert answer.status_code == 200, answer.text
        assert browser.get(f"{running.url}/").headers["Location"] == "/deep/login?next=%2F"
        page = browser.get(f"{running.url}/login").text
        assert 'action="/deep/login"' in page
        assert 'href="/deep/static/style.css"' in page
