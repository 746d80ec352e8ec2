"""`async-oauth1 client edit`, the note of `client add --method`, `--version`, and listings on narrow terminals."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pytest
import pytest_asyncio

from async_oauth1.cli import main
from async_oauth1.credentials import Client
from async_oauth1.stores import Store, open_store
from async_oauth1.stores.caching import CachingStore, open_change_feed
from tests.keys import RSA_PUBLIC_KEY
from tests.servers import Valkey

from .command import assert_one_line_error, run, run_in_process, run_json, run_on_terminal

PRINTER = Client(
    client_id="a client identifier of another provider",
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


async def test_an_edit_changes_what_it_names(url: str, provider: Store) -> None:
    """A running provider sees the new values at once; the secret and what was not named stay as they were."""
    edit = ("client", "edit", "--store", url, PRINTER.client_id)
    assert run(*edit, "--callback", "https://new.example/a", "--callback", "oob").returncode == 0
    expected = replace(PRINTER, callbacks=("https://new.example/a", "oob"))
    assert await provider.query_client(PRINTER.client_id) == expected
    text = run(*edit, "--nonce-policy", "log-only", "--callback-query-may-differ")
    assert (text.returncode, text.stdout) == (0, "")
    assert "callback_query_may_differ: yes; nonce_policy: log-only" in text.stderr
    expected = replace(expected, nonce_policy="log-only", callback_query_may_differ=True)
    assert await provider.query_client(PRINTER.client_id) == expected
    printed = run_json(*edit, "--callback-query-must-match")
    assert printed.items() <= run_json("client", "show", "--store", url, PRINTER.client_id).items()
    assert (printed["nonce_policy"], printed["callback_query_may_differ"]) == ("log-only", False)


async def test_tolerances_are_replaced_and_removed(url: str, provider: Store) -> None:
    """``--tolerate`` replaces the present ones, ``--tolerate-nothing`` removes them, and an unknown name is refused."""
    edit = ("client", "edit", "--store", url, PRINTER.client_id)
    assert run(*edit, "--tolerate", "loose_base64", "--tolerate", "version_1_0a").returncode == 0
    assert await provider.query_client(PRINTER.client_id) == replace(
        PRINTER, tolerances=("loose_base64", "version_1_0a")
    )
    assert_one_line_error(run(*edit, "--tolerate", "no_signature"), "no_signature")
    assert run(*edit, "--tolerate-nothing").returncode == 0
    assert await provider.query_client(PRINTER.client_id) == PRINTER


@pytest.mark.parametrize(
    ("client_id", "options", "reason"),
    [
        (PRINTER.client_id, (), "client edit needs something to change"),
        (PRINTER.client_id, ("--callback", "nowhere"), "--callback: 'nowhere' is not an absolute URI"),
        (PRINTER.client_id, ("--nonce-policy", "lax"), "--nonce-policy lax: unknown; choose from strict, log-only"),
        ("unknown", ("--nonce-policy", "strict"), "there is no client unknown"),
    ],
)
async def test_refused_edits(url: str, provider: Store, client_id: str, options: tuple[str, ...], reason: str) -> None:
    """A mistake is one line on stderr with exit status 2, and changes nothing."""
    assert_one_line_error(run("client", "edit", "--store", url, client_id, *options), reason)
    assert await provider.list_clients() == [PRINTER]


async def test_an_edit_is_announced(url: str, provider: Store) -> None:
    """With --notify, the caches of running providers forget the client as after a rotation."""
    server = Valkey()
    try:
        async with CachingStore(open_store(url), open_change_feed(server.url), lifetime=600) as cache:
            assert await cache.query_client(PRINTER.client_id) == PRINTER
            arguments = ("client", "edit", "--store", url, PRINTER.client_id, "--callback", "oob")
            assert run(*arguments, "--notify", server.url).returncode == 0
            async with asyncio.timeout(30):
                while await cache.query_client(PRINTER.client_id) == PRINTER:
                    await asyncio.sleep(0.01)
            assert await cache.query_client(PRINTER.client_id) == replace(PRINTER, callbacks=("oob",))
    finally:
        server.close()


def test_methods_that_servers_refuse_by_default_are_named(url: str) -> None:
    """The note is on stderr, with --json too. A client of HMAC-SHA1 gets none."""
    add = ("client", "add", "--store", url, "--name", "P")
    assert "refused" not in run_in_process(*add, "--method", "HMAC-SHA1").stderr
    for more in ((), ("--json",)):
        added = run_in_process(*add, "--method", "HMAC-SHA256", "--method", "HMAC-SHA1", *more)
        assert added.returncode == 0
        assert "HMAC-SHA256 is refused unless the server enables it" in added.stderr
        assert "OAUTH1_SUPPORTED_SIGNATURE_METHODS" in added.stderr
        assert "refused" not in added.stdout


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """`--version` needs no command and no store."""
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"async-oauth1 {version('async-oauth1')}\n"


@pytest.mark.parametrize("columns", [30, 80, 200])
async def test_identifiers_are_whole_on_any_terminal(url: str, provider: Store, columns: int) -> None:
    """`token revoke` and `client show` find what a listing shows, however narrow the terminal is."""
    scope = " ".join(f"photos.permission{number}" for number in range(20))
    token = await provider.issue_token_credential(PRINTER.client_id, "jane" * 20, scope=scope)
    listed = run_on_terminal("token", "list", "--store", url, columns=columns)
    assert token.oauth_token in listed
    assert PRINTER.client_id in listed
    assert PRINTER.client_id in run_on_terminal("client", "list", "--store", url, columns=columns)
    assert "…" not in listed
    assert run("token", "revoke", "--store", url, token.oauth_token).returncode == 0


async def test_name_methods_and_key_can_be_changed(url: str, provider: Store, tmp_path: Path) -> None:
    """Methods and key have to go together, in one command if necessary; what is refused changes nothing."""
    (tmp_path / "key.pem").write_text(RSA_PUBLIC_KEY)
    edit = ("client", "edit", "--store", url, PRINTER.client_id)
    key = ("--rsa-public-key", str(tmp_path / "key.pem"))
    for refused, reason in (
        (("--method", "RSA-SHA256"), "needs the client's public key"),
        (("--method", "MD5"), "MD5"),
        (("--name", " "), "--name"),
        (key, "none of these uses the public key"),
        ((*key, "--no-rsa-public-key"), "exclude each other"),
    ):
        assert_one_line_error(run(*edit, *refused), reason)
    assert await provider.query_client(PRINTER.client_id) == PRINTER
    assert run(*edit, "--name", "Plotter", "--method", "RSA-SHA256", *key).returncode == 0
    changed = await provider.query_client(PRINTER.client_id)
    assert changed is not None
    assert (changed.name, changed.signature_methods) == ("Plotter", ("RSA-SHA256",))
    assert "BEGIN PUBLIC KEY" in (changed.rsa_public_key or "")
    assert_one_line_error(run(*edit, "--no-rsa-public-key"), "needs the client's public key")
    printed = run_json(*edit, "--no-rsa-public-key", "--method", "HMAC-SHA1")
    assert (printed["rsa_public_key"], printed["signature_methods"]) == (None, ["HMAC-SHA1"])
    assert await provider.query_client(PRINTER.client_id) == replace(PRINTER, name="Plotter")
