"""The provider on Starlette goes through the whole flow, under uvicorn."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from requests_oauthlib import OAuth1, OAuth1Session

from async_oauth1 import Client
from async_oauth1.stores import open_store
from tests.attacks.asgi_servers import PATIENCE, serving

CALLBACK = "http://127.0.0.1:9/ready"
COMMAND = ["-m", "uvicorn", "--port", "{port}", "--log-level", "warning", "examples.starlette_provider:app"]


@pytest.mark.parametrize("approves", [True, False])
async def test_the_whole_flow(tmp_path: Path, approves: bool) -> None:
    """A client gets a token if the user approves, and only then."""
    url = f"sqlite:///{tmp_path}/provider.db"
    store = open_store(url)
    await store.migrate()
    async with store:
        await store.add_client(Client(client_id="client", client_secret="secret", callbacks=(CALLBACK,)))
    with serving(COMMAND, PROVIDER_STORE=url) as port:
        site = f"http://127.0.0.1:{port}"
        assert requests.get(f"{site}/authorize?oauth_token=unknown", timeout=PATIENCE).status_code == 401
        with OAuth1Session("client", "secret", callback_uri=CALLBACK) as client:
            temporary = client.fetch_request_token(f"{site}/oauth/initiate")
            page = requests.get(f"{site}/authorize", params={"oauth_token": temporary["oauth_token"]}, timeout=PATIENCE)
            assert f'value="{temporary["oauth_token"]}"' in page.text
            fields = {"oauth_token": temporary["oauth_token"], **({"approve": "yes"} if approves else {})}
            sent = requests.post(f"{site}/authorize", fields, allow_redirects=False, timeout=PATIENCE)
            assert (sent.status_code, sent.headers["location"].startswith(CALLBACK)) == (303, True)
            verifier = parse_qs(urlsplit(sent.headers["location"]).query).get("oauth_verifier", [""])[0]
            assert bool(re.fullmatch(r"\S{8,}", verifier)) is approves
            if approves:
                client.parse_authorization_response(sent.headers["location"])
                client.fetch_access_token(f"{site}/oauth/token")
                assert client.get(f"{site}/photos?file=a.jpg").json() == {"owner": "jane", "file": "a.jpg"}
        assert requests.get(f"{site}/photos", auth=OAuth1("client", "secret"), timeout=PATIENCE).status_code == 400
        assert requests.get(f"{site}/photos", timeout=PATIENCE).status_code == 401
