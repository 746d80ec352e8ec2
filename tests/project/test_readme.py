"""The README's program, run with the commands in the README."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from requests_oauthlib import OAuth1Session

from tests.servers.processes import PATIENCE, free_ports, wait_until_it_listens

CALLBACK = "http://127.0.0.1:9000/ready"


@dataclass(frozen=True)
class Provider:
    """A running copy of the README's program, and a registered client."""

    url: str
    client_id: str
    client_secret: str


@pytest.fixture
def provider(repository: Path, tmp_path: Path) -> Iterator[Provider]:
    """The program in a new directory, under hypercorn."""
    readme = (repository / "README.md").read_text(encoding="utf-8")
    (program,) = re.findall(r"^```python\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    (tmp_path / "app.py").write_text(program, encoding="utf-8")
    options = re.findall(r"^\$ async-oauth1 client add (.*)$", readme, re.MULTILINE)[0].split()
    added = subprocess.run(
        [sys.executable, "-m", "async_oauth1", "client", "add", *options, "--json"],
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "hypercorn", "--bind", f"127.0.0.1:{port}", "app:app"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=tmp_path)
    try:
        wait_until_it_listens(server, port)
        yield Provider(f"http://127.0.0.1:{port}", **json.loads(added.stdout))
    finally:
        server.terminate()
        output = server.communicate(timeout=PATIENCE)[0]
    assert "Traceback" not in output, output


def test_the_readme_program_serves_the_whole_flow(provider: Provider) -> None:
    """A client of another library gets from its credentials to a protected photo, and a replay is refused."""
    with OAuth1Session(provider.client_id, provider.client_secret, callback_uri=CALLBACK) as client:
        temporary = client.fetch_request_token(f"{provider.url}/initiate")
        assert temporary["oauth_callback_confirmed"] == "true"
        page = client.authorization_url(f"{provider.url}/authorize")
        assert provider.client_id in httpx2.get(page).text
        approved = httpx2.post(page)
        assert approved.headers["Location"].startswith(f"{CALLBACK}?")
        client.parse_authorization_response(approved.headers["Location"])
        client.fetch_access_token(f"{provider.url}/token")
        photo = client.get(f"{provider.url}/photos?file=vacation.jpg")
        assert photo.json() == {"owner": "jane", "file": "vacation.jpg"}
        replay = httpx2.get(
            photo.request.url, headers={"Authorization": photo.request.headers["Authorization"].decode()}
        )
        assert replay.status_code == 401


def test_the_readme_program_refuses_unsigned_requests(provider: Provider) -> None:
    """A request without a signature is answered with 401."""
    answer = httpx2.get(f"{provider.url}/photos")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("OAuth")
