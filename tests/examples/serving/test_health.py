"""The provider while its store is not available."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import httpx2
import pytest

from tests.examples.jane import Jane, Printer
from tests.examples.running import Photos, photos


def everything(running: Photos, jane: Jane, printer: Printer) -> dict[str, int]:
    """The status of each kind of request."""
    return {
        "/health": httpx2.get(f"{running.url}/health").status_code,
        "/": jane.get("/").status_code,
        "/photos": printer.photo().status_code,
        "/initiate": printer.send("POST", "/initiate", callback_uri="http://printer.example.com/ready").status_code,
    }


@pytest.mark.parametrize("arguments", [[], ["--workers", "2"]], ids=["one process", "two"])
def test_it_recovers_when_the_file_comes_back(tmp_path: Path, arguments: list[str]) -> None:
    """While the file is missing, damaged or locked, the answers are 503 as JSON or HTML; afterwards all works again."""
    path, aside = tmp_path / "photos.db", tmp_path / "aside.db"
    with photos(*arguments, store=f"sqlite:///{path}?timeout=2") as running, Jane(running.url) as jane:
        jane.sign_in()
        printer = Printer(running.url)
        printer.let_in_by(jane)
        well = {"/health": 200, "/": 200, "/photos": 200, "/initiate": 200}
        ill = dict.fromkeys(well, 503)
        assert everything(running, jane, printer) == well

        with closing(sqlite3.connect(path)) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        path.rename(aside)
        assert everything(running, jane, printer) == ill
        page, refused = jane.get("/"), printer.photo()
        assert page.headers["Content-Type"].startswith("text/html")
        assert refused.headers["Content-Type"] == "application/json"
        assert page.headers["Retry-After"]
        assert refused.headers["Retry-After"]

        path.write_bytes(b"rubbish" * 1_000)
        assert everything(running, jane, printer) == ill
        aside.replace(path)
        assert everything(running, jane, printer) == well

        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert httpx2.get(f"{running.url}/health").status_code == 503
            assert printer.photo().status_code == 503
        assert everything(running, jane, printer) == well


def test_the_store_for_nonces_is_checked_too(tmp_path: Path) -> None:
    """Without it, signed requests are refused with 503."""
    nonces = tmp_path / "nonces.db"
    store = f"sqlite:///{tmp_path}/photos.db"
    with photos("--nonces", f"sqlite:///{nonces}", store=store) as running, Jane(running.url) as jane:
        jane.sign_in()
        printer = Printer(running.url)
        printer.let_in_by(jane)
        nonces.rename(tmp_path / "aside.db")
        assert httpx2.get(f"{running.url}/health").status_code == 503
        assert printer.photo().status_code == 503
        assert jane.get("/").status_code == 200
