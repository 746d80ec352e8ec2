"""The statements of docs/audit.md remove old records of the audit trail, and keep the others."""

from __future__ import annotations

import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from async_oauth1.stores import open_store
from tests.project.pages.blocks import blocks
from tests.servers import Postgres

ADD = "INSERT INTO oauth1_audit (at, event, client_id, actor, actor_name) VALUES ({at}, 'x', '{name}', 'provider', '')"
NAMES = "SELECT client_id FROM oauth1_audit ORDER BY client_id"
REMOVE = "DELETE FROM oauth1_audit"


def statements(beginning: str) -> str:
    """The block of the page that begins so."""
    [text] = [block.text for block in blocks() if block.page == "docs/audit.md" and block.text.startswith(beginning)]
    return text


async def test_in_postgres(postgres: Postgres) -> None:
    """Two years are kept; afterwards nothing can be removed."""
    postgres.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    await open_store(postgres.url).migrate()
    for name, age in (("old", "3 years"), ("young", "1 year")):
        postgres.sql(ADD.format(at=f"extract(epoch FROM now() - interval '{age}')", name=name))
    postgres.sql(statements("BEGIN;"))
    assert postgres.sql(NAMES) == "young"
    with pytest.raises(subprocess.CalledProcessError):
        postgres.sql(REMOVE)


async def test_in_sqlite(tmp_path: Path) -> None:
    """The trigger is there again, and is the one that the store has made."""
    await open_store(f"sqlite:///{tmp_path}/store.db").migrate()
    triggers = "SELECT name FROM sqlite_master WHERE type = 'trigger' ORDER BY name"
    with closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None)) as database:
        before = database.execute(triggers).fetchall()
        for name, age in (("old", "-3 years"), ("young", "-1 year")):
            database.execute(ADD.format(at=f"strftime('%s', 'now', '{age}')", name=name))
        database.executescript(statements("BEGIN IMMEDIATE;"))
        assert database.execute(NAMES).fetchall() == [("young",)]
        assert database.execute(triggers).fetchall() == before
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            database.execute(REMOVE)
