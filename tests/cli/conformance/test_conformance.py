"""`async-oauth1 conformance` against photos and Authlib's Flask provider, with the figures of the documentation."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from async_oauth1.stores import open_store
from async_oauth1.testing import OAuth1Server, issue_token, register_client
from tests.cli.command import assert_one_line_error, run, run_in_process
from tests.examples.running import photos
from tests.servers import unmeasured_environment
from tests.servers.processes import PATIENCE, free_ports, wait_until_it_listens

PAGE = "docs/conformance.md"


def conformance(url: str, path: str, pairs: tuple[str, str, str, str]) -> tuple[int, dict[str, Any]]:
    """Run the command; returns its exit status and its JSON."""
    known = {
        "ASYNC_OAUTH1_CLIENT_ID": pairs[0], "ASYNC_OAUTH1_CLIENT_SECRET": pairs[1],
        "ASYNC_OAUTH1_TOKEN": pairs[2], "ASYNC_OAUTH1_TOKEN_SECRET": pairs[3],
    }  # fmt: skip
    result = run_in_process("conformance", url, "--protected-path", path, "--json", **known)
    assert result.stderr == ""
    return result.returncode, json.loads(result.stdout)


def column(report: dict[str, Any]) -> dict[tuple[str, str, str], str]:
    """Each requirement with its result, as the table of the documentation has it."""
    marks = {True: "met", False: "**not met**", None: "not tried"}
    return {(one["section"], one["level"], one["text"]): marks[one["met"]] for one in report["requirements"]}


def on_photos(folder: Path) -> dict[tuple[str, str, str], str]:
    """Our column."""
    url = f"sqlite:///{folder}/photos.db"

    async def add() -> tuple[str, str, str, str]:
        store = open_store(url)
        await store.migrate()
        async with store:
            client = await register_client(store)
            token = await issue_token(store, client, "jane", scope="photos.read")
            return client.client_id, str(client.client_secret), token.oauth_token, token.oauth_token_secret

    pairs = asyncio.run(add())
    with photos(store=url) as provider:
        status, report = conformance(provider.url, "/photos", pairs)
    assert (status, report["conforms"]) == (0, True), [one for one in report["requirements"] if not one["met"]]
    return column(report)


@contextmanager
def authlib_provider(repository: Path, folder: Path, pairs: tuple[str, str, str, str]) -> Iterator[str]:
    """The Flask example on Authlib, with one client and one token."""
    [port] = free_ports(1)
    environment = {
        **unmeasured_environment(),
        "PYTHONPATH": str(repository),
        "NOTES_DATABASE": str(folder / "notes.db"),
        "NOTES_SECRET_KEY": secrets.token_hex(),
        "NOTES_PASSWORD": "wonderland",
        "NOTES_CLIENT_SECRET": pairs[1],
        "AUTHLIB_INSECURE_TRANSPORT": "1",
    }
    flask = [sys.executable, "-m", "flask", "--app", "examples.flask_port.authlib_flask", "init"]
    subprocess.run(flask, cwd=repository, env=environment, check=True, timeout=PATIENCE)
    with closing(sqlite3.connect(folder / "notes.db")) as connection, connection:
        row = [pairs[2], pairs[3], pairs[0], "jane"]
        connection.execute("INSERT INTO token_credential VALUES (?, ?, ?, ?)", row)
    command = ["-m", "gunicorn", "-b", f"127.0.0.1:{port}", "examples.flask_port.authlib_flask:app"]
    with subprocess.Popen(
        [sys.executable, *command], cwd=repository, env=environment, stderr=subprocess.DEVNULL
    ) as server:
        try:
            wait_until_it_listens(server, port)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(PATIENCE)


def on_authlib(repository: Path, folder: Path) -> dict[tuple[str, str, str], str]:
    """Authlib's column."""
    pairs = ("printer", secrets.token_hex(8), secrets.token_hex(8), secrets.token_hex(8))
    with authlib_provider(repository, folder, pairs) as url:
        status, report = conformance(url, "/notes", pairs)
    assert (status, report["conforms"]) == (1, False)
    return column(report)


def table(ours: dict[tuple[str, str, str], str], theirs: dict[tuple[str, str, str], str]) -> list[str]:
    """The lines of the documentation's table."""
    rows = sorted({**theirs, **ours}, key=lambda row: row[0])
    return [
        f"| {section} | {level} | {text} | {ours.get((section, level, text), 'not tried')} | "
        f"{theirs.get((section, level, text), 'not tried')} |"
        for section, level, text in rows
    ]


def test_the_table_of_the_documentation(repository: Path, tmp_path: Path) -> None:
    """Photos meets each requirement, and both columns are as published."""
    found = table(on_photos(tmp_path), on_authlib(repository, tmp_path))
    published = re.findall(r"^\| [0-9.]+ \| (?:MUST|SHOULD) .*$", (repository / PAGE).read_text(), re.MULTILINE)
    assert found == published, "\n".join(found)


def test_the_table_for_people(oauth1_server: OAuth1Server) -> None:
    """Sections, results and a sum, and no secret."""
    keys = oauth1_server.client()
    token = oauth1_server.token(keys)
    result = run(
        "conformance", oauth1_server.url, "--protected-path", "/echo", "--token", token.oauth_token,
        ASYNC_OAUTH1_CLIENT_ID=keys.client_id, ASYNC_OAUTH1_CLIENT_SECRET=keys.client_secret,
        ASYNC_OAUTH1_TOKEN_SECRET=token.oauth_token_secret,
    )  # fmt: skip
    assert result.returncode == 0, result
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["section", "level", "result", "requirement"]
    assert [line.split()[0] for line in lines if " not tried " in line] == ["3.4.4"]
    assert "0 (MUST) and 0 (SHOULD) are not met" in lines[-1]
    assert keys.client_secret not in result.stdout + result.stderr


KNOWN = {"ASYNC_OAUTH1_CLIENT_ID": "client", "ASYNC_OAUTH1_CLIENT_SECRET": "secret"}


def test_what_is_no_provider(oauth1_server: OAuth1Server) -> None:
    """No server, no HTTP, a page without protection, an unknown path, a wrong option: one line, and exit status 2."""
    [port] = free_ports(1)
    assert_one_line_error(run("conformance", f"http://127.0.0.1:{port}", **KNOWN), "cannot be reached")
    assert_one_line_error(run("conformance", oauth1_server.url, **KNOWN), "without a signature")
    missing = run("conformance", oauth1_server.url, "--protected-path", "/nothing", **KNOWN)
    assert_one_line_error(missing, "no OAuth 1.0 provider answers")
    assert_one_line_error(run("conformance", "nonsense", **KNOWN), "absolute http or https URL")
    wrong = run("conformance", oauth1_server.url, "--initiate-path", "x", **KNOWN)
    assert_one_line_error(wrong, "--initiate-path x: write a path")


@pytest.mark.parametrize(
    ("known", "says"),
    [
        ({}, "--client-id"),
        ({"ASYNC_OAUTH1_CLIENT_ID": "client"}, "ASYNC_OAUTH1_CLIENT_SECRET"),
        (KNOWN, "give --token"),
        (
            {**KNOWN, "ASYNC_OAUTH1_TOKEN": "t", "ASYNC_OAUTH1_TOKEN_SECRET": "s"},
            "the credentials are refused with 401",
        ),
    ],
)
def test_credentials_that_are_missing_or_wrong(oauth1_server: OAuth1Server, known: dict[str, str], says: str) -> None:
    """One line names what is missing, and the exit status is 2."""
    assert_one_line_error(run("conformance", oauth1_server.url, "--protected-path", "/echo", **known), says)
