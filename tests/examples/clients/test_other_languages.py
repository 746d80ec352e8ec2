"""Client libraries of other languages go through the dance and call protected resources."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx2
import pytest

from ..jane import PRINTER, READY, Jane, verifier_in
from ..running import Photos, add_client
from .programs import PROGRAMS, install_npm_packages, read_line, require, started, succeeds

FORM = {"a": "1", "b": "x y+z", "c": "ä&=", "d": "!*'()"}
PHOTO = {"owner": "jane", "file": "vacation.jpg", "size": "original"}


@pytest.fixture(scope="module")
def npm(pytestconfig: pytest.Config) -> Path:
    """The folder in which the packages from npm are installed."""
    return install_npm_packages(pytestconfig.cache.mkdir("npm-clients"))


def dance(jane: Jane, command: Sequence[str], cwd: Path | None = None) -> Any:
    """Let a program ask for a token, approve as Jane, and return what the program received with the token."""
    with started(command, cwd) as process:
        token = read_line(process)["oauth_token"]
        assert process.stdin is not None
        process.stdin.write(verifier_in(jane.decide(token)) + "\n")
        process.stdin.flush()
        return read_line(process)


def check(answers: Any, client_id: str, form: dict[str, str] = FORM) -> None:
    """The photo is Jane's, and the form arrived as it was sent, beside the protocol's parameters."""
    if "photo" in answers:
        assert answers["photo"] == {**PHOTO, "client_id": client_id}
    echo = answers["echo"]
    assert (echo["method"], echo["raw_path"], echo["user"]) == ("POST", "/echo/a%2Fb", "jane")
    sent = [*echo["form"], *echo["query"]]
    assert {name: value for name, value in sent if not name.startswith("oauth_")} == form


@pytest.mark.parametrize("library", ["oauth", "oauth-1.0a"])
def test_npm(provider: Photos, jane: Jane, npm: Path, library: str) -> None:
    """node-oauth (the package ``oauth``) and ``oauth-1.0a``."""
    check(dance(jane, ["node", "dance.js", library, provider.url, *PRINTER, READY], npm), PRINTER[0])


def test_npm_hmac_sha256(provider: Photos, jane: Jane, npm: Path) -> None:
    """``oauth-1.0a`` with HMAC-SHA256, for a client that was registered with it."""
    client = add_client(provider.store, "--callback", READY, "--method", "HMAC-SHA256")
    keys = client["client_id"], client["client_secret"]
    check(dance(jane, ["node", "dance.js", "oauth-1.0a HMAC-SHA256", provider.url, *keys, READY], npm), keys[0])


def test_passport(provider: Photos, jane: Jane, npm: Path) -> None:
    """A site built with Express and passport-oauth1 signs Jane in."""
    client = add_client(provider.store, "--callback", "http://127.0.0.1:1/ready")
    keys = client["client_id"], client["client_secret"]
    with started(["node", "passport.js", provider.url, *keys], npm) as process:
        site = f"http://127.0.0.1:{read_line(process)['port']}"
        with httpx2.Client(base_url=site, timeout=60) as browser:
            asked = browser.get("/login")
            assert asked.status_code == 302, asked.text
            token = httpx2.URL(asked.headers["Location"]).params["oauth_token"]
            approved = jane.decide(token)
            assert approved.headers["Location"].startswith(f"{site}/ready?"), approved.headers["Location"]
            ready = browser.get(approved.headers["Location"])
    assert (ready.status_code, ready.json()) == (200, {**PHOTO, "size": None, "client_id": keys[0]})


@pytest.mark.parametrize("place", ["header", "query", "form"])
def test_pecl_oauth(provider: Photos, jane: Jane, place: str) -> None:
    """PHP's extension OAuth, with its parameters in the header, in the query and in the form."""
    require("php with the extension oauth is not installed", present=succeeds(["php", "-r", "new OAuth('a', 'b');"]))
    program = str(PROGRAMS / "dance.php")
    check(dance(jane, ["php", program, place, provider.url, *PRINTER, READY]), PRINTER[0])


@pytest.mark.parametrize("method", ["HMAC-SHA1", "PLAINTEXT"])
def test_net_oauth(provider: Photos, jane: Jane, method: str) -> None:
    """Perl's Net::OAuth under LWP."""
    modules = ["-MNet::OAuth", "-MLWP::UserAgent", "-MJSON::PP"]
    require("perl with Net::OAuth and LWP is not installed", present=succeeds(["perl", *modules, "-e", "1"]))
    client = add_client(provider.store, "--callback", READY, "--method", method)
    keys = client["client_id"], client["client_secret"]
    program = str(PROGRAMS / "dance.pl")
    form = {name: FORM[name] for name in "abd"}  # Net::OAuth and LWP encode other characters differently
    check(dance(jane, ["perl", program, method, provider.url, *keys, READY]), keys[0], form)
