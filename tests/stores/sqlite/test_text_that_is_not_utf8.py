"""Rows with text that is not UTF-8: lists leave them out, and `reencrypt` continues with the others."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from async_oauth1.credentials import Client
from async_oauth1.errors import StoreUnavailableError
from async_oauth1.stores import Store, StoreError, open_store
from async_oauth1.stores.encryption import new_key

NO_TEXT = ["CAST(x'ff' AS TEXT)", "CAST(x'73336372657480' AS TEXT)", "x'ff'"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the store is."""
    return tmp_path / "store.db"


async def _filled(path: Path) -> None:
    await _store(path).migrate()
    async with _store(path) as store:
        for name in ("a", "b", "c"):
            await store.add_client(Client(client_id=name, client_secret=f"{name}-s3cret", name=name))
            await store.issue_token_credential(name, "jane")


def _store(path: Path, *keys: str) -> Store:
    store = open_store(f"sqlite:///{path}", keys=keys)
    assert isinstance(store, Store)
    return store


def _execute(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)
        connection.commit()


@pytest.mark.parametrize("value", NO_TEXT)
@pytest.mark.parametrize("column", ["client_secret", "name", "callbacks", "nonce_policy"])
async def test_a_client(path: Path, caplog: pytest.LogCaptureFixture, column: str, value: str) -> None:
    """The client is left out of lists and unavailable itself; the log does not show the text."""
    await _filled(path)
    _execute(path, f"UPDATE oauth1_client SET {column} = {value} WHERE client_id = 'b'")
    async with _store(path) as store:
        with caplog.at_level(logging.WARNING):
            assert [client.client_id for client in await store.list_clients()] == ["a", "c"]
            with pytest.raises(StoreUnavailableError):
                await store.query_client("b")
        assert "1 of 3 records cannot be read and are left out of the list" in caplog.text
        assert "s3cret" not in caplog.text
        assert await store.query_client("a") is not None


@pytest.mark.parametrize("value", NO_TEXT)
@pytest.mark.parametrize("column", ["oauth_token", "oauth_token_secret", "client_id", "user_id", "scope"])
async def test_a_token(path: Path, caplog: pytest.LogCaptureFixture, column: str, value: str) -> None:
    """The same for token credentials, their name included."""
    await _filled(path)
    _execute(path, f"UPDATE oauth1_token_credential SET {column} = {value} WHERE client_id = 'b'")
    async with _store(path) as store:
        assert [token.client_id for token in await store.list_token_credentials()] == ["a", "c"]
        assert "1 of 3 records cannot be read and are left out of the list" in caplog.text
        if column != "oauth_token":  # the beginning of a name is shown
            assert "s3cret" not in caplog.text


@pytest.mark.parametrize("value", NO_TEXT)
@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("oauth1_client", "client_id"),
        ("oauth1_client", "client_secret"),
        ("oauth1_client", "overlapping_secrets"),
        ("oauth1_token_credential", "oauth_token"),
        ("oauth1_token_credential", "oauth_token_secret"),
    ],
)
async def test_reencrypting(path: Path, table: str, column: str, value: str) -> None:
    """The store opens, `reencrypt` encrypts every other row under the newest key, and it ends."""
    await _filled(path)
    _execute(path, f"UPDATE {table} SET {column} = {value} WHERE client_id = 'b'")
    async with _store(path, new_key()) as store, asyncio.timeout(60):
        with pytest.raises(StoreError, match=r"1 record\(s\) could not be read, the others are encrypted"):
            await store.reencrypt()
    with closing(sqlite3.connect(path)) as connection:
        connection.text_factory = bytes
        secrets = [row[0] for row in connection.execute("SELECT client_secret FROM oauth1_client")]
        secrets += [row[0] for row in connection.execute("SELECT oauth_token_secret FROM oauth1_token_credential")]
    assert sum(secret.startswith(b"$fernet$") for secret in secrets) == 5
