"""Tables as Authlib's former module made them fit after the migration that the documentation shows."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from .conftest import DRIVERS, Engines
from .models import PlainClient, User
from .provider import PlainProvider, new_plain_store

TABLES = (
    (
        "CREATE TABLE temporary (id {serial}, client_id VARCHAR(48), oauth_token VARCHAR(84) UNIQUE,"
        " oauth_token_secret VARCHAR(84), oauth_callback TEXT, oauth_verifier VARCHAR(84), user_id INTEGER)"
    ),
    (
        "CREATE TABLE nonce (id {serial}, client_id VARCHAR(48) NOT NULL, timestamp INTEGER NOT NULL,"
        " nonce VARCHAR(48) NOT NULL, oauth_token VARCHAR(84),"
        " CONSTRAINT unique_nonce UNIQUE (client_id, timestamp, nonce, oauth_token))"
    ),
    "INSERT INTO nonce (client_id, timestamp, nonce) VALUES ('c', 4, 'n')",
    "INSERT INTO nonce (client_id, timestamp, nonce) VALUES ('c', 4, 'n')",
)
SERIALS = {
    "sqlite": "INTEGER PRIMARY KEY",
    "postgresql": "SERIAL PRIMARY KEY",
    "mysql": "INTEGER PRIMARY KEY AUTO_INCREMENT",
}


def migrate(connection: Connection, program: str) -> None:
    """Run the migration of the page."""
    names: dict[str, Any] = {}
    exec(compile(program, "own-models.md", "exec", dont_inherit=True), names)
    with Operations.context(MigrationContext.configure(connection)):
        names["upgrade"]()


@pytest.mark.parametrize("driver", [name for name in DRIVERS if name != "psycopg"])
async def test_the_migration(engines: Engines, repository: Path) -> None:
    """Afterwards the whole flow works, and a request from before the migration is refused."""
    page = (repository / "docs" / "own-models.md").read_text(encoding="utf-8")
    blocks: list[str] = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    [program] = [block for block in blocks if "def upgrade()" in block]
    program = program.replace("temporary_credential", "temporary")
    engine: AsyncEngine = engines()
    async with engine.begin() as connection:
        for table in (User.__table__, PlainClient.__table__):
            await connection.run_sync(table.create)  # type: ignore[attr-defined]
        await connection.execute(User.__table__.insert(), [{"id": 7, "name": "Jane"}])  # type: ignore[attr-defined]
        for statement in TABLES:
            await connection.execute(text(statement.format(serial=SERIALS[engine.dialect.name])))
        await connection.run_sync(new_plain_store(engine)._token_model.table.create)
    async with engine.begin() as connection:
        await connection.run_sync(migrate, program)
    provider = await PlainProvider.over(engine)
    before = provider.signer.wire("POST", b"/initiate", oauth_callback="oob", oauth_timestamp=str(int(time.time()) - 5))
    assert (await provider.initiate(before)).status_code == 401
    provider.signer = replace(provider.signer, timestamp=int(time.time()) + 5)
    wire = (await provider.token()).wire()
    assert not isinstance(await provider.protect(wire), int)
    assert await provider.protect(wire) == 401
