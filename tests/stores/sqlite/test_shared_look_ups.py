"""Look-ups in SQLite at the same time share a statement; what is damaged for one of them is not for the others."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from async_oauth1.credentials import Client, TokenCredential
from async_oauth1.errors import StoreUnavailableError
from async_oauth1.stores.sqlite import SQLiteStore

CLIENT = Client(client_id="c", client_secret="s")


async def filled(path: Path, count: int) -> tuple[SQLiteStore, list[TokenCredential]]:
    """A store, closed, with token credentials."""
    store = SQLiteStore(f"sqlite:///{path}")
    await store.migrate()
    async with store:
        await store.add_client(CLIENT)
        return store, [await store.issue_token_credential("c", "jane") for _ in range(count)]


async def test_each_caller_gets_its_own_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Known and unknown names, with and without a token, in two statements at most."""
    store, tokens = await filled(tmp_path / "store.db", 20)
    async with store:
        statements: list[str] = []
        read = store._database.read

        async def noted(sql: str, parameters: tuple[object, ...]) -> list[tuple[object, ...]]:
            statements.append(sql)
            return await read(sql, parameters)

        monkeypatch.setattr(store._database, "read", noted)
        answers = await asyncio.gather(
            *(store.query_credentials("c", token.oauth_token) for token in tokens),
            store.query_credentials("other", tokens[0].oauth_token),
            store.query_credentials("c", 'no"ne'),
            store.query_client("c"),
            store.query_client("other"),
            store.query_token("c", tokens[0].oauth_token),
            store.query_token("other", tokens[0].oauth_token),
        )
    assert answers == [
        *((CLIENT, token) for token in tokens),
        (None, None),
        (CLIENT, None),
        CLIENT,
        None,
        tokens[0],
        None,
    ]
    assert len(statements) <= 2


async def test_a_damaged_page_fails_only_the_look_ups_that_need_it(tmp_path: Path) -> None:
    """The other look-ups of the batch are answered. The page is damaged after the store has checked the file."""
    path = tmp_path / "store.db"
    store, tokens = await filled(path, 300)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size: int = connection.execute("PRAGMA page_size").fetchone()[0]
    octets = path.read_bytes()
    secret = tokens[150].oauth_token_secret.encode()
    start = octets.index(secret) // size * size
    async with store:
        with path.open("r+b") as file:
            file.seek(start)
            file.write(b"\xff" * size)
        questions = [store.query_credentials("c", token.oauth_token) for token in tokens]
        found = await asyncio.gather(*questions, return_exceptions=True)
        for token, together in zip(tokens, found, strict=True):
            alone = await asyncio.gather(store.query_credentials("c", token.oauth_token), return_exceptions=True)
            assert [type(together)] == [type(answer) for answer in alone]
    assert isinstance(found[150], StoreUnavailableError)
    answered = [(token, answer) for token, answer in zip(tokens, found, strict=True) if isinstance(answer, tuple)]
    assert len(answered) > len(tokens) // 2
    assert all(answer == (CLIENT, token) for token, answer in answered)


async def test_text_that_is_not_utf_8_fails_only_its_own_look_up(tmp_path: Path) -> None:
    """The row of another token is read as always."""
    path = tmp_path / "store.db"
    store, tokens = await filled(path, 3)
    with closing(sqlite3.connect(path)) as connection:
        spoil = "UPDATE oauth1_token_credential SET user_id = CAST(x'ff' AS TEXT) WHERE oauth_token = ?"
        connection.execute(spoil, (tokens[1].oauth_token,))
        connection.commit()
    async with store:
        found = await asyncio.gather(
            *(store.query_credentials("c", token.oauth_token) for token in tokens), return_exceptions=True
        )
    assert found[::2] == [(CLIENT, tokens[0]), (CLIENT, tokens[2])]
    assert isinstance(found[1], StoreUnavailableError)
