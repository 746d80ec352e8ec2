"""Two processes on one database, and a process that is killed between two statements."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from async_oauth1.credentials import Client
from tests.servers import unmeasured_environment
from tests.stress import STRESS, sample

from .conftest import DRIVERS
from .models import Base
from .records import new_store

ROUNDS = 50 if STRESS else 3
COPIES = 6

pytestmark = pytest.mark.stress
# As different as they can be: one connection at a time, and many.
drivers = pytest.mark.parametrize("driver", sample(DRIVERS, 2))

# Each process says that it is ready, and begins a round when it is told to. The second argument is its number.
RACE = """
import asyncio, json, sys
from tests.sqlalchemy.records import RecordStore

async def main():
    async with RecordStore(sys.argv[1]) as store:
        print("ready", flush=True)
        for number in range(int(sys.argv[3])):
            sys.stdin.readline()
            credential = await store.get_temporary_credential(f"exchange{number}")
            def token(copy):
                return {"oauth_token": f"{number}-{sys.argv[2]}-{copy}", "oauth_token_secret": "s"}
            copies = range(int(sys.argv[4]))
            pending = await store.get_temporary_credential(f"approve{number}")
            nonces, exchanges, approvals = await asyncio.gather(
                asyncio.gather(*(store.exists_nonce(f"n{number}", "4000000000", "c", None) for _ in copies)),
                asyncio.gather(*(store.exchange(credential, token(copy)) for copy in copies if credential)),
                asyncio.gather(*(store.create_authorization_verifier(pending, f"u{copy}", "v") for copy in copies)),
            )
            print(json.dumps([nonces.count(False), sum(map(bool, exchanges)), approvals.count(True)]), flush=True)

asyncio.run(main())
"""

# Takes the temporary credentials, says so, and never inserts the token.
HALF = """
import asyncio, sys
from async_oauth1.sqlalchemy.tokens import Tokens
from tests.sqlalchemy.records import RecordStore

async def stop(self, session, credential, **more):
    print("taken", flush=True)
    await asyncio.sleep(3600)

Tokens._insert = stop

async def main():
    async with RecordStore(sys.argv[1]) as store:
        credential = await store.get_temporary_credential("exchange0")
        await store.exchange(credential, {"oauth_token": "lost", "oauth_token_secret": "s"})

asyncio.run(main())
"""


async def filled(engine: AsyncEngine, rounds: int) -> Any:
    """A store with a client, approved temporary credentials and undecided ones for each round."""
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    store = new_store(engine)
    await store.add_client(Client(client_id="c", client_secret="s"))
    for number in range(rounds):
        for name in (f"exchange{number}", f"approve{number}"):
            credential = await store.create_temporary_credential(
                {"oauth_token": name, "oauth_token_secret": "s"}, "c", "oob"
            )
            if name.startswith("exchange"):
                assert await store.create_authorization_verifier(credential, "jane", "verifier")
    return store


def start(program: str, *arguments: object, repository: Path) -> subprocess.Popen[str]:
    """Start a program of this module."""
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        cwd=repository,
        env=unmeasured_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@drivers
async def test_two_processes(engine: AsyncEngine, database_url: str, repository: Path) -> None:
    """Of the same nonce, exchange and approval in two processes at once, one counts."""
    store = await filled(engine, ROUNDS)
    processes = [start(RACE, database_url, n, ROUNDS, COPIES, repository=repository) for n in range(2)]
    try:
        for process in processes:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
        for _ in range(ROUNDS):
            for process in processes:
                assert process.stdin
                process.stdin.write("go\n")
                process.stdin.flush()
            answers = [json.loads(process.stdout.readline()) for process in processes if process.stdout]
            assert [sum(counts) for counts in zip(*answers, strict=True)] == [1, 1, 1]
        assert [process.wait(300) for process in processes] == [0, 0]
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    assert len(await store.list_token_credentials()) == ROUNDS


# Answers in a forked child, and in its parent afterwards.
FORK = """
import asyncio, os, sys
from async_oauth1.errors import StoreUnavailableError
from tests.sqlalchemy.records import RecordStore

async def ask(store):
    try:
        return (await store.query_client("c")).client_id
    except StoreUnavailableError as error:
        return f"{type(error).__name__}: {error}"

async def child(store):
    print("child", await ask(store), flush=True)
    await store.store.close()
    await store.engine.dispose(close=False)
    await store.open()
    print("child", await ask(store), flush=True)

store = RecordStore(sys.argv[1])
loop = asyncio.new_event_loop()
loop.run_until_complete(store.open())
process = os.fork()
if process == 0:
    asyncio.run(child(store))
    os._exit(0)
os.waitpid(process, 0)
print("parent", loop.run_until_complete(ask(store)), flush=True)
os._exit(0)
"""


async def test_a_forked_child(engine: AsyncEngine, database_url: str, repository: Path) -> None:
    """It gets an error that says what to do until it opens the store with an engine of its own; the parent goes on."""
    await filled(engine, 0)
    process = start(FORK, database_url, repository=repository)
    refused, opened, parent = process.communicate(timeout=300)[0].splitlines()
    assert "ForkedStoreError" in refused
    assert "engine" in refused
    assert (opened, parent) == ("child c", "parent c")


@drivers
async def test_killed_between_the_two(engine: AsyncEngine, database_url: str, repository: Path) -> None:
    """After SIGKILL between the removal of temporary credentials and the new token, the exchange can be repeated."""
    store = await filled(engine, 1)
    process = start(HALF, database_url, repository=repository)
    try:
        assert process.stdout
        assert process.stdout.readline() == "taken\n"
    finally:
        process.kill()
        process.communicate()
    credential = await store.get_temporary_credential("exchange0")
    assert credential is not None
    tokens = [{"oauth_token": f"token{number}", "oauth_token_secret": "s"} for number in range(3)]
    deadline = time.monotonic() + 120
    made: list[Any] = []
    while not any(made) and time.monotonic() < deadline:  # the server may need a moment to notice
        made = list(await asyncio.gather(*(store.exchange(credential, token) for token in tokens)))
    assert [token.oauth_token for token in await store.list_token_credentials()] == [
        token.oauth_token for token in made if token
    ]
    assert await store.get_temporary_credential("exchange0") is None
