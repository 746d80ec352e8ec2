"""What docs/operating.md says of a PostgreSQL that is restored from a copy."""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from async_oauth1 import Client
from async_oauth1.stores import change_feed, open_store
from tests.servers import Postgres

PRINTER = Client(client_id="printer", client_secret="printer-secret", callbacks=("oob",))
KEY = "uirPhkToHwI35ndI_GHilcGM8PrCBTQNrbo4FoLjXaE="


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server."""
    server = Postgres()
    yield server
    server.close()


def run(postgres: Postgres, program: str, *arguments: str) -> None:
    """Run one of PostgreSQL's own programs."""
    command = [str(postgres.bin / program), "-h", str(postgres.folder), "-U", "postgres", *arguments]
    subprocess.run(command, check=True, capture_output=True)


def store_on(postgres: Postgres, database: str, keys: list[str] | None = None) -> Any:
    """A store with a cache, on a database."""
    return open_store(f"postgresql://postgres@/{database}?host={postgres.folder}&cache=100", keys=keys or [KEY])


async def test_a_copy_is_complete(
    postgres: Postgres, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The restored database can be used at once, caches included; what was revoked since has to be revoked again."""
    monkeypatch.setattr(change_feed, "_PROBE_TIMEOUT", 60.0)  # a busy machine is no outage
    first, second, file = postgres.new_database(), postgres.new_database(), str(postgres.folder / "copy")
    store = store_on(postgres, first)
    await store.migrate()
    async with store:
        await store.add_client(PRINTER)
        token = (await store.issue_token_credential(PRINTER.client_id, "jane")).oauth_token
        run(postgres, "pg_dump", "--format=custom", f"--file={file}", first)
        assert await store.revoke_token_credential(token)
    run(postgres, "pg_restore", "--no-owner", f"--dbname={second}", file)
    restored = store_on(postgres, second)
    with caplog.at_level(logging.WARNING, "async_oauth1"):
        await restored.migrate()
        async with restored:
            assert await restored.query_client(PRINTER.client_id) == PRINTER
            assert await restored.query_token(PRINTER.client_id, token) is not None
            assert await restored.revoke_token_credential(token)
            assert await restored.query_token(PRINTER.client_id, token) is None
    assert caplog.records == []
    for secret in (PRINTER.client_secret, KEY):
        assert secret.encode() not in (postgres.folder / "copy").read_bytes()
