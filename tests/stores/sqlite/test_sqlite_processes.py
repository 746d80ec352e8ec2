"""Several processes on one SQLite file: one of all their callers succeeds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from async_oauth1.credentials import Client
from async_oauth1.stores import Store, open_store
from tests.servers import unmeasured_environment

# Each process opens the store, says so, waits for the start signal, and races with all the others.
PROGRAM = """
import asyncio, json, sys
from async_oauth1.stores import open_store

async def main():
    store = open_store(sys.argv[1])
    await store.migrate()
    async with store:
        print("ready", flush=True)
        sys.stdin.readline()
        nonces = [store.exists_nonce(f"n{n // 3}", "4000000000", "c", "t") for n in range(600)]
        takes = [store.delete_temporary_credential(f"take{n // 2}") for n in range(40)]
        credentials = [await store.get_temporary_credential(f"exchange{n}") for n in range(20)]
        exchanges = [
            store.exchange(credential, {"oauth_token": f"{sys.argv[2]}-{n}", "oauth_token_secret": "s"})
            for n, credential in enumerate(credentials) if credential
        ]
        answers = await asyncio.gather(asyncio.gather(*nonces), asyncio.gather(*takes), asyncio.gather(*exchanges))
    print(json.dumps([
        answers[0].count(False), answers[1].count(True), [token.oauth_token for token in answers[2] if token]
    ]))

asyncio.run(main())
"""


def _start(url: str, number: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, url, str(number)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=unmeasured_environment(),
    )


async def test_three_processes_race(tmp_path: Path) -> None:
    """Nonces, takes and exchanges that arrive in three processes at once succeed exactly once."""
    url = f"sqlite:///{tmp_path}/store.db?timeout=60"  # the machine may be busy, and SQLite's lock is no queue
    async with await _prepared(url) as store:
        processes = [_start(url, number) for number in range(3)]
        try:
            for process in processes:
                assert process.stdout is not None
                assert process.stdout.readline() == "ready\n", process.communicate()
            for process in processes:
                assert process.stdin is not None
                process.stdin.write("go\n")
                process.stdin.flush()
            results = [process.communicate(timeout=300) for process in processes]
        finally:
            for process in processes:
                process.kill()
                process.communicate()
        assert [errors for _, errors in results] == ["", "", ""]
        answers = [json.loads(output) for output, _ in results]
        assert sum(new for new, _, _ in answers) == 200
        assert sum(taken for _, taken, _ in answers) == 20
        granted = [token for _, _, tokens in answers for token in tokens]
        assert len(granted) == 20
        kept = {token.oauth_token for token in await store.list_token_credentials()}
        assert kept == set(granted)


async def _prepared(url: str) -> Store:
    store = open_store(url)
    await store.migrate()
    await store.open()
    for number in range(20):
        for name in (f"take{number}", f"exchange{number}"):
            token = {"oauth_token": name, "oauth_token_secret": "s"}
            credential = await store.create_temporary_credential(token, "c", "oob")
            assert await store.create_authorization_verifier(credential, "jane", "verifier")
    return store


def test_six_processes_migrate_a_new_file_at_once(tmp_path: Path) -> None:
    """Six processes that migrate a new file at the same time all succeed."""
    program = "import asyncio, sys; from async_oauth1.stores import open_store; s = open_store(sys.argv[1]); "
    program += "asyncio.run(s.migrate())"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, f"sqlite:///{tmp_path}/new.db"], stderr=subprocess.PIPE, text=True
        )
        for _ in range(6)
    ]
    outcomes = [(process.communicate(timeout=300)[1], process.returncode) for process in processes]
    assert outcomes == [("", 0)] * 6


async def test_what_one_process_writes_the_other_reads_at_once(tmp_path: Path) -> None:
    """An open store finds a client that another process has added."""
    url = f"sqlite:///{tmp_path}/store.db"
    running, elsewhere = open_store(url), open_store(url)
    await running.migrate()
    async with running, elsewhere:
        assert await running.query_client("new") is None
        await elsewhere.add_client(Client(client_id="new"))
        assert await running.query_client("new") is not None
        assert await elsewhere.remove_client("new")
        assert await running.query_client("new") is None
