"""When photos adds the demo user and client, whose secrets are public. It never adds them twice."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import asyncpg
import pytest
from argon2 import PasswordHasher

from examples.photos import passwords
from examples.photos.settings import SettingsError, read_settings
from examples.photos.storage import open_storage
from tests.cli.command import run
from tests.servers import Postgres

from .jane import PRINTER, Jane
from .running import add_client, photos

HTTPS = ("--external-base-url", "https://photos.example.net")


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes take no time: most of these tests start several times."""
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty store."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/photos.db"
    server: Postgres = request.getfixturevalue("postgres")
    server.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    return server.url


async def start(store: str, *arguments: str, **environ: str) -> tuple[bool, bool]:
    """Open the store as photos does; returns whether it has the demo user, and the demo client."""
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
    """The demo needs no preparation."""
    assert await start(store) == (True, True)
    assert await start(store) == (True, True)


async def test_a_client_that_was_added_before_does_not_count_as_a_start(store: str) -> None:
    """After ``client add`` has created the store, photos still adds the demo data at its first start."""
    await asyncio.to_thread(add_client, store)
    assert await start(store) == (True, True)


async def test_removed_demo_data_is_not_added_again(store: str) -> None:
    """This also holds for a start with `--demo-data`."""
    await start(store)
    removed = await asyncio.to_thread(run, "client", "remove", PRINTER[0], "--store", store, "--json")
    assert removed.returncode == 0, removed.stderr
    assert await start(store) == (True, False)
    await change(store, "DELETE FROM photos_user WHERE user_id = $1", "jane")
    assert await start(store) == (False, False)
    assert await start(store, "--demo-data") == (False, False)


async def test_a_changed_password_is_not_reset(store: str) -> None:
    """The public password is no longer valid."""
    await start(store)
    password_hash = await passwords.hash_password("another")
    await change(store, "UPDATE photos_user SET password_hash = $1", password_hash)
    settings = read_settings(["--store", store, "--demo-data"], {})
    async with open_storage(settings) as storage:
        assert await storage.users.find("jane") == password_hash


async def test_several_processes_can_add_it_at_once(store: str) -> None:
    """None of them fails."""
    assert await asyncio.gather(*(start(store) for _ in range(4))) == [(True, True)] * 4


@pytest.mark.parametrize(
    "arguments",
    [HTTPS, ("--host", "0.0.0.0"), ("--host", "::"), ("--trusted-proxies", "127.0.0.1")],
    ids=["https", "IPv4", "IPv6", "proxy"],
)
async def test_a_provider_that_others_can_reach_has_no_public_secrets(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    """They are added neither at its first start nor later on loopback, but only with the flag."""
    store = f"sqlite:///{tmp_path}/photos.db"
    assert await start(store, *arguments) == (False, False)
    assert await start(store) == (False, False)
    assert await start(store, *arguments, "--demo-data") == (True, True)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.2", "::1"])
async def test_any_loopback_address_is_local(host: str) -> None:
    """An address may be a name or a number, and an external URL of plain http does not change this."""
    assert await start("memory://", "--host", host) == (True, True)
    assert await start("memory://", "--host", host, "--external-base-url", "http://localhost:9000") == (True, True)


@pytest.mark.parametrize(("value", "added"), [("1", True), ("true", True), ("0", False), ("", False)])
async def test_the_environment_can_set_the_flag(value: str, added: bool) -> None:
    """PHOTOS_DEMO_DATA is `--demo-data`."""
    assert await start("memory://", *HTTPS, PHOTOS_DEMO_DATA=value) == (added, added)


def test_an_invalid_switch_is_refused() -> None:
    """The error names the variable and its values."""
    with pytest.raises(SettingsError, match="PHOTOS_DEMO_DATA must be 1 or 0, not 'maybe'"):
        read_settings([], {"PHOTOS_DEMO_DATA": "maybe"})


def test_workers_do_not_add_it_again(tmp_path: Path) -> None:
    """With two workers, jane can sign in until she is removed."""
    store = f"sqlite:///{tmp_path}/photos.db"
    with photos("--workers", "2", store=store) as running, Jane(running.url) as jane:
        assert jane.sign_in().status_code == 302
    asyncio.run(change(store, "DELETE FROM photos_user WHERE user_id = $1", "jane"))
    with photos("--workers", "2", store=store) as running, Jane(running.url) as jane:
        assert jane.sign_in().status_code == 403
