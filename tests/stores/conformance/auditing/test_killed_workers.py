"""Workers that are killed while they change a store: the trail and the tables agree, change by change."""

from __future__ import annotations

import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from async_oauth1.credentials import Client
from async_oauth1.stores import AuditEvent, KeepsAuditTrail, open_store
from tests.servers import unmeasured_environment
from tests.stress import STRESS

WORKERS = 4
ROUNDS = 12 if STRESS else 1

# Goes through the life of credentials again and again, on a client of all workers, and says after each how far it is.
PROGRAM = """
import asyncio, sys
from async_oauth1.stores import open_store

async def main():
    async with open_store(sys.argv[1]) as store:
        for number in range(10_000):
            await asyncio.gather(*(life(store, f"{sys.argv[2]}-{number}-{each}", each) for each in range(6)))
            await asyncio.gather(store.disable_client("shared"), store.enable_client("shared"))
            print(number, flush=True)

async def life(store, name, kind):
    token = {"oauth_token": name, "oauth_token_secret": "s"}
    pending = await store.create_temporary_credential(token, "shared", "oob")
    store.note_use("shared", None)
    if kind == 0:
        return
    if kind == 1:
        await store.deny_temporary_credential(name)
        return
    await store.create_authorization_verifier(pending, "jane", "v")
    if kind == 2:
        await store.delete_temporary_credential(name)
        return
    await store.exchange(pending, token)
    store.note_use("shared", name)
    if kind == 3:
        await store.last_uses(client_id="shared")
    if kind == 4:
        await store.revoke_token_credential(name)
    if kind == 5:
        await store.revoke_token_credentials(user_id="jane", client_id="shared")

asyncio.run(main())
"""


@contextmanager
def killed_workers(url: str, seed: int) -> Iterator[None]:
    """Four workers, each killed after some of its rounds."""
    command = [sys.executable, "-c", PROGRAM, url]
    workers = [
        subprocess.Popen(
            [*command, f"{seed}-{number}"], stdout=subprocess.PIPE, text=True, env=unmeasured_environment()
        )
        for number in range(WORKERS)
    ]
    chance = random.Random(seed)
    try:
        for worker in workers:
            assert worker.stdout is not None
            for _ in range(chance.randint(1, 4)):
                assert worker.stdout.readline()
            worker.kill()
        yield
    finally:
        for worker in workers:
            worker.kill()
            worker.communicate()


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
async def test_every_change_has_one_record(kind: str, shared_url: str) -> None:
    """Of each credential that is there, and of each that is gone; no record is about a change that was not made."""
    store: Any = open_store(shared_url)
    await store.migrate()
    async with store:
        await store.add_client(Client(client_id="shared", client_secret="s"))
        for seed in range(ROUNDS):
            with killed_workers(shared_url, seed):
                pass
        assert isinstance(store, KeepsAuditTrail)
        await check(store, await every_event(store))


async def every_event(store: KeepsAuditTrail) -> list[AuditEvent]:
    """The whole trail."""
    events: list[AuditEvent] = []
    while found := await store.audit_events(limit=10_000, after=events[-1].id if events else 0):
        events += found
    return events


async def check(store: Any, events: list[AuditEvent]) -> None:
    """Compare the trail with the tables."""
    counts = Counter((each.event, each.oauth_token) for each in events)
    assert max(count for (event, _), count in counts.items() if event not in ("client.disabled", "client.enabled")) == 1
    seen = {event: {token for (each, token) in counts if each == event} for event in {event for event, _ in counts}}

    tokens = {token for (token,) in await store._read("SELECT oauth_token FROM oauth1_token_credential")}
    assert seen["token.created"] == tokens | seen["token.revoked"]
    assert not tokens & seen["token.revoked"]

    live = dict(await store._read("SELECT oauth_token, decided FROM oauth1_temporary_credential WHERE expires_at > 0"))
    ended = seen["consent.denied"], seen["temporary.ended"], seen["token.created"]
    assert seen["temporary.created"] == set(live).union(*ended)
    assert sum(map(len, (live, *ended))) == len(seen["temporary.created"])
    assert {token for token, decided in live.items() if decided} == seen["consent.given"] & set(live)
    assert seen["consent.given"] >= seen["token.created"]

    used = await store._read("SELECT oauth_token FROM oauth1_last_use WHERE oauth_token <> ''")
    assert {token for (token,) in used} & tokens == seen.get("token.first_used", set()) & tokens

    client = await store.find_client("shared")
    disabled, enabled = counts["client.disabled", None], counts["client.enabled", None]
    assert disabled - enabled == client.disabled
    assert disabled > 0
