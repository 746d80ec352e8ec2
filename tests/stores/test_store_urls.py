"""`open_store`: which URLs it accepts, and the errors for others."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from async_oauth1.stores import MemoryStore, Store, StoreError, TransientStore, open_store
from async_oauth1.stores.urls.redaction import redact_url


def test_a_store_has_every_hook(url: str, kind: str) -> None:
    """Each kind of store has the methods for what it keeps, and `shared` is right."""
    store = open_store(url)
    assert isinstance(store, TransientStore)
    assert isinstance(store, Store) is (kind in ("memory", "sqlite", "postgres"))
    assert store.url == url
    assert store.shared is not isinstance(store, MemoryStore)


def test_opening_a_url_touches_nothing(tmp_path: Path) -> None:
    """open_store alone creates no file."""
    open_store(f"sqlite:///{tmp_path}/x.db")
    assert list(tmp_path.iterdir()) == []


def test_no_driver_is_imported_before_it_is_needed(unmeasured_environment: dict[str, str]) -> None:
    """Importing the package loads neither aiosqlite nor sqlite3."""
    code = "import sys, async_oauth1.stores; print({'aiosqlite', 'sqlite3', 'cryptography'} & set(sys.modules))"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=unmeasured_environment
    )
    assert result.stdout.strip() == "set()"


async def test_relative_and_escaped_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three slashes are relative to the current folder, four are absolute, and escapes are decoded."""
    monkeypatch.chdir(tmp_path)
    relative, absolute = open_store("sqlite:///my%20store.db?timeout=1"), open_store(f"sqlite:///{tmp_path}/100%25.db")
    monkeypatch.chdir("/")
    await relative.migrate()
    await absolute.migrate()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["100%.db", "my store.db"]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("", "not a store URL"),
        ("photos.db", "not a store URL"),
        ("sqlite:", "not a store URL"),
        ("mysql://localhost/x", "known are memory://, sqlite://, postgresql://"),
        ("memory://x", "neither a name nor options"),
        ("sqlite://relative.db", "an SQLite URL is"),
        ("sqlite:///", "names no file"),
        ("sqlite:////folder/", "names no file"),
        ("sqlite:///a%00b", "names no file"),
        ("sqlite:///:memory:", "use memory://"),
        ("sqlite:///x.db?timeout=soon", "timeout is a number of seconds"),
        ("sqlite:///x.db?timeout=0", "timeout is a number of seconds"),
        ("sqlite:///x.db?timeout=nan", "timeout is a number of seconds"),
        ("sqlite:///x.db?timeout=inf", "timeout is a number of seconds"),
        ("sqlite:///x.db?timeout=", "timeout is a number of seconds"),
        ("sqlite:///x.db?mode=memory", 'there is no option "mode"'),
        ("postgresql://h/x?max_siez=3", 'there is no option "max_siez"'),
        ("postgresql://h/x?max_size=0", "max_size is a whole number from 1 to 1000"),
        ("postgresql://h/x?max_size=1.5", "max_size is a whole number"),
        ("postgresql://h/x?max_size=many", "max_size is a whole number"),
        ("postgresql://h/x?min_size=5&max_size=2", "min_size is above max_size"),
        ("postgresql://h/x?timeout=0", "timeout is a number of seconds"),
        ("postgresql://h/x?connect_timeout=soon", "connect_timeout is a whole number"),
        ("postgresql://h/x?timeout=inf", "timeout is a number of seconds"),
        ("postgresql://h/x?application_name=\udcff", "application_name holds a NUL character or octets"),
        ("postgresql://h/x?application_name=%FF", "application_name holds a NUL character or octets"),
        ("postgresql://h/x?host=%00", "host holds a NUL character or octets"),
        ("postgresql://ja%00ne@h/x", "holds a NUL character or octets"),
        ("postgresql://h/\udcff", "holds a NUL character or octets"),
        ("postgresql://h/x?statement_cache_size=-1", "statement_cache_size is a whole number"),
    ],
)
def test_an_invalid_url_is_refused(bad: str, reason: str) -> None:
    """The error is one line that says what is wrong."""
    with pytest.raises(StoreError) as caught:
        open_store(bad)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("secretive", "shown"),
    [
        ("postgresql://jane:hunter2@db/x", "postgresql://jane:***@db/x"),
        ("redis://:hunter2@db:6379/0", "redis://:***@db:6379/0"),
        ("postgresql://jane:hun@ter2@db/x", "postgresql://jane:***@db/x"),
        ("postgresql://jane:hunter2/?#@db/x", "postgresql://jane:***@db/x"),
        ("postgresql://db/x?user=jane&password=hunter2&a=b", "postgresql://db/x?user=jane&password=***&a=b"),
        ("postgresql://db/x?SSLPassword=hunter2", "postgresql://db/x?SSLPassword=***"),
        ("postgresql://db/x?p%61ssword=hunter2&a=b", "postgresql://db/x?p%61ssword=***&a=b"),
        ("postgresql://db/x?password=a&hunter2&a=b", "postgresql://db/x?password=***&a=b"),
        ("postgresql://jane:a?hunter2@db/x", "postgresql://jane:***@db/x"),
        ("redis://:a?hunter2@db", "redis://:***@db"),
        ("redis://hunter2@db", "redis://***@db"),
        ("postgresql://jane@db/x", "postgresql://jane@db/x"),
        ("jane:hunter2@db", "jane:***@db"),
        ("//jane:hunter2@db/x", "//jane:***@db/x"),
        ("postgresql:///jane:hunter2@db/x", "postgresql:///jane:***@db/x"),
        ("redis:///:hunter2@db", "redis:///:***@db"),
        ("redis:///hunter2@db", "redis:///***@db"),
        ("redis:///hun?ter2@db", "redis:///***@db"),
        ("redis:///hunter2@db?prefix=a@b", "redis:///***@b"),
        ("redis:///0?ssl_ca_certs=/home/jane@work/ca.pem", "redis:///0?ssl_ca_certs=/home/jane@work/ca.pem"),
        ("redis://:hunter2", "redis://:***"),
        ("postgresql://jane:hunter2/x", "postgresql://jane:***/x"),
        ("host=db password=hunter2 dbname=x", "host=db password=*** dbname=x"),
        ("host=db password = 'hun ter2' dbname=x", "host=db password=*** dbname=x"),
        ("redis://db?username=jane;password=hunter2", "redis://db?username=jane;password=***"),
        ("redis://db/0?timeout=1#password=hunter2", "redis://db/0?timeout=***"),
        ("redis://db/0?auth=hunter2", "redis://db/0?auth=***"),
        ("postgresql://[::1]:5432,[::2]/x?a=b:c", "postgresql://[::1]:5432,[::2]/x?a=b:c"),
        ("sqlite:////home/jane@work/photos.db", "sqlite:////home/jane@work/photos.db"),
        ("sqlite:///a\nb\x1b[31m", "sqlite:///a?b?[31m"),
    ],
)
def test_no_password_is_shown(secretive: str, shown: str) -> None:
    """A URL is printed on one line and without secrets."""
    assert redact_url(secretive) == shown
    try:
        message = open_store(secretive).url
    except StoreError as error:
        message = str(error)
    assert "hunter2" not in message
    assert message.isprintable()
