"""Secrets at rest: unreadable without the keys, readable with old keys, encrypted again by `reencrypt`."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace

import pytest

from async_oauth1.credentials import Client
from async_oauth1.errors import StoreUnavailableError
from async_oauth1.stores import Store, StoreError, TransientStore, open_store
from async_oauth1.stores.encryption import KeyRing, new_key
from tests.servers import Postgres, patient

OLD, NEW = new_key(), new_key()
CLIENT = Client(
    client_id="dpf43f3p2l4k3l03",
    client_secret="first-s3cret",
    overlapping_secrets=("former-s3cret",),
    callbacks=("oob",),
)
SECRETS = ("first-s3cret", "former-s3cret", "temporary-s3cret", "verifier-s3cret", "token-s3cret")

at_rest = pytest.mark.parametrize("kind", ["sqlite", "postgres"])


def opened(url: str, keys: Sequence[str]) -> Store:
    """A store that keeps clients."""
    store = open_store(url, keys=keys)
    assert isinstance(store, Store)
    return store


async def filled(url: str, keys: Sequence[str]) -> None:
    """One of each secret in a store."""
    store = opened(url, keys)
    await store.migrate()
    async with store:
        await store.add_client(CLIENT)
        await decided(store)
        await store.create_token_credential(
            {"oauth_token": "token", "oauth_token_secret": "token-s3cret"},
            await store.get_temporary_credential("temporary"),
        )


async def decided(store: TransientStore) -> None:
    """Temporary credentials with a verifier."""
    token = {"oauth_token": "temporary", "oauth_token_secret": "temporary-s3cret"}
    credential = await store.create_temporary_credential(token, CLIENT.client_id, "oob")
    await store.create_authorization_verifier(credential, "jane", "verifier-s3cret")


async def check(store: Store) -> None:
    """All of the secrets are read back."""
    assert await store.query_client(CLIENT.client_id) == CLIENT
    assert await store.list_clients() == [CLIENT]
    token = await store.query_token(CLIENT.client_id, "token")
    assert token is not None
    assert token.oauth_token_secret == "token-s3cret"
    assert await store.list_token_credentials() == [token]
    credential = await store.get_temporary_credential("temporary")
    assert credential is not None
    assert credential.oauth_token_secret == "temporary-s3cret"
    assert credential.check_verifier("verifier-s3cret")


def content(url: str, request: pytest.FixtureRequest) -> str:
    """Everything that is stored, as a copy of the database shows it."""
    tables = ("oauth1_client", "oauth1_token_credential", "oauth1_temporary_credential")
    if url.startswith("postgresql"):
        server: Postgres = request.getfixturevalue("postgres")
        return "".join(server.sql(f"SELECT * FROM {table}") for table in tables)
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        return "".join(str(connection.execute(f"SELECT * FROM {table}").fetchall()) for table in tables)


@at_rest
async def test_what_is_stored_shows_no_secret(url: str, request: pytest.FixtureRequest) -> None:
    """No secret of any kind is stored as plain text, and all of them can be read with the key."""
    await filled(url, [NEW])
    stored = content(url, request)
    assert [secret for secret in SECRETS if secret in stored] == []
    async with opened(url, [NEW]) as store:
        await check(store)


async def test_redis_shows_no_secret(request: pytest.FixtureRequest) -> None:
    """Redis stores temporary secrets and verifiers encrypted; without the key they cannot be used."""
    server = request.getfixturevalue("valkey")
    server.flush()
    async with open_store(patient(server.url), keys=[NEW]) as store:
        await decided(store)
        credential = await store.get_temporary_credential("temporary")
        assert credential is not None
        assert (credential.oauth_token_secret, credential.oauth_verifier) == ("temporary-s3cret", "verifier-s3cret")
    with server.client() as client:
        stored = str(client.hgetall(b"oauth1:ttemporary"))
    assert "user_id" in stored
    assert [secret for secret in SECRETS if secret in stored] == []
    for keys in ([], [OLD]):
        async with open_store(patient(server.url), keys=keys) as store:
            with pytest.raises(StoreUnavailableError):
                await store.get_temporary_credential("temporary")


@at_rest
@pytest.mark.parametrize("before", [[], [OLD]])
async def test_a_key_is_given_to_a_store_in_use(url: str, request: pytest.FixtureRequest, before: list[str]) -> None:
    """Plain texts and those under the old key stay readable; after `reencrypt` the new key is enough."""
    await filled(url, before)
    async with opened(url, [NEW, *before]) as store:
        await check(store)
        await store.add_client(Client(client_id="new", client_secret="s"))
        assert await store.reencrypt() == 3
        assert await store.reencrypt() == 0
        await check_without(store, "new")
    stored = content(url, request)
    assert [secret for secret in SECRETS if secret in stored] == []
    async with opened(url, [NEW]) as store:
        await check(store)


async def check_without(store: Store, client_id: str) -> None:
    """All of the secrets are read back after another client was removed."""
    assert await store.remove_client(client_id)
    await check(store)


@at_rest
@pytest.mark.parametrize(
    ("keys", "reason"), [([], "and no key was given"), ([OLD], "under a key that was not given")], ids=["none", "wrong"]
)
async def test_the_wrong_keys_are_refused(url: str, keys: list[str], reason: str) -> None:
    """Opening the store fails with a message of one line that shows neither a secret nor a key."""
    await filled(url, [NEW])
    with pytest.raises(StoreError) as caught:
        await opened(url, keys).open()
    message = str(caught.value)
    assert reason in message
    assert "\n" not in message
    assert not any(text in message for text in (*SECRETS, OLD, NEW, "$fernet$"))


@at_rest
async def test_a_single_secret_under_another_key_is_unavailable(url: str, caplog: pytest.LogCaptureFixture) -> None:
    """The store opens if most secrets can be read; a look-up of an unreadable one is unavailable, and logged."""
    await filled(url, [NEW])
    token = {"oauth_token": "z-other", "oauth_token_secret": "token-s3cret"}
    async with opened(url, [OLD, NEW]) as store:
        await store.create_token_credential(token, await store.get_temporary_credential("temporary"))
    async with opened(url, [NEW]) as store:
        assert await store.query_token(CLIENT.client_id, "token") is not None
        with pytest.raises(StoreUnavailableError):
            await store.query_token(CLIENT.client_id, "z-other")
        with pytest.raises(StoreError, match="under a key that was not given"):
            await store.reencrypt()
    assert "is encrypted under a key that was not given" in caplog.text
    assert "s3cret" not in caplog.text


@at_rest
async def test_a_rotation_under_encryption(url: str) -> None:
    """Former secrets are encrypted like the new one, and still end."""
    await filled(url, [NEW])
    async with opened(url, [NEW]) as store:
        new = await store.rotate_client_secret(CLIENT.client_id, overlap=60)
        assert new is not None
        assert new.get_client_secrets() == (new.client_secret, "first-s3cret", "former-s3cret")
        assert await store.query_client(CLIENT.client_id) == new


@at_rest
async def test_reencrypting_needs_a_key(url: str) -> None:
    """`reencrypt` fails if there is no key."""
    await filled(url, [])
    async with opened(url, []) as store:
        with pytest.raises(StoreError, match="there is no key to encrypt with"):
            await store.reencrypt()


@at_rest
async def test_reencrypting_many_rows(url: str) -> None:
    """`reencrypt` leaves no row out if there are more rows than one page."""
    await filled(url, [])
    async with opened(url, []) as store:
        for number in range(450):
            await store.add_client(replace(CLIENT, client_id=f"client{number}"))
    async with opened(url, [NEW]) as store:
        assert await store.reencrypt() == 453
        assert len(await store.list_clients()) == 451


@pytest.mark.parametrize(
    "bad", ["", "short", OLD[:-2], "é" * 32, OLD + OLD], ids=["empty", "short", "cut off", "not ASCII", "twice"]
)
def test_invalid_keys_are_refused(bad: str) -> None:
    """The error names the invalid key's position, and does not show the key."""
    with pytest.raises(StoreError, match="Encryption key 2 is not valid") as caught:
        open_store("memory://", keys=[OLD, bad])
    assert bad == "" or bad not in str(caught.value)


def test_keys_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys are read from the environment, separated by commas, unless the program passes keys."""
    monkeypatch.setenv("ASYNC_OAUTH1_KEYS", f" {NEW}, ,no key")
    with pytest.raises(StoreError, match="Encryption key 2 is not valid"):
        open_store("memory://")
    assert open_store("memory://", keys=())
    assert open_store("memory://", keys=[OLD])


def test_plain_and_encrypted_texts_are_not_confused() -> None:
    """A plain secret that looks encrypted is refused without a key, and stored correctly with one."""
    place = ("table", "column", "key")
    tricky = KeyRing([OLD]).seal("s", place)
    with pytest.raises(ValueError, match="must not begin with"):
        KeyRing().seal(tricky, place)
    assert KeyRing([NEW]).open(KeyRing([NEW]).seal(tricky, place), place) == tricky
    with pytest.raises(TypeError):
        KeyRing(OLD)
