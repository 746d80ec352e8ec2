"""What the command prints if its standard output is closed, or has an encoding that lacks characters."""

from __future__ import annotations

import asyncio
import os
import subprocess
from pathlib import Path

from async_oauth1.credentials import Client
from async_oauth1.stores import open_store

from .command import COMMAND


async def _new_store(url: str) -> None:
    async with open_store(url) as store:
        await store.add_client(Client(client_id="printer", name="Drucker für alle"))


async def _count_clients(url: str) -> int:
    async with open_store(url) as store:
        return len(await store.list_clients())


def test_a_character_that_the_encoding_lacks_is_escaped(tmp_path: Path) -> None:
    """As under the locale C without UTF-8 mode: the list is printed, and the status is 0."""
    url = f"sqlite:///{tmp_path}/a.db"
    asyncio.run(open_store(url).migrate())
    asyncio.run(_new_store(url))
    result = subprocess.run(
        [*COMMAND, "client", "list", "--store", url],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, b"")
    assert result.stdout == b"printer\tDrucker f\\xfcr alle\n"


def test_a_closed_output_changes_nothing(tmp_path: Path) -> None:
    """A new secret could not be printed, so no client is registered; the error is one line."""
    url = f"sqlite:///{tmp_path}/a.db"
    asyncio.run(open_store(url).migrate())
    command = ["sh", "-c", 'exec "$@" >&-', "sh", *COMMAND, "client", "add", "--name", "X", "--store", url]
    result = subprocess.run(command, stderr=subprocess.PIPE, check=False)
    assert (result.returncode, result.stderr) == (2, b"async-oauth1: standard output is closed\n")
    assert asyncio.run(_count_clients(url)) == 0
