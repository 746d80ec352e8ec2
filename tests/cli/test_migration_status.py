"""`async-oauth1 migrate --status`: says whether a store must be migrated, and changes nothing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from async_oauth1.stores.sqlite.schema import MIGRATIONS, SCHEMA_VERSION
from tests.servers import Postgres

from .command import assert_one_line_error, run, run_json


@pytest.mark.parametrize("kind", ["sqlite", "postgres", "postgres with a cache"])
async def test_a_new_store(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Before the first migration the exit status is 1, and afterwards 0; nothing is created by asking."""
    url = f"sqlite:///{tmp_path}/store.db"
    if kind != "sqlite":
        server: Postgres = request.getfixturevalue("postgres")
        server.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        url = server.url
        if kind == "postgres with a cache":
            url += ("&" if "?" in url else "?") + "cache=10"
    for _ in range(2):
        result = run("migrate", "--status", "--store", url)
        assert (result.returncode, result.stdout) == (1, "")
        assert "has no tables yet, this release needs" in result.stderr
        assert "run async-oauth1 migrate" in result.stderr
    assert not (tmp_path / "store.db").exists()
    assert run("migrate", "--store", url).returncode == 0
    status = run_json("migrate", "--status", "--store", url)
    assert status["up_to_date"] is True
    assert status["version"] == status["needs"]
    assert run("migrate", "--status", "--store", url).stderr.endswith(": up to date.\n")


async def test_another_release(tmp_path: Path) -> None:
    """An older store must be migrated, and one of a newer release says so."""
    path = tmp_path / "store.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in (*MIGRATIONS[0], "PRAGMA user_version = 1"):
            connection.execute(statement)
        old = run("migrate", "--status", "--store", f"sqlite:///{path}", "--json")
        assert (old.returncode, old.stderr) == (1, "")
        assert f'"version": 1, "needs": {SCHEMA_VERSION}, "up_to_date": false' in old.stdout
        connection.execute("PRAGMA user_version = 99")
        new = run("migrate", "--status", "--store", f"sqlite:///{path}")
        assert new.returncode == 1
        assert "has schema version 99" in new.stderr
        assert "made by a newer release" in new.stderr


async def test_what_is_no_store(tmp_path: Path) -> None:
    """A file that is not SQLite's, and a server that does not answer, are errors."""
    (tmp_path / "text").write_text("not a database at all" * 100)
    assert_one_line_error(run("migrate", "--status", "--store", f"sqlite:///{tmp_path}/text"), "is not a database")
    gone = "postgresql://jane:hunter2@127.0.0.1:1/photos"
    assert run("migrate", "--status", "--store", gone).returncode == 2
