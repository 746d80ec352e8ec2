"""What docs/operating.md says of a Valkey that lost its data, or was restored from a copy."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from async_oauth1 import Client, OAuth1Error, Policy, ResourceProtector
from async_oauth1.stores import MemoryStore, TransientStore, open_store
from async_oauth1.testing import Clock
from tests.protocol.wire import Signer, Wire
from tests.servers import Valkey, patient, wait_until

PRINTER = Client(client_id="printer", client_secret="printer-secret", callbacks=("oob",))
WINDOW = Policy().timestamp_window


@pytest.fixture
def valkey() -> Iterator[Valkey]:
    """A server of its own, which is killed and restored.

    It writes to its file before it answers, so a copy is complete. It does not wait for the disk.
    """
    server = Valkey("--appendfsync", "no")
    yield server
    server.close()
    shutil.rmtree(f"{server.folder}-copy", ignore_errors=True)


def copy(valkey: Valkey) -> None:
    """Copy its files as they are now."""
    shutil.copytree(valkey.folder / "appendonlydir", f"{valkey.folder}-copy")


def restore(valkey: Valkey) -> None:
    """Replace its files by the copy, and start it again."""
    valkey.kill()
    shutil.rmtree(valkey.folder / "appendonlydir")
    shutil.move(f"{valkey.folder}-copy", valkey.folder / "appendonlydir")
    valkey.start()


def keys(valkey: Valkey) -> int:
    """How many keys it has."""
    with valkey.client() as client:
        return len(client.keys())


@asynccontextmanager
async def opened(valkey: Valkey) -> AsyncIterator[TransientStore]:
    """A store on this server."""
    store: TransientStore = open_store(patient(valkey.url))
    async with store:
        yield store


class Resource:
    """A protected resource whose nonces are in a store, and whose clock can be moved."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.clients = MemoryStore()

    async def answer(self, nonces: TransientStore, wire: Wire) -> str:
        """``accepted``, or the code of the refusal."""
        if await self.clients.query_client(PRINTER.client_id) is None:
            await self.clients.add_client(PRINTER)
        protector = ResourceProtector(clock=self.clock, exists_nonce=nonces.exists_nonce)
        protector.register_hooks(self.clients)
        try:
            await protector.validate_request(wire.read(), two_legged=True)
        except OAuth1Error as error:
            return str(error.error)
        return "accepted"

    def signed(self, seconds_ahead: int = 0) -> Wire:
        """A request whose timestamp is ahead of the clock."""
        signer = Signer(PRINTER.client_id, PRINTER.client_secret, timestamp=int(self.clock()) + seconds_ahead)
        return signer.wire(oauth_nonce=f"ahead-{seconds_ahead}")


async def test_a_replay_is_possible_once_and_until_the_window_has_passed(valkey: Valkey) -> None:
    """After a loss, captured requests are accepted once; 600 seconds after they were sent they are too old."""
    resource = Resource()
    captured, ahead = resource.signed(), resource.signed(WINDOW - 1)
    copy(valkey)
    async with opened(valkey) as nonces:
        for request in (captured, ahead):
            assert await resource.answer(nonces, request) == "accepted"
            assert await resource.answer(nonces, request) == "invalid_nonce"
    restore(valkey)
    async with opened(valkey) as nonces:
        assert await resource.answer(nonces, captured) == "accepted"
        assert await resource.answer(nonces, captured) == "invalid_nonce"
        resource.clock.advance(2 * WINDOW + 1)
        for request in (captured, ahead):
            assert await resource.answer(nonces, request) == "timestamp_refused"
    assert 2 * WINDOW + 1 < 11 * 60


async def test_an_old_copy_is_empty(valkey: Valkey) -> None:
    """What has expired since is gone when the copy is loaded."""
    resource = Resource()
    async with opened(valkey) as store:
        assert await resource.answer(store, resource.signed()) == "accepted"
        await temporary_credential(store)
    assert keys(valkey) > 1
    with valkey.client() as client:
        for key in client.scan_iter():
            assert 0 < client.pttl(key) <= 661_000  # all of it expires
            client.pexpire(key, 1_000)
    copy(valkey)
    with valkey.client() as client:
        for key in client.scan_iter():
            client.delete(key)
    restore(valkey)
    wait_until(lambda: keys(valkey) == 0, "everything has expired")


async def test_a_young_copy_brings_back_what_was_used(valkey: Valkey) -> None:
    """Temporary credentials that were exchanged since are there again, so a young copy has to be removed."""
    async with opened(valkey) as store:
        token = await temporary_credential(store)
        copy(valkey)
        assert await store.delete_temporary_credential(token)
        assert await store.get_temporary_credential(token) is None
    restore(valkey)
    async with opened(valkey) as store:
        assert await store.get_temporary_credential(token) is not None
        valkey.flush()
        assert await store.get_temporary_credential(token) is None


async def test_a_dump_is_not_read(valkey: Valkey) -> None:
    """With `appendonly yes` only the folder of the append-only file counts."""
    async with opened(valkey) as store:
        await temporary_credential(store)
    with valkey.client() as client:
        client.save()
    assert (valkey.folder / "dump.rdb").exists()
    valkey.kill()
    shutil.rmtree(valkey.folder / "appendonlydir")
    valkey.start()
    assert keys(valkey) == 0


async def temporary_credential(store: TransientStore) -> str:
    """Issue temporary credentials; returns their token."""
    made = await store.create_temporary_credential(
        {"oauth_token": "temporary", "oauth_token_secret": "secret"}, PRINTER.client_id, "oob"
    )
    return str(made.oauth_token)
