"""The example on FastAPI: the whole flow, with the most common client, over HTTP."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from requests_oauthlib import OAuth1Session

from async_oauth1 import Client
from async_oauth1.stores import open_store
from tests.servers.processes import free_ports, wait_until_it_listens

CALLBACK = "http://127.0.0.1:8001/ready"


@pytest.fixture
async def client(tmp_path: Path) -> Client:
    """A registered client, in the database of the example."""
    registered = Client(client_id="printer", client_secret="secret", callbacks=(CALLBACK,))
    store = open_store(f"sqlite:///{tmp_path}/provider.db")
    await store.migrate()
    await store.open()
    await store.add_client(registered)
    await store.close()
    return registered


@pytest.fixture
def url(client: Client, repository: Path, tmp_path: Path, unmeasured_environment: dict[str, str]) -> Iterator[str]:
    """The example under uvicorn."""
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "uvicorn", "examples.fastapi_provider:app", "--port", str(port)]
    environment = {**unmeasured_environment, "PYTHONPATH": str(repository)}
    server = subprocess.Popen([*command, "--log-level", "critical"], cwd=tmp_path, env=environment)
    try:
        wait_until_it_listens(server, port)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def test_the_flow(url: str) -> None:
    """Initiate, consent, token, photos; what is not signed is refused."""
    session = OAuth1Session("printer", "secret", callback_uri=CALLBACK)
    session.fetch_request_token(f"{url}/oauth/initiate?scope=photos.read")
    authorize = session.authorization_url(f"{url}/authorize")
    assert "Let printer see your photos?" in requests.get(authorize).text
    approved = requests.post(authorize, allow_redirects=False)
    assert approved.status_code == 302
    assert parse_qs(urlsplit(approved.headers["Location"]).query).keys() == {"oauth_token", "oauth_verifier"}
    session.parse_authorization_response(approved.headers["Location"])
    session.fetch_access_token(f"{url}/oauth/token")
    assert session.get(f"{url}/photos", params={"file": "a.jpg"}).json() == {"owner": "jane", "file": "a.jpg"}
    refused = requests.get(f"{url}/photos")
    assert (refused.status_code, refused.json()["error"]) == (401, "unsigned_request")
    assert requests.get(f"{url}/authorize", params={"oauth_token": "unknown"}).status_code == 401
    assert requests.get(f"{url}/openapi.json").status_code == 200
