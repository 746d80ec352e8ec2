"""When photos adds the story's user and client, whose secrets are public, and that it never puts them back."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import asyncpg
import pytest

from examples.photos.passwords import hash_password
from examples.photos.settings import SettingsError, read_settings
from examples.photos.storage import open_storage
from tests.servers import Postgres

from .jane import PRINTER, Jane
from .running import add_client, photos, run

HTTPS = ("--external-base-url", "https://photos.example.net")


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    """A server of this module's own."""
    server = Postgres()
    yield server
    server.close()


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty store."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/photos.db"
    server: Postgres = request.getfixturevalue("postgres")
    server.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    return server.url


async def start(store: str, *arguments: str, **environ: str) -> tuple[bool, bool]:
    """Open the store as photos does; whether it then has the story's user, and its client."""
    settings = read_settings(["--store", store, *arguments], environ)
    async with open_storage(settings) as storage:
        client = await storage.store.query_client(PRINTER[0])
        return await storage.users.find("jane") is not None, client is not None


async def change(store: str, sql: str, *parameters: str) -> None:
    """Change a row as an operator would."""
    if store.startswith("sqlite"):
        with closing(sqlite3.connect(store.removeprefix("sqlite:///"))) as database, database:
            database.execute(sql.replace("$1", "?"), parameters)
    else:
        connection = await asyncpg.connect(store)
        await connection.execute(sql, *parameters)
        await connection.close()


async def test_the_first_start_on_loopback_adds_both(store: str) -> None:
    """So that the demo needs no preparation."""
    assert await start(store) == (True, True)
    assert await start(store) == (True, True)


async def test_a_client_that_was_added_before_changes_nothing(store: str) -> None:
    """``client add`` creates the store, and the first start of photos still counts as its first."""
    await asyncio.to_thread(add_client, store)
    assert await start(store) == (True, True)


async def test_what_was_removed_stays_removed(store: str) -> None:
    """Also when photos is started with the flag."""
    await start(store)
    removed = await asyncio.to_thread(run, "async_oauth1", "client", "remove", PRINTER[0], "--store", store, "--json")
    assert removed.returncode == 0, removed.stderr
    assert await start(store) == (True, False)
    await change(store, "DELETE FROM photos_user WHERE user_id = $1", "jane")
    assert await start(store) == (False, False)
    assert await start(store, "--demo-data") == (False, False)


async def test_a_password_that_was_changed_stays_changed(store: str) -> None:
    """The one of the story opens nothing any more."""
    await start(store)
    password_hash = await hash_password("another")
    await change(store, "UPDATE photos_user SET password_hash = $1", password_hash)
    settings = read_settings(["--store", store, "--demo-data"], {})
    async with open_storage(settings) as storage:
        assert await storage.users.find("jane") == password_hash


async def test_several_processes_at_once_add_it_once(store: str) -> None:
    """None of them fails because another was faster."""
    assert await asyncio.gather(*(start(store) for _ in range(4))) == [(True, True)] * 4


@pytest.mark.parametrize(
    "arguments",
    [HTTPS, ("--host", "0.0.0.0"), ("--host", "::"), ("--trusted-proxies", "127.0.0.1")],
    ids=["https", "IPv4", "IPv6", "proxy"],
)
async def test_a_provider_that_others_reach_has_no_public_secrets(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """Not at its first start, and not when it is tried on loopback later; the flag adds them all the same."""
    store = f"sqlite:///{tmp_path}/photos.db"
    assert await start(store, *arguments) == (False, False)
    assert await start(store) == (False, False)
    assert await start(store, *arguments, "--demo-data") == (True, True)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.2", "::1"])
async def test_every_loopback_address_counts(host: str) -> None:
    """By name or number; and so does an external URL of plain http."""
    assert await start("memory://", "--host", host) == (True, True)
    assert await start("memory://", "--host", host, "--external-base-url", "http://localhost:9000") == (True, True)


@pytest.mark.parametrize(("value", "added"), [("1", True), ("true", True), ("0", False), ("", False)])
async def test_the_environment_says_the_same_as_the_flag(value: str, added: bool) -> None:
    """For containers."""
    assert await start("memory://", *HTTPS, PHOTOS_DEMO_DATA=value) == (added, added)


def test_a_switch_that_is_neither_on_nor_off_is_refused() -> None:
    """It names the variable and its values."""
    with pytest.raises(SettingsError, match="PHOTOS_DEMO_DATA must be 1 or 0, not 'maybe'"):
        read_settings([], {"PHOTOS_DEMO_DATA": "maybe"})


def test_workers_do_not_put_it_back(tmp_path: Path) -> None:
    """Two processes serve, and jane can sign in until she is removed."""
    store = f"sqlite:///{tmp_path}/photos.db"
    with photos("--workers", "2", store=store) as running, Jane(running.url) as jane:
        assert jane.sign_in().status_code == 302
    asyncio.run(change(store, "DELETE FROM photos_user WHERE user_id = $1", "jane"))
    with photos("--workers", "2", store=store) as running, Jane(running.url) as jane:
        assert jane.sign_in().status_code == 403
