"""`async-oauth1 audit list`, `client disable` and `enable`, `token show`, and lists page by page."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Any

import pytest

from async_oauth1.stores import Store, open_store
from tests.servers import Postgres

from .command import assert_one_line_error, run, run_json


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A store without clients."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store.db"
    server: Postgres = request.getfixturevalue("postgres")
    server.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    return server.url


def add(url: str, name: str) -> str:
    """Register a client."""
    client_id: str = run_json("client", "create", "--store", url, "--name", name)["client_id"]
    return client_id


async def test_a_client_is_disabled_and_enabled(url: str) -> None:
    """It stays in the list, marked; the audit trail names the user of the machine."""
    client_id = add(url, "Printer")
    for command, disabled in (("disable", True), ("disable", True), ("enable", False)):
        result = run_json("client", command, client_id, "--store", url)
        assert result == {"client_id": client_id, "disabled": disabled}
        assert run_json("client", "show", client_id, "--store", url)["disabled"] is disabled
        assert [each["disabled"] for each in run_json("client", "list", "--store", url)] == [disabled]
        async with open_store(url) as store:
            assert isinstance(store, Store)
            assert (await store.query_client(client_id) is None) is disabled
    said = run("client", "disable", client_id, "--store", url)
    assert (said.returncode, said.stdout, said.stderr) == (0, "", f"Disabled client {client_id}.\n")
    events = run_json("audit", "list", "--store", url)
    assert [each["event"] for each in events] == [
        "client.created",
        "client.disabled",
        "client.enabled",
        "client.disabled",
    ]
    assert all(each["actor"] == {"kind": "command", "name": getpass.getuser()} for each in events)
    assert_one_line_error(run("client", "disable", "unknown", "--store", url), "there is no client unknown")


async def test_lists_have_pages(url: str) -> None:
    """--limit gives a page and the cursor of the next one; --search finds a part of the name."""
    names = ["Album", "Camera", "Printer"]
    ids = {name: add(url, name) for name in names}
    found: list[Any] = []
    after: list[str] = []
    while True:
        page = run_json("client", "list", "--store", url, "--limit", "1", *after)
        found += page["items"]
        if page["next"] is None:
            break
        after = ["--after", page["next"]]
    assert [each["name"] for each in found] == names
    searched = run_json("client", "list", "--store", url, "--search", "CAM")
    assert [each["client_id"] for each in searched] == [ids["Camera"]]
    plain = run("client", "list", "--store", url, "--limit", "2")
    assert plain.stdout.count("\n") == 2
    assert plain.stderr.startswith("There are more: --after ")
    for kind in ("client", "token"):
        result = run(kind, "list", "--store", url, "--after", "x")
        assert_one_line_error(result, "after is not the cursor of a page")


async def test_a_token_is_shown_with_its_last_use(url: str) -> None:
    """Also in lists, with the user agent; the client has the latest use of its tokens. No secret is shown."""
    client_id = add(url, "Printer")
    issued = run_json("token", "create", "--store", url, "--client", client_id, "--user", "jane")
    token = issued["oauth_token"]
    assert run_json("token", "show", token, "--store", url)["last_used_at"] is None
    async with open_store(url) as store:
        store.note_use(client_id, token, "printer/1.0")  # type: ignore[attr-defined]
    shown = run_json("token", "show", token, "--store", url)
    assert (shown["user_id"], shown["user_agent"]) == ("jane", "printer/1.0")
    assert run_json("token", "list", "--store", url) == [shown]
    assert run_json("token", "list", "--store", url, "--user", "joe", "--limit", "3") == {"items": [], "next": None}
    for client in (
        run_json("client", "show", client_id, "--store", url),
        run_json("client", "list", "--store", url)[0],
    ):
        assert (client["last_used_at"], client["user_agent"]) == (shown["last_used_at"], "printer/1.0")
    plain = run("token", "show", token, "--store", url)
    assert f"oauth_token: {token}" in plain.stdout
    assert issued["oauth_token_secret"] not in plain.stdout + str(shown)
    assert run_json("token", "delete", token, "--store", url) == {"revoked": 1}
    assert_one_line_error(run("token", "show", token, "--store", url), f"there is no token {token}")
    assert_one_line_error(run("token", "show", token[:20], "--store", url), "there is no token")


async def test_the_audit_trail_is_filtered(url: str) -> None:
    """By time, by client and by number."""
    first, second = add(url, "First"), add(url, "Second")
    run_json("client", "delete", first, "--store", url)
    every = run_json("audit", "list", "--store", url)
    assert [each["event"] for each in every] == ["client.created", "client.created", "client.removed"]
    assert run_json("audit", "list", "--store", url, "--client", second) == every[1:2]
    for since in ("1d", "2020-01-01", "2020-01-01T00:00:00Z", "2020-01-01T00:00:00+02:00"):
        assert run_json("audit", "list", "--store", url, "--since", since) == every
    assert run_json("audit", "list", "--store", url, "--since", "2999-01-01") == []
    page = run_json("audit", "list", "--store", url, "--limit", "2")
    assert page == {"items": every[:2], "next": every[1]["id"]}
    rest = run_json("audit", "list", "--store", url, "--limit", "2", "--after", str(page["next"]))
    assert rest == {"items": every[2:], "next": None}
    lines = run("audit", "list", "--store", url).stdout.splitlines()
    assert [line.split("\t")[1:3] for line in lines] == [[each["event"], each["client_id"]] for each in every]
    assert_one_line_error(run("audit", "list", "--store", url, "--since", "soon"), "--since soon: write a date")
