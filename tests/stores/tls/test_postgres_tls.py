"""PostgreSQL over TLS. The wheel's server has none, so a pgbouncer of the system speaks it in front."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from async_oauth1.errors import StoreError
from async_oauth1.stores import open_store
from async_oauth1.stores.postgres import PostgresStore
from async_oauth1.stores.postgres.change_feed import PostgresChangeFeed
from async_oauth1.stores.postgres.url import PostgresSettings
from tests.servers import PgBouncer, Postgres, pgbouncer_binary
from tests.servers.certificates import Authority

from .conftest import Files

PASSWORD = "pass-word-of-postgres"
FULL = "sslmode=verify-full&sslrootcert={folder}/authority.pem"
NO_AUTHORITY = "the server's certificate is not signed by a trusted authority"


class TlsPgBouncer(PgBouncer):
    """A pgbouncer that refuses clients without TLS."""

    def __init__(self, postgres: Postgres, files: tuple[Path, Path]) -> None:
        self.files = files
        super().__init__(postgres)

    def launch(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        """Run it with the certificate."""
        certificate, key = self.files
        settings = f"client_tls_sslmode = require\nclient_tls_cert_file = {certificate}\nclient_tls_key_file = {key}\n"
        with (self.folder / "pgbouncer.ini").open("a") as file:
            file.write(settings)
        return super().launch(command)


@pytest.fixture(scope="module")
def servers(certificates: Files) -> Iterator[dict[str, PgBouncer]]:
    """A server with each certificate, and one without, in front of the same tables."""
    if pgbouncer_binary() is None and not os.environ.get("CI"):
        pytest.skip("pgbouncer is no wheel and not installed here")
    assert pgbouncer_binary() is not None, "there is no pgbouncer"
    postgres = Postgres()
    asyncio.run(_migrate(postgres.url))
    running: dict[str, PgBouncer] = {name: TlsPgBouncer(postgres, files) for name, files in certificates.items()}
    running["plain"] = PgBouncer(postgres)
    yield running
    for server in (*running.values(), postgres):
        server.close()


async def _migrate(url: str) -> None:
    store = open_store(url)
    assert isinstance(store, PostgresStore)
    await store.migrate()


def url_of(server: PgBouncer, options: str) -> str:
    """The URL with a password, which the server does not check."""
    where = f"127.0.0.1:{server.port}/postgres?statement_cache_size=0"
    return f"postgresql://postgres:{PASSWORD}@{where}&{options}"


@pytest.fixture(autouse=True)
def no_authority_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """libpq's variables and files of the user that runs the tests do not count."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("PGSSLMODE", "PGSSLROOTCERT", "PGSERVICE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("server", "options"),
    [
        ("right", FULL),
        ("right", FULL.replace("verify-full", "verify-ca")),
        ("host", FULL.replace("verify-full", "verify-ca")),  # which does not check the host
        ("right", "sslmode=require"),
    ],
)
async def test_a_certificate_that_holds(
    server: str, options: str, servers: dict[str, PgBouncer], folder: Path, authority: Authority
) -> None:
    """The store works over TLS; these servers refuse anything else."""
    async with open_store(url_of(servers[server], options.format(folder=folder))) as store:
        assert await store.exists_nonce(f"{server} {options}", str(int(time.time())), "client", None) is False


@pytest.mark.parametrize(
    ("server", "options", "reason"),
    [
        ("right", FULL.replace("authority", "other"), NO_AUTHORITY),
        ("right", FULL.replace("authority", "other").replace("verify-full", "verify-ca"), NO_AUTHORITY),
        ("right", FULL.replace("authority", "other").replace("verify-full", "require"), NO_AUTHORITY),
        ("right", FULL.replace("authority", "nothing"), "the file of sslrootcert cannot be read"),
        ("right", FULL.replace("authority.pem", "right.key"), "holds no certificate"),
        ("right", "sslmode=verify-full", "sslmode=verify-full needs sslrootcert"),
        ("host", FULL, "is for another host .*127.0.0.1"),
        ("expired", FULL, "the server's certificate has expired"),
        ("plain", FULL, "rejected SSL upgrade"),
        ("plain", "sslmode=require", "rejected SSL upgrade"),
        ("right", "sslmode=disable", "SSL required"),
        (
            "right",
            "sslmode=verifyfull",
            "sslmode must be one of disable, allow, prefer, require, verify-ca, verify-full",
        ),
        ("right", "sslmode=prefer&sslrootcert={folder}/other.pem", "sslrootcert has no effect with sslmode=prefer"),
        ("right", "sslrootcert={folder}/other.pem", "sslrootcert has no effect with sslmode=prefer"),
    ],
)
async def test_what_is_not_valid_is_refused(
    server: str,
    options: str,
    reason: str,
    servers: dict[str, PgBouncer],
    folder: Path,
    other_authority: Authority,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The message says what is wrong, and neither it nor the log has the password."""
    caplog.set_level(logging.DEBUG, "async_oauth1")
    with pytest.raises(StoreError) as caught:
        await open_store(url_of(servers[server], options.format(folder=folder))).open()
    assert re.search(reason, str(caught.value))
    assert PASSWORD not in f"{caught.value} {caught.value.__cause__!r} {caplog.text}"


@pytest.mark.parametrize(
    ("server", "reason"),
    [("host", "is for another host"), ("expired", "has expired"), ("plain", "rejected SSL upgrade")],
)
async def test_a_feed_of_changes_is_as_strict(
    server: str, reason: str, servers: dict[str, PgBouncer], folder: Path, authority: Authority
) -> None:
    """It has a connection of its own, and says the same."""
    feed = PostgresChangeFeed(url_of(servers[server], FULL.format(folder=folder)))
    with pytest.raises(StoreError, match=reason):
        await feed.open(lambda _: None)


async def test_a_url_that_cannot_be_read_still_hides_what_it_holds(servers: dict[str, PgBouncer]) -> None:
    """A port that is part of a password is not shown."""
    with pytest.raises(StoreError, match="is not a URL that libpq understands") as caught:
        await open_store("postgresql://postgres:pass@word:p0rt@127.0.0.1:p0rt/postgres").open()
    assert "p0rt" not in str(caught.value.__cause__)


@pytest.mark.parametrize(
    ("url", "service"),
    [("postgresql://?service=photos&sslrootcert=authority.pem", None), ("postgresql://?sslmode=verify-full", "photos")],
)
def test_a_service_file_may_name_what_is_missing(
    url: str, service: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mode and authority may be in libpq's service file, which is read when the store is opened."""
    if service is not None:
        monkeypatch.setenv("PGSERVICE", service)
    assert PostgresSettings.from_url(url)


def test_a_user_without_a_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has no authorities of its own, which is said as usual."""

    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", no_home)
    with pytest.raises(StoreError, match="sslmode=verify-full needs sslrootcert"):
        PostgresSettings.from_url("postgresql://db.example.com/photos?sslmode=verify-full")
