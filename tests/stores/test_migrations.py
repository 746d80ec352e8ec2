"""A store of an earlier release is refused until it is migrated, and migrating loses nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from async_oauth1.credentials import Client, TokenCredential
from async_oauth1.stores import Store, StoreError, open_store
from async_oauth1.stores.postgres.schema import MIGRATIONS as POSTGRES_MIGRATIONS
from async_oauth1.stores.sqlite.schema import MIGRATIONS as SQLITE_MIGRATIONS
from tests.servers import Postgres

#: As the first release wrote them, in columns that both databases read alike.
ROWS = (
    """INSERT INTO oauth1_client VALUES ('printer', 'secret', '["former"]', 'Printer', '["oob"]', '[]', NULL, 'strict',
        false)""",
    "INSERT INTO oauth1_token_credential VALUES ('token', 'token-secret', 'printer', 'jane', 'photos.read', 1.5)",
    """INSERT INTO oauth1_temporary_credential VALUES ('temporary', 'temporary-secret', 'printer', 'oob', 'jane',
        'code', true, 0, 99999999999)""",
)


def sqlite_maker(path: Path) -> Callable[[Sequence[str], int], str]:
    """Create a file with some statements."""

    def make(statements: Sequence[str], version: int) -> str:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            for statement in (*statements, *ROWS, f"PRAGMA user_version = {version}"):
                connection.execute(statement)
        return f"sqlite:///{path}"

    return make


def postgres_maker(server: Postgres) -> Callable[[Sequence[str], int], str]:
    """Create tables with some statements."""

    def make(statements: Sequence[str], version: int) -> str:
        state = (f"CREATE TABLE oauth1_schema AS SELECT {version} AS version",)
        server.sql(";".join(("DROP SCHEMA public CASCADE", "CREATE SCHEMA public", *statements, *ROWS, *state)))
        return server.url

    return make


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
async def test_data_of_the_first_release_is_kept(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """After migrating, clients keep their former secrets, tokens never expire, and verifiers are still there."""
    if kind == "sqlite":
        url = sqlite_maker(tmp_path / "store.db")(SQLITE_MIGRATIONS[0], 1)
    else:
        url = postgres_maker(request.getfixturevalue("postgres"))(POSTGRES_MIGRATIONS[0], 1)
    store = open_store(url)
    assert isinstance(store, Store)
    with pytest.raises(StoreError, match=r"has schema version 1, this release needs .*; migrate it first"):
        await store.open()
    await store.migrate()
    async with store:
        client = Client(
            client_id="printer",
            client_secret="secret",
            overlapping_secrets=("former",),
            name="Printer",
            callbacks=("oob",),
        )
        token = TokenCredential(
            oauth_token="token",
            oauth_token_secret="token-secret",
            client_id="printer",
            user_id="jane",
            scope="photos.read",
            created_at=1.5,
        )
        assert await store.query_credentials("printer", "token") == (client, token)
        credential = await store.get_temporary_credential("temporary")
        assert credential is not None
        assert credential.check_verifier("code")
        rotated = await store.rotate_client_secret("printer", overlap=60)
        assert rotated is not None
        assert rotated.get_client_secrets() == (rotated.client_secret, "secret", "former")
        assert await store.query_client("printer") == rotated
