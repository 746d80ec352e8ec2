"""Opening an SQLite file that other users may read logs one warning with the remedy."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from async_oauth1.stores import open_store


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o666])
async def test_a_file_that_others_may_read(tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: int) -> None:
    """The warning has the mode and the command, and is not repeated while the store is in use."""
    path = tmp_path / "store.db"
    store = open_store(f"sqlite:///{path}")
    await store.migrate()
    os.chmod(path, mode)
    with caplog.at_level(logging.WARNING):
        async with store:
            await store.ping()
            assert not await store.exists_nonce("n", "4000000000", "c", None)
    (message,) = caplog.messages
    assert f"store.db has mode {mode:o}" in message
    assert f"store.db-wal has mode {mode:o}" in message
    assert "chmod 600 store.db" in message


async def test_a_write_ahead_log_that_others_may_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The write-ahead log is checked as well, since it holds secrets."""
    path = tmp_path / "store.db"
    store = open_store(f"sqlite:///{path}")
    await store.migrate()
    async with store:
        assert not await store.exists_nonce("n", "4000000000", "c", None)
        os.chmod(f"{path}-wal", 0o644)
        with caplog.at_level(logging.WARNING):
            async with open_store(f"sqlite:///{path}"):
                pass
    (message,) = caplog.messages
    assert "store.db-wal has mode 644" in message
    assert message.endswith("chmod 600 store.db-wal")


@pytest.mark.parametrize("mode", [None, 0o600])
async def test_a_private_file_causes_no_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: int | None
) -> None:
    """A file with the mode that `migrate` sets causes no warning."""
    path = tmp_path / "store.db"
    store = open_store(f"sqlite:///{path}")
    await store.migrate()
    if mode is not None:
        os.chmod(path, mode)
    with caplog.at_level(logging.WARNING):
        async with store:
            await store.ping()
    assert not caplog.messages
