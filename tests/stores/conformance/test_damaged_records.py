"""Records that cannot be read or were moved: only they are refused, in every store."""

from __future__ import annotations

import logging
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from cryptography.fernet import Fernet

from async_oauth1.credentials import Client
from async_oauth1.errors import StoreUnavailableError
from async_oauth1.stores import Store, StoreError, open_store
from async_oauth1.stores.encryption import MARK, KeyRing, UnreadableError, new_key
from async_oauth1.stores.sqlite import SQLiteStore
from tests.servers import Postgres, Valkey, patient

KEY = new_key()
at_rest = pytest.mark.parametrize("kind", ["sqlite", "postgres"])
DAMAGED = [f"{MARK}é", f"{MARK}x", MARK, f"{MARK}aesgcm$", f"{MARK}aesgcm$é" + "A" * 60]


def execute(url: str, request: pytest.FixtureRequest, statement: str) -> None:
    """Change a database as another program would."""
    if url.startswith("postgresql"):
        server: Postgres = request.getfixturevalue("postgres")
        server.sql(statement)
        return
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        connection.execute(statement)
        connection.commit()


async def filled(url: str, keys: list[str]) -> Store:
    """A store, closed, with two clients and a token credential of each."""
    store = open_store(url, keys=keys)
    assert isinstance(store, Store)
    await store.migrate()
    async with store:
        for name in ("a", "b"):
            await store.add_client(Client(client_id=name, client_secret=f"{name}-s3cret", name=name))
            for user in ("jane", "john"):
                await store.issue_token_credential(name, user)
    return store


def fernet(text: str) -> str:
    """Encrypt as earlier releases did."""
    return MARK + Fernet(KEY).encrypt(text.encode()).decode()


def test_an_encrypted_text_is_bound_to_its_place() -> None:
    """A text is bound to table, column and key; a Fernet token of an earlier release is read, but not current."""
    place = ("table", "column", "key")
    ring = KeyRing([KEY])
    sealed = ring.seal("s3cret", place)
    assert ring.open(sealed, place) == "s3cret"
    assert ring.is_current(sealed, place)
    for number in range(3):
        moved = (*place[:number], "other", *place[number + 1 :])
        with pytest.raises(UnreadableError, match="moved here from another row"):
            ring.open(sealed, moved)  # type: ignore[arg-type]
    assert ring.open(fernet("s3cret"), place) == "s3cret"
    assert not ring.is_current(fernet("s3cret"), place)
    assert KeyRing([new_key(), KEY]).open(sealed, place) == "s3cret"
    assert sealed.startswith(MARK), "a former release finds it unreadable"


@at_rest
async def test_a_ciphertext_of_another_row_is_refused(url: str, request: pytest.FixtureRequest) -> None:
    """A row with another row's ciphertext is unavailable; the original row is not affected."""
    async with await filled(url, [KEY]) as store:
        tokens = await store.list_token_credentials(client_id="a")
        first, second = (token.oauth_token for token in tokens)
        execute(
            url,
            request,
            "UPDATE oauth1_token_credential SET oauth_token_secret = (SELECT oauth_token_secret FROM"
            f" oauth1_token_credential WHERE oauth_token = '{first}') WHERE oauth_token = '{second}'",
        )
        execute(
            url,
            request,
            "UPDATE oauth1_client SET client_secret = (SELECT client_secret FROM oauth1_client WHERE client_id = 'a')"
            " WHERE client_id = 'b'",
        )
        with pytest.raises(StoreUnavailableError):
            await store.query_token("a", second)
        with pytest.raises(StoreUnavailableError):
            await store.query_client("b")
        assert await store.query_credentials("a", first) == (
            Client(client_id="a", client_secret="a-s3cret", name="a"),
            tokens[0],
        )


async def test_a_ciphertext_of_another_hash_is_refused(valkey: Valkey) -> None:
    """The secret and the verifier of temporary credentials in Redis are bound to the token."""
    valkey.flush()
    async with open_store(patient(valkey.url), keys=[KEY]) as store:
        for name in ("one", "two"):
            token = {"oauth_token": name, "oauth_token_secret": f"{name}-s3cret"}
            made = await store.create_temporary_credential(token, "c", "oob")
            await store.create_authorization_verifier(made, "jane", f"{name}-v3rifier")
        with valkey.client() as client:
            client.hset("oauth1:ttwo", "verifier", client.hget("oauth1:tone", "verifier"))
        with pytest.raises(StoreUnavailableError):
            await store.get_temporary_credential("two")
        assert await store.get_temporary_credential("one") is not None


@at_rest
async def test_fernet_tokens_are_read_and_reencrypted(url: str, request: pytest.FixtureRequest) -> None:
    """`reencrypt` binds Fernet tokens to their rows, even under the same key."""
    store = await filled(url, [])
    for name in ("a", "b"):
        value = fernet(f"{name}-s3cret")
        execute(url, request, f"UPDATE oauth1_client SET client_secret = '{value}' WHERE client_id = '{name}'")
    keyed = open_store(url, keys=[KEY])
    assert isinstance(keyed, Store)
    async with keyed:
        before = await keyed.list_clients()
        assert [client.client_secret for client in before] == ["a-s3cret", "b-s3cret"]
        assert await keyed.reencrypt() == 6
        assert await keyed.reencrypt() == 0
        assert await keyed.list_clients() == before
    with pytest.raises(StoreError, match="no key was given"):
        await store.open()


@at_rest
@pytest.mark.parametrize("damaged", DAMAGED)
async def test_only_the_damaged_record_is_unavailable(
    url: str, request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture, damaged: str
) -> None:
    """The store opens; only the damaged record is unavailable, and logged; `reencrypt` encrypts the others."""
    store = await filled(url, [KEY])
    async with store:
        token = (await store.list_token_credentials(client_id="a"))[0]
    execute(url, request, f"UPDATE oauth1_client SET client_secret = '{damaged}' WHERE client_id = 'a'")
    execute(
        url,
        request,
        f"UPDATE oauth1_token_credential SET oauth_token_secret = '{damaged}'"
        f" WHERE oauth_token = '{token.oauth_token}'",
    )
    newer = open_store(url, keys=[new_key(), KEY])
    assert isinstance(newer, Store)
    async with newer:
        for question in (newer.query_client("a"), newer.query_token("a", token.oauth_token)):
            with pytest.raises(StoreUnavailableError):
                await question
        with caplog.at_level(logging.WARNING):
            assert [client.client_id for client in await newer.list_clients()] == ["b"]
            assert len(await newer.list_token_credentials()) == 3
        assert "1 of 2 records cannot be read and are left out of the list" in caplog.text
        assert "1 of 4 records cannot be read and are left out of the list" in caplog.text
        with pytest.raises(StoreError, match=r"2 record.* could not be read, the others are encrypted"):
            await newer.reencrypt()
        with pytest.raises(StoreError, match="2 record"):
            await newer.reencrypt()


async def test_the_command_says_what_it_leaves_out(tmp_path) -> None:
    """The command writes one line to stderr, and lists the others."""
    url = f"sqlite:///{tmp_path}/store.db"
    await filled(url, [])
    with closing(sqlite3.connect(f"{tmp_path}/store.db")) as connection:
        connection.execute("UPDATE oauth1_client SET callbacks = 'no json' WHERE client_id = 'a'")
        connection.commit()
    command = [sys.executable, "-m", "async_oauth1", "client", "list", "--store", url]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("b\t")
    assert "1 of 2 records cannot be read and are left out of the list" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("column", ["oauth_token_secret", "scope", "created_at"])
async def test_a_column_of_another_type(tmp_path, column: str) -> None:
    """A record with bytes in a text column is unavailable, since SQLite stores any type in any column."""
    url = f"sqlite:///{tmp_path}/store.db"
    async with await filled(url, []) as store:
        token = (await store.list_token_credentials(client_id="a"))[0]
        with closing(sqlite3.connect(f"{tmp_path}/store.db")) as connection:
            connection.execute(f"UPDATE oauth1_token_credential SET {column} = x'ff'")
            connection.commit()
        with pytest.raises(StoreUnavailableError):
            await store.query_token("a", token.oauth_token)
        assert await store.list_token_credentials() == []


async def test_text_that_is_not_utf8_does_not_break_the_connection(tmp_path) -> None:
    """Only that record is unavailable, and the next look-up uses the same connection."""
    url = f"sqlite:///{tmp_path}/store.db"
    async with await filled(url, []) as store:
        assert isinstance(store, SQLiteStore)
        with closing(sqlite3.connect(f"{tmp_path}/store.db")) as connection:
            connection.execute("UPDATE oauth1_client SET name = CAST(x'ff' AS TEXT) WHERE client_id = 'a'")
            connection.commit()
        assert store._database._reader is not None
        reader = store._database._reader.connection
        with pytest.raises(StoreUnavailableError):
            await store.query_client("a")
        assert await store.query_client("b") is not None
        assert store._database._reader.connection is reader


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("secret", None),
        ("client_id", None),
        ("callback", None),
        ("secret", b"\xff"),
        ("user_id", b"\xff"),
        ("verifier", b"\xff"),
        ("secret", f"{MARK}é"),
        ("verifier", MARK),
    ],
)
async def test_a_damaged_hash_in_redis(valkey: Valkey, caplog, field: str, value: object) -> None:
    """A record with a missing or invalid field is unavailable and logged, as in the SQL stores."""
    valkey.flush()
    async with open_store(patient(valkey.url), keys=[KEY]) as store:
        token = {"oauth_token": "one", "oauth_token_secret": "s3cret"}
        made = await store.create_temporary_credential(token, "c", "oob")
        await store.create_authorization_verifier(made, "jane", "v")
        with valkey.client() as client:
            if value is None:
                client.hdel("oauth1:tone", field)
            else:
                client.hset("oauth1:tone", field, value)
        with pytest.raises(StoreUnavailableError):
            await store.get_temporary_credential("one")
        assert "the secret of the token one... " in caplog.text
        assert "s3cret" not in caplog.text
