"""Four processes on one store: of two hundred concurrent callers with the same thing, one succeeds."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from async_oauth1.stores import Store, open_store
from tests.servers import Postgres, unmeasured_environment
from tests.stress import STRESS

ROUNDS = 50 if STRESS else 3
PROCESSES = 4

# Each process opens the store, says so, and begins a round when it is told to.
PROGRAM = """
import asyncio, json, sys
from async_oauth1.stores import Store, open_store

async def main():
    store = open_store(sys.argv[1])
    async with store:
        print("ready", flush=True)
        for number in range(int(sys.argv[3])):
            sys.stdin.readline()
            credential = await store.get_temporary_credential(f"exchange{number}")
            async def exchange(copy):
                if not isinstance(store, Store):
                    return await store.delete_temporary_credential(f"exchange{number}")
                token = {"oauth_token": f"{number}-{sys.argv[2]}-{copy}", "oauth_token_secret": "s"}
                return credential and await store.exchange(credential, token)
            nonces, takes, exchanges = await asyncio.gather(
                asyncio.gather(*(store.exists_nonce(f"n{number}", "4000000000", "c", "t") for _ in range(50))),
                asyncio.gather(*(store.delete_temporary_credential(f"take{number}") for _ in range(50))),
                asyncio.gather(*(exchange(copy) for copy in range(50))),
            )
            print(json.dumps([nonces.count(False), takes.count(True), sum(map(bool, exchanges))]), flush=True)

asyncio.run(main())
"""


@pytest.mark.stress
async def test_two_hundred_callers_in_four_processes(shared_url: str) -> None:
    """In each round, one of two hundred concurrent uses of the same nonce, take or exchange succeeds."""
    store = open_store(shared_url)
    await store.migrate()
    async with store:
        for number in range(ROUNDS):
            for name in (f"take{number}", f"exchange{number}"):
                token = {"oauth_token": name, "oauth_token_secret": "s"}
                credential = await store.create_temporary_credential(token, "c", "oob")
                assert await store.create_authorization_verifier(credential, "jane", "verifier")
        _race(shared_url)
        if isinstance(store, Store):
            assert len(await store.list_token_credentials()) == ROUNDS


def _race(url: str) -> None:
    processes = [_start(url, number) for number in range(PROCESSES)]
    try:
        for process in processes:
            assert process.stdout.readline() == "ready\n", process.communicate()
        for _ in range(ROUNDS):
            for process in processes:
                process.stdin.write("go\n")
                process.stdin.flush()
            answers = [json.loads(process.stdout.readline()) for process in processes]
            assert [sum(counts) for counts in zip(*answers, strict=True)] == [1, 1, 1]
        outcomes = [(process.communicate(timeout=300)[1], process.returncode) for process in processes]
        assert [status for _, status in outcomes] == [0] * PROCESSES, outcomes
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def test_six_processes_migrate_an_empty_database(postgres: Postgres) -> None:
    """Workers that migrate an empty database at the same time all succeed."""
    postgres.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    command = [sys.executable, "-m", "async_oauth1", "migrate", "--store", postgres.url]
    processes = [
        subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=unmeasured_environment()) for _ in range(6)
    ]
    outcomes = [(process.communicate(timeout=300)[1], process.returncode) for process in processes]
    assert [status for _, status in outcomes] == [0] * 6, outcomes


def _start(url: str, number: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, url, str(number), str(ROUNDS)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=unmeasured_environment(),
    )
