"""The programs of the how-to pages serve, and do what the pages say to check."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from async_oauth1 import Client
from async_oauth1.errors import InvalidRequestError
from async_oauth1.testing import SignedAuth, sign_requests
from tests.flask_compat.client import Client as SigningClient

from .console import Reader
from .programs import page, program

CALLBACK = "https://client.test/ready"


async def register(store: Any) -> None:
    await store.add_client(Client(client_id="client", client_secret="secret", name="<Printer>", callbacks=(CALLBACK,)))


async def initiated(app: Any) -> SigningClient:
    """A client that has temporary credentials."""
    client = SigningClient(app)
    answer = await client.send("POST", "/initiate", callback=CALLBACK)
    client.token, client.token_secret = answer.form["oauth_token"], answer.form["oauth_token_secret"]
    return client


def fields(html: str) -> dict[str, str]:
    """The hidden fields of a form."""
    return dict(re.findall(r'name="(\w+)" value="([^"]*)">\n', html))


async def test_a_user_decides_on_the_consent_page() -> None:
    """After signing in. The page escapes names, and cannot be framed, forged or asked for another site."""
    module = program("consent-page")
    await register(module.store)
    client = await initiated(module.app)
    browser = module.app.test_client()
    address = f"/authorize?oauth_token={client.token}"
    sign_in = (await browser.get(address)).headers["Location"]
    assert sign_in.startswith("/login?next=")
    assert (await browser.get(sign_in)).headers["Location"] == address
    shown = await browser.get(address)
    html = await shown.get_data(as_text=True)
    assert "&lt;Printer&gt;" in html
    assert "<Printer>" not in html
    assert shown.headers["Content-Security-Policy"] == "frame-ancestors 'none'"
    form = {"decision": "approve", **fields(html)}
    assert (await browser.post("/authorize", form=form | {"csrf": "another"})).status_code == 403
    assert (await module.app.test_client().post("/authorize", form=form)).status_code == 403
    approved = await browser.post("/authorize", form=form)
    again = await browser.post("/authorize", form=form)
    assert approved.headers["Location"] == again.headers["Location"]
    verifier = dict(parse_qsl(urlsplit(approved.headers["Location"]).query))["oauth_verifier"]
    assert (await client.send("POST", "/token", verifier=verifier)).status == 200
    assert (await browser.post("/authorize", form=form | {"decision": "deny"})).status_code >= 400
    elsewhere = await browser.get("/login?next=https://evil.test/authorize?")
    assert elsewhere.headers["Location"] == "/"


async def test_a_denial_returns_to_the_client() -> None:
    """Without a verifier, and the page says so about a token that is unknown."""
    module = program("consent-page")
    await register(module.store)
    client = await initiated(module.app)
    browser = module.app.test_client()
    await browser.get("/login?next=/")
    html = await (await browser.get(f"/authorize?oauth_token={client.token}")).get_data(as_text=True)
    denied = await browser.post("/authorize", form={"decision": "deny", **fields(html)})
    assert denied.headers["Location"].startswith(f"{CALLBACK}?")
    assert "oauth_verifier" not in denied.headers["Location"]
    unknown = await browser.get("/authorize?oauth_token=unknown")
    assert "Start again" in await unknown.get_data(as_text=True)
    assert 400 <= unknown.status_code < 500


async def test_users_of_your_own_are_let_in_blocked_and_deleted() -> None:
    """A token acts for the user whose object approved it, until the user is blocked."""
    module = program("own-users")
    await register(module.store)
    token = await module.store.issue_token_credential("client", "7")
    client = sign_requests(module.app.test_client(), SignedAuth.of(await module.store.query_client("client"), token))
    assert await (await client.get("/me")).get_json() == {"name": "Jane"}
    module.users[7].is_active = False
    assert (await client.get("/me")).status_code == 401
    module.users[7].is_active = True
    await module.delete_user(module.users[7])
    module.users[7].is_active = True
    assert (await client.get("/me")).status_code == 401, "the token is revoked"


async def test_an_object_of_yours_approves() -> None:
    """Its ``id`` is what the store keeps."""
    module = program("own-users")
    await register(module.store)
    temporary = {"oauth_token": "temporary", "oauth_token_secret": "secret"}
    await module.store.create_temporary_credential(temporary, "client", CALLBACK)
    answer = await module.app.test_client().post("/authorize?oauth_token=temporary")
    assert answer.status_code == 302
    assert (await module.store.get_temporary_credential("temporary")).user_id == "7"


async def test_a_client_without_a_user_is_let_in() -> None:
    """And not to a route that wants a token."""
    module = program("two-legged")
    await register(module.store)
    client = sign_requests(module.app.test_client(), SignedAuth("client", "secret"))
    assert await (await client.post("/reports")).get_json() == {"client": "client", "user": None}
    assert (await client.get("/photos")).status_code == 400
    token = await module.store.issue_token_credential("client", "jane")
    with_token = SignedAuth("client", "secret", token.oauth_token, token.oauth_token_secret)
    sign_requests(client, with_token)
    assert await (await client.post("/reports")).get_json() == {"client": "client", "user": "jane"}


async def test_the_url_of_the_clients_is_what_they_sign() -> None:
    """A request that is signed for the outer URL verifies, and one for the inner URL does not."""
    module = program("proxies")
    await register(module.store)
    token = await module.store.issue_token_credential("client", "jane")
    auth = SignedAuth("client", "secret", token.oauth_token, token.oauth_token_secret)
    for url, status in (("https://api.example.com/photos", 200), ("http://localhost/photos", 401)):
        signed = auth(httpx.Request("GET", url))
        answer = await module.app.test_client().get(
            "/photos", headers={"Authorization": signed.headers["Authorization"]}
        )
        assert answer.status_code == status


def test_the_other_policy_of_the_page_is_accepted() -> None:
    """Networks and hosts are checked when a policy is made."""
    exec("from async_oauth1 import Policy\n" + page("proxies").split("```python\n")[2].split("```")[0])


def test_a_rotated_secret_overlaps() -> None:
    """The former secret verifies beside the new one."""
    client = program("rotating-secrets").client
    assert client.client_secret != "old"
    assert client.get_client_secrets() == (client.client_secret, "old")


@pytest.mark.parametrize("name", ["rsa-keys", "rotating-secrets"])
def test_the_commands_print_what_the_page_says(name: str, tmp_path: Path) -> None:
    """In the order of the page."""
    reader = Reader(tmp_path)
    try:
        reader.follow(page(name))
    finally:
        reader.close()
    assert len(reader.commands) == page(name).count("\n$ ")


async def test_own_models_with_tortoise_serve_the_whole_flow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials are issued once, requests are verified, and nothing is accepted twice."""
    monkeypatch.setenv("DATABASE_URL", f"sqlite://{tmp_path}/provider.db")
    module = program("own-models-tortoise")
    async with module.app.test_app():
        await module.Client.create(client_id="client", client_secret="secret", callback=CALLBACK)
        client = await initiated(module.app)
        verifier = (await client.approve()).location["oauth_verifier"]
        answers = await asyncio.gather(*(client.send("POST", "/token", verifier=verifier) for _ in range(5)))
        [issued] = [answer for answer in answers if answer.status == 200]
        client.token, client.token_secret = issued.form["oauth_token"], issued.form["oauth_token_secret"]
        signed = client.sign("GET", "/photos", client.parameters())
        answers = await asyncio.gather(*(client.send("GET", "/photos", signed=signed) for _ in range(10)))
        assert sorted(answer.status for answer in answers) == [200, *[401] * 9]
        assert {"user": "jane"} in [answer.json for answer in answers]
        other = await SigningClient(module.app).send("POST", "/initiate", callback="https://other.test/")
        assert (other.status, other.form["error"]) == (400, InvalidRequestError.error)


@pytest.mark.parametrize("name", ["from-oauthlib", "from-hand-written"])
async def test_the_hooks_over_tables_that_exist_verify(name: str) -> None:
    """A token of the former provider is accepted, once for each nonce."""
    module = program(name)
    if name == "from-hand-written":
        module.legacy.execute("INSERT INTO consumers VALUES ('client', 'secret')")
        module.legacy.execute("INSERT INTO access VALUES ('client', 'token', 'token secret', 'jane')")
    client = SigningClient(module.app, token="token", token_secret="token secret")
    signed = client.sign("GET", "/photos", client.parameters())
    answers = [await client.send("GET", "/photos", signed=signed) for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 401]
    assert answers[0].json == {"owner": "jane"}
    client.token = "unknown"
    assert (await client.send("GET", "/photos")).status == 401
