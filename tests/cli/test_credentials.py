"""`async-oauth1 client show` and `rotate`, `token`, `migrate`, `keygen` and `reencrypt`."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from async_oauth1.credentials import Client
from async_oauth1.stores import Store, StoreError, open_store
from async_oauth1.stores.caching import CachingStore, open_change_feed
from async_oauth1.stores.encryption import new_key
from tests.keys import RSA_PUBLIC_KEY
from tests.servers import Valkey

from .command import assert_one_line_error, run, run_in_process, run_json, run_on_terminal

PRINTER = Client(
    client_id="dpf43f3p2l4k3l03",
    client_secret="kd94hf93k423kf44",
    name="Printer",
    callbacks=("http://printer.example.com/ready", "oob"),
    signature_methods=("HMAC-SHA1",),
)


@pytest.fixture
def url(tmp_path: Path) -> str:
    """The store that the command works on."""
    return f"sqlite:///{tmp_path}/photos.db"


@pytest_asyncio.fixture
async def provider(url: str) -> AsyncIterator[Store]:
    """An open store, as a running provider has it, with one client."""
    store = open_store(url)
    assert isinstance(store, Store)
    await store.migrate()
    async with store:
        await store.add_client(PRINTER)
        yield store


def test_migrate_prints_json(url: str) -> None:
    """`migrate --json` names the store, also when there is nothing to do."""
    for _ in range(2):
        assert run_json("migrate", "--store", url) == {"store": url, "up_to_date": True}


async def test_a_client_is_shown_without_its_secrets(url: str, provider: Store) -> None:
    """All that was registered is shown, and until when former secrets are valid."""
    await provider.rotate_client_secret(PRINTER.client_id, overlap=3600)
    shown = run_json("client", "show", "--store", url, PRINTER.client_id)
    (end,) = shown.pop("former_secrets_end_at")
    assert time.time() < end <= time.time() + 3600
    assert shown == {
        "client_id": PRINTER.client_id,
        "name": "Printer",
        "callbacks": list(PRINTER.callbacks),
        "signature_methods": ["HMAC-SHA1"],
        "nonce_policy": "strict",
        "callback_query_may_differ": False,
        "tolerances": [],
        "has_secret": True,
        "rsa_public_key": None,
        "disabled": False,
        "last_used_at": None,
        "user_agent": None,
    }
    text = run("client", "show", "--store", url, PRINTER.client_id).stdout
    assert "name: Printer\n" in text
    assert "callbacks: http://printer.example.com/ready, oob\n" in text
    assert "UTC" in text
    found = await provider.query_client(PRINTER.client_id)
    assert found is not None
    assert not any(secret in text + str(shown) for secret in found.get_client_secrets())


async def test_a_secret_is_rotated_while_the_provider_runs(url: str, provider: Store) -> None:
    """The new secret is printed. The provider accepts both at once, or only the new one with `--overlap 0`."""
    printed = run_json("client", "rotate", "--store", url, PRINTER.client_id, "--overlap", "30d")
    found = await provider.query_client(PRINTER.client_id)
    assert found is not None
    assert found.get_client_secrets() == (printed["client_secret"], PRINTER.client_secret)
    assert printed["former_secrets_end_at"] == list(found.overlaps_end_at)
    assert 30 * 86_400 - 60 < printed["former_secrets_end_at"][0] - time.time() <= 30 * 86_400
    text = run("client", "rotate", "--store", url, PRINTER.client_id, "--overlap", "0")
    found = await provider.query_client(PRINTER.client_id)
    assert found is not None
    assert text.stdout == f"client_id: {PRINTER.client_id}\nclient_secret: {found.client_secret}\n"
    assert "No other secret is valid." in text.stderr
    assert found.get_client_secrets() == (found.client_secret,)


async def test_a_token_is_issued_without_a_browser(url: str, provider: Store) -> None:
    """Token and secret are printed; the provider finds the token at once, with its scope and expiry."""
    issue = ("token", "issue", "--store", url, "--client", PRINTER.client_id, "--user", "jane")
    printed = run_json(*issue, "--scope", "photos.read", "--lifetime", "12h")
    token = await provider.query_token(PRINTER.client_id, printed["oauth_token"])
    assert token is not None
    assert (token.user_id, token.scope) == ("jane", "photos.read")
    assert (token.oauth_token_secret, token.expires_at) == (printed["oauth_token_secret"], printed["expires_at"])
    assert token.expires_at == pytest.approx(token.created_at + 12 * 3600)
    text = run(*issue)
    lines = text.stdout.splitlines()
    assert [line.partition(": ")[0] for line in lines] == ["oauth_token", "oauth_token_secret"]
    assert text.stderr == "The secret is not shown again. Expires: never.\n"


async def test_tokens_are_listed_and_revoked(url: str, provider: Store) -> None:
    """Tokens are listed by user and client, without secrets, in three formats; then revoked one by one, or many."""
    await provider.add_client(replace(PRINTER, client_id="other"))
    tokens = [await provider.issue_token_credential(PRINTER.client_id, user) for user in ("jane", "john", "jane")]
    tokens.append(await provider.issue_token_credential("other", "jane", scope="a b"))
    listed = run_json("token", "list", "--store", url, "--user", "jane", "--client", "other")
    assert listed == [
        {
            "oauth_token": tokens[3].oauth_token,
            "client_id": "other",
            "user_id": "jane",
            "scope": "a b",
            "created_at": tokens[3].created_at,
            "expires_at": None,
            "last_used_at": None,
            "user_agent": None,
        }
    ]
    piped = run("token", "list", "--store", url).stdout
    assert [line.split("\t")[0] for line in piped.splitlines()] == [token.oauth_token for token in tokens]
    assert piped.splitlines()[3].endswith("\tnever")
    shown = run_on_terminal("token", "list", "--store", url)
    assert "oauth_token" in shown
    assert not any(token.oauth_token_secret in piped + shown for token in tokens)
    assert run_json("token", "revoke", "--store", url, tokens[0].oauth_token) == {"revoked": 1}
    assert run_json("token", "revoke", "--store", url, "--user", "jane", "--client", PRINTER.client_id) == {
        "revoked": 1
    }
    text = run("token", "revoke", "--store", url, "--user", "jane")
    assert (text.returncode, text.stdout, text.stderr) == (0, "", "Revoked 1 token.\n")
    assert await provider.list_token_credentials() == [tokens[1]]


async def test_remove_prints_json(url: str, provider: Store) -> None:
    """`client remove --json` prints one object."""
    assert run_json("client", "remove", "--store", url, PRINTER.client_id) == {
        "client_id": PRINTER.client_id,
        "removed": True,
    }
    assert await provider.list_clients() == []


async def test_a_store_is_encrypted(url: str, provider: Store, tmp_path: Path) -> None:
    """After keygen and reencrypt the file holds no plain secret, and opening the store needs the key."""
    assert len(run_json("keygen")["key"]) == 44
    key = run("keygen").stdout.strip()
    token = await provider.issue_token_credential(PRINTER.client_id, "jane")
    assert run_json("reencrypt", "--store", url, ASYNC_OAUTH1_KEYS=key) == {"reencrypted": 2}
    newer = run("keygen").stdout.strip()
    again = run("reencrypt", "--store", url, ASYNC_OAUTH1_KEYS=f"{newer},{key}")
    assert (again.stdout, again.stderr) == ("", "Encrypted 2 records; all are under the newest key.\n")
    with closing(sqlite3.connect(tmp_path / "photos.db")) as connection:
        stored = str([*connection.execute("SELECT * FROM oauth1_client, oauth1_token_credential")])
    assert PRINTER.client_secret not in stored
    assert token.oauth_token_secret not in stored
    async with open_store(url, keys=[newer]) as store:
        assert isinstance(store, Store)
        assert await store.query_credentials(PRINTER.client_id, token.oauth_token) == (PRINTER, token)
    with pytest.raises(StoreError, match="is encrypted, and no key was given"):
        await open_store(url).open()


async def test_caches_that_listen_to_redis_are_notified(url: str, provider: Store) -> None:
    """With --notify or ASYNC_OAUTH1_NOTIFY, a cache in another process drops a revoked token."""
    server = Valkey()
    try:
        async with CachingStore(provider, open_change_feed(server.url)) as cache:
            tokens = [await cache.issue_token_credential(PRINTER.client_id, "jane") for _ in range(2)]
            revoke = ("token", "revoke", "--store", url)
            for token, notify in zip(tokens, ({}, {"ASYNC_OAUTH1_NOTIFY": server.url}), strict=True):
                assert await cache.query_token(PRINTER.client_id, token.oauth_token) == token
                option = () if notify else ("--notify", server.url)
                result = await asyncio.to_thread(run, *revoke, token.oauth_token, *option, **notify)
                assert result.returncode == 0
                async with asyncio.timeout(30):
                    while await cache.query_token(PRINTER.client_id, token.oauth_token) is not None:
                        await asyncio.sleep(0.005)
    finally:
        server.close()


KEY = new_key()


@pytest.mark.parametrize(
    ("arguments", "reason", "environment"),
    [
        (("client", "show", "--store", "URL", "unknown"), "there is no client unknown", {}),
        (("client", "rotate", "--store", "URL", "unknown", "--overlap", "0"), "there is no client unknown", {}),
        (("client", "rotate", "--store", "URL", "CLIENT"), "Missing option '--overlap'", {}),
        (("client", "rotate", "--store", "URL", "CLIENT", "--overlap", "soon"), "--overlap soon: write a time as", {}),
        (("client", "rotate", "--store", "URL", "CLIENT", "--overlap", "99999d"), "at most 100 years", {}),
        (("client", "rotate", "--store", "URL", "rsa", "--overlap", "0"), "client rsa has no secret", {}),
        (("token", "issue", "--store", "URL", "--user", "jane"), "Missing option '--client'", {}),
        (("token", "issue", "--store", "URL", "--client", "x", "--user", "jane"), "there is no client x", {}),
        (("token", "issue", "--store", "URL", "--client", "CLIENT", "--user", ""), "--user must be 1 to", {}),
        (("token", "issue", "--store", "URL", "--client", "CLIENT", "--user", "a\nb"), "--user must be 1 to", {}),
        (
            ("token", "issue", "--store", "URL", "--client", "CLIENT", "--user", "j", "--lifetime", "0"),
            "lifetime is a number of seconds above 0",
            {},
        ),
        (("token", "revoke", "--store", "URL"), "takes a token, or --user, --client or both", {}),
        (("token", "revoke", "--store", "URL", "t", "--user", "jane"), "takes a token, or --user", {}),
        (("token", "revoke", "--store", "URL", "nothing"), "there is no token nothing", {}),
        (
            ("token", "revoke", "--store", "URL", "t", "--notify", "x://u:hunter2@h"),
            "x://u:***@h: not the URL of a change feed",
            {},
        ),
        (
            ("token", "revoke", "--store", "URL", "t", "--notify", "redis://:hunter2@127.0.0.1:1"),
            "redis://:***@127",
            {},
        ),
        (("reencrypt", "--store", "URL"), "there is no key to encrypt with; set ASYNC_OAUTH1_KEYS", {}),
        (
            ("client", "list", "--store", "URL"),
            "Encryption key 2 is not valid",
            {"ASYNC_OAUTH1_KEYS": f"{KEY},hunter2"},
        ),
        (("client", "list", "--store", "SEALED"), "is encrypted, and no key was given", {}),
        (("client", "list", "--store", "SEALED"), "under a key that was not given", {"ASYNC_OAUTH1_KEYS": new_key()}),
        (("reencrypt", "--store", "SEALED"), "under a key that was not given", {"ASYNC_OAUTH1_KEYS": new_key()}),
    ],
)
async def test_mistakes_are_one_line(
    url: str, provider: Store, tmp_path: Path, arguments: tuple[str, ...], reason: str, environment: dict[str, str]
) -> None:
    """A mistake is one line on stderr with exit status 2, and the store is unchanged."""
    await provider.add_client(Client(client_id="rsa", rsa_public_key=RSA_PUBLIC_KEY))
    sealed = f"sqlite:///{tmp_path}/sealed.db"
    if "SEALED" in arguments:
        async with open_store(await migrated(sealed), keys=[KEY]) as store:
            assert isinstance(store, Store)
            await store.add_client(PRINTER)
    known = {"URL": url, "SEALED": sealed, "CLIENT": PRINTER.client_id}
    before = await provider.list_clients(), await provider.list_token_credentials()
    changed = [known.get(argument, argument) for argument in arguments]
    result = await asyncio.to_thread(run_in_process, *changed, **environment)
    assert_one_line_error(result, reason)
    assert not any(secret in result.stderr for secret in (KEY, PRINTER.client_secret))
    assert (await provider.list_clients(), await provider.list_token_credentials()) == before


async def migrated(url: str) -> str:
    """Create the store, and return its URL."""
    await open_store(url).migrate()
    return url
