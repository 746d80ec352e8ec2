"""`async-oauth1 client add`, `list` and `remove`: output, exit status, and errors."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
from contextlib import closing
from pathlib import Path

import psutil
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from async_oauth1.credentials import Client
from async_oauth1.stores import open_store
from tests.keys import WEAK_RSA_PUBLIC_KEY, rsa_private_key
from tests.servers import wait_until

from .command import COMMAND, assert_one_line_error, run, run_in_process, run_json, run_on_terminal


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A store that does not exist yet."""
    return f"sqlite:///{tmp_path}/photos.db"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with key files in many formats."""
    folder = tmp_path_factory.mktemp("keys")
    private, curve = rsa_private_key(), ec.generate_private_key(ec.SECP256R1())
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (folder / "public.pem").write_bytes(b"a note\n" + public + b"another\n")
    (folder / "pkcs1.pem").write_bytes(private.public_key().public_bytes(Encoding.PEM, PublicFormat.PKCS1))
    (folder / "private.pem").write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (folder / "curve.pem").write_bytes(curve.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    (folder / "broken.pem").write_bytes(public[:60] + b"\n-----END PUBLIC KEY-----\n")
    (folder / "text.pem").write_text("not a key")
    short = rsa.generate_private_key(65537, 1024)
    (folder / "short.pem").write_bytes(short.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    (folder / "weak.pem").write_text(WEAK_RSA_PUBLIC_KEY)
    (folder / "base64.pem").write_bytes(b"".join(public.splitlines()[1:-1]))
    (folder / "ssh.pub").write_bytes(private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH))
    (folder / "large.pem").write_bytes(b"x" * 100_000)
    return folder


async def stored(url: str) -> list[Client]:
    """The clients in a store."""
    async with open_store(url) as store:
        return await store.list_clients()


async def test_add_creates_the_store_and_prints_the_credentials(url: str, tmp_path: Path) -> None:
    """--json prints one object with the client_id and client_secret that are in the store."""
    printed = run_json(
        "client", "add", "--store", url, "--name", "Printer",
        "--callback", "http://printer.example.com/ready", "--callback", "oob",
    )  # fmt: skip
    assert printed.keys() == {"client_id", "client_secret"}
    assert len(printed["client_secret"]) >= 32
    assert await stored(url) == [
        Client(
            **printed,
            name="Printer",
            callbacks=("http://printer.example.com/ready", "oob"),
            signature_methods=("HMAC-SHA1",),
        )
    ]
    assert stat.S_IMODE((tmp_path / "photos.db").stat().st_mode) == 0o600


async def test_add_without_json_prints_two_labelled_lines(url: str) -> None:
    """Without --json: two labelled lines, never folded. A note on stderr says that the secret is shown once."""
    result = run("client", "add", "--store", url, "--name", "Printer", COLUMNS="20")
    (client,) = await stored(url)
    assert result.stdout.splitlines() == [f"client_id: {client.client_id}", f"client_secret: {client.client_secret}"]
    assert result.stderr == "The secret is not shown again.\n"
    assert client.callbacks == ()


async def test_the_same_name_twice_makes_two_clients(url: str) -> None:
    """Each has its own identifier and secret."""
    first, second = (run_json("client", "add", "--store", url, "--name", "P") for _ in "ab")
    assert first["client_id"] != second["client_id"]
    assert first["client_secret"] != second["client_secret"]


async def test_the_store_url_can_come_from_the_environment(url: str) -> None:
    """ASYNC_OAUTH1_STORE is the default of --store."""
    assert run("client", "add", "--name", "P", ASYNC_OAUTH1_STORE=url).returncode == 0
    assert run("client", "add", "--name", "Q", "--store", url, ASYNC_OAUTH1_STORE="nonsense").returncode == 0
    assert [client.name for client in await stored(url)] == ["P", "Q"]


@pytest.mark.parametrize("file", ["public.pem", "pkcs1.pem"])
async def test_a_client_with_a_public_key_uses_rsa(url: str, keys: Path, file: str) -> None:
    """The default method is RSA-SHA1. The key is stored in one format, without the rest of the file."""
    assert run("client", "add", "--store", url, "--name", "R", "--rsa-public-key", str(keys / file)).returncode == 0
    (client,) = await stored(url)
    assert client.signature_methods == ("RSA-SHA1",)
    assert client.rsa_public_key == (keys / "public.pem").read_text().removeprefix("a note\n").removesuffix("another\n")


async def test_a_short_key_is_accepted_with_a_recommendation(url: str, keys: Path) -> None:
    """A key of 1,024 bits is accepted; a message on stderr recommends a longer one."""
    result = run("client", "add", "--store", url, "--name", "R", "--rsa-public-key", str(keys / "short.pem"), "--json")
    assert result.returncode == 0
    assert "has 1024 bits; 2048 or more are recommended" in result.stderr
    assert (await stored(url))[0].rsa_public_key == (keys / "short.pem").read_text()


async def test_method_is_repeatable(url: str, keys: Path) -> None:
    """Each --method adds one signature method; duplicates are dropped."""
    result = run(
        "client", "add", "--store", url, "--name", "R", "--rsa-public-key", str(keys / "public.pem"),
        "--method", "RSA-SHA256", "--method", "HMAC-SHA512", "--method", "RSA-SHA256",
    )  # fmt: skip
    assert result.returncode == 0
    assert (await stored(url))[0].signature_methods == ("RSA-SHA256", "HMAC-SHA512")


async def test_a_running_provider_sees_the_client_at_once(url: str) -> None:
    """An open store finds the client as soon as it is added, and no longer once it is removed."""
    provider = open_store(url)
    await provider.migrate()
    async with provider:
        printed = run_json("client", "add", "--store", url, "--name", "P")
        client = await provider.query_client(printed["client_id"])
        assert client is not None
        assert client.client_secret == printed["client_secret"]
        assert run("client", "remove", "--store", url, printed["client_id"]).returncode == 0
        assert await provider.query_client(printed["client_id"]) is None


async def test_list_shows_no_secret(url: str) -> None:
    """In a pipe, a line has identifier and name; --json prints all but the secrets; a terminal shows a table."""
    printed = run_json("client", "add", "--store", url, "--name", "My printer")
    piped, as_json = run("client", "list", "--store", url).stdout, run_json("client", "list", "--store", url)
    assert piped == f"{printed['client_id']}\tMy printer\n"
    assert as_json == [
        {
            "client_id": printed["client_id"],
            "name": "My printer",
            "callbacks": [],
            "signature_methods": ["HMAC-SHA1"],
            "nonce_policy": "strict",
            "callback_query_may_differ": False,
            "tolerances": [],
            "disabled": False,
            "has_secret": True,
            "former_secrets_end_at": [],
            "rsa_public_key": None,
            "last_used_at": None,
            "user_agent": None,
        }
    ]
    shown = run_on_terminal("client", "list", "--store", url)
    assert printed["client_id"] in shown
    assert "My printer" in shown
    assert printed["client_secret"] not in piped + shown


async def test_control_characters_are_replaced(url: str) -> None:
    """A name with control characters is listed with question marks in their place."""
    store = open_store(url)
    await store.migrate()
    async with store:
        await store.add_client(Client(client_id="c", name="\x1b[31mred\nline"))
    assert run("client", "list", "--store", url).stdout == "c\t?[31mred?line\n"


ADD = ("client", "add", "--store", "URL", "--name", "P")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((), "Missing command."),
        (("client",), "Missing command."),
        (("client", "add"), "Missing option '--store'"),
        (("client", "add", "--store", "URL"), "Missing option '--name'"),
        ((*ADD, "--bogus"), "--bogus"),
        (("bogus",), "bogus"),
        (("client", "add", "--store", "memory://", "--name", "P"), "memory://: a store in memory"),
        (("client", "add", "--store", "x://u:hunter2@h", "--name", "P"), "x://u:***@h: not a store URL"),
        (("client", "add", "--store", "postgresql://u:hunter2@h/x", "--name", "P"), "postgresql://u:***@h/x: "),
        (("client", "add", "--store", "sqlite:////nowhere/at/all/x.db", "--name", "P"), "cannot be created"),
        (("client", "add", "--store", "URL", "--name", " "), "--name: write 1 to 200 printable characters"),
        (("client", "add", "--store", "URL", "--name", "a\nb"), "--name: write 1 to 200 printable characters"),
        (("client", "add", "--store", "URL", "--name", os.fsdecode(b"\xff")), "--name: write 1 to 200 printable"),
        ((*ADD, "--callback", "javascript:alert(1)"), "--callback: 'javascript:alert(1)' has a scheme"),
        ((*ADD, "--callback", "http://good@evil.example/"), "has user information before its host"),
        ((*ADD, "--callback", "/ready"), "--callback: '/ready' is not an absolute URI"),
        ((*ADD, "--callback", ""), "is not an absolute URI"),
        ((*ADD, "--callback", "http://[::1"), "--callback: 'http://[::1' has a malformed host or port"),
        ((*ADD, "--method", "HMAC-MD5"), "--method: 'HMAC-MD5' is unknown; choose from HMAC-SHA1, "),
        ((*ADD, "--method", "RSA-SHA1"), "--method: RSA-SHA1 needs the client's public key"),
        (
            (*ADD, "--rsa-public-key", "KEYS/public.pem", "--method", "PLAINTEXT"),
            "--method: none of these uses the public key",
        ),
        ((*ADD, "--rsa-public-key", "KEYS/private.pem"), "private.pem: holds a private key"),
        ((*ADD, "--rsa-public-key", "KEYS/curve.pem"), "but not an RSA one"),
        ((*ADD, "--rsa-public-key", "KEYS/broken.pem"), "is not a public key in PEM"),
        ((*ADD, "--rsa-public-key", "KEYS/text.pem"), "is not a public key in PEM"),
        ((*ADD, "--rsa-public-key", "KEYS/weak.pem"), "has 512 bits; at least 1024 are needed"),
        ((*ADD, "--rsa-public-key", "KEYS/base64.pem"), "is Base64 without the lines of PEM"),
        ((*ADD, "--rsa-public-key", "KEYS/ssh.pub"), "is in the format of OpenSSH"),
        ((*ADD, "--rsa-public-key", "KEYS/large.pem"), "too large for a key"),
        ((*ADD, "--rsa-public-key", "KEYS/none.pem"), "No such file or directory"),
        ((*ADD, "--rsa-public-key", "KEYS"), "Is a directory"),
        (("client", "list", "--store", "URL"), "there is no such file"),
        (("client", "remove", "--store", "URL", "x"), "there is no such file"),
    ],
)
def test_mistakes_are_one_line(url: str, keys: Path, tmp_path: Path, arguments: tuple[str, ...], reason: str) -> None:
    """A mistake is one line on stderr with exit status 2, and no store is created."""
    result = run_in_process(*(argument.replace("URL", url).replace("KEYS", str(keys)) for argument in arguments))
    assert_one_line_error(result, reason)
    assert list(tmp_path.iterdir()) == []


def test_removing_an_unknown_client_fails(url: str) -> None:
    """The error names the client."""
    run("client", "add", "--store", url, "--name", "P")
    result = run("client", "remove", "--store", url, "unknown")
    assert (result.returncode, result.stderr) == (2, "async-oauth1: there is no client unknown\n")


def test_an_unusable_store_is_an_error(url: str, tmp_path: Path) -> None:
    """A locked file and a damaged one are one-line errors."""
    run("client", "add", "--store", url, "--name", "P")
    with closing(sqlite3.connect(tmp_path / "photos.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        locked = run("client", "add", "--store", f"{url}?timeout=0.1", "--name", "P")
    (tmp_path / "photos.db").write_bytes(b"no database" * 1000)
    damaged = run("client", "list", "--store", url)
    assert_one_line_error(locked, "is locked")
    assert_one_line_error(damaged, "is not an SQLite database")


async def test_a_secret_that_cannot_be_printed_is_an_error(url: str) -> None:
    """If stdout is a closed pipe, one line on stderr says that the client exists and its secret is lost."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        result = subprocess.run(
            [*COMMAND, "client", "add", "--store", url, "--name", "P"],
            stdout=writing, stderr=subprocess.PIPE, text=True, timeout=60, check=False,
        )  # fmt: skip
    finally:
        os.close(writing)
    (client,) = await stored(url)
    assert result.returncode == 2
    assert f"client {client.client_id} was registered, but its secret could not be written" in result.stderr
    assert str(client.client_secret) not in result.stderr
    assert result.stderr.count("\n") == 1


def test_ctrl_c_interrupts_the_command(url: str, tmp_path: Path) -> None:
    """Ctrl-C while the store is locked: one line, exit status 130, and no client is registered."""
    run("client", "add", "--store", url, "--name", "P")
    with closing(sqlite3.connect(tmp_path / "photos.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        # A shell ignores SIGINT for commands in the background, and the command would inherit that.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        process = subprocess.Popen(
            [*COMMAND, "client", "add", "--store", f"{url}?timeout=10", "--name", "Q"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        signal.signal(signal.SIGINT, before)
        running, database = psutil.Process(process.pid), str(tmp_path / "photos.db")
        wait_until(
            lambda: any(file.path == database for file in running.open_files()), "the command has the store open"
        )
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
        assert (process.returncode, output, errors) == (130, "", "async-oauth1: interrupted\n")
        assert other.execute("SELECT count(*) FROM oauth1_client").fetchone() == (1,)


def test_a_client_is_tolerated_by_name(url: str) -> None:
    """``--tolerate`` is kept and shown; a name that does not exist is refused, with those that do."""
    names = ("loose_base64", "timestamp_window=900")
    options = [option for name in names for option in ("--tolerate", name)]
    added = run_json("client", "add", "--store", url, "--name", "X", *options)
    shown = run_json("client", "show", "--store", url, added["client_id"])
    assert shown["tolerances"] == list(names)
    before = run_json("client", "list", "--store", url)
    for name in ("no_such", "no_signature", "token_secret", "timestamp_window"):
        refused = run("client", "add", "--store", url, "--name", "X", "--tolerate", name)
        assert_one_line_error(refused, name)
    assert run_json("client", "list", "--store", url) == before
