"""nginx and Caddy as `deploy/` configures them, in front of photos: TLS, a prefix that is removed, and the raw path."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.attacks.signer import Keys, Message, sign
from tests.attacks.transport.test_documented_proxies import AWKWARD, FORGED, SUB_DELIMITERS, certificate
from tests.examples.jane import PRINTER
from tests.examples.running import photos
from tests.servers.processes import free_ports, wait_until

from .proxies import BASE_URL, HOST, PROXIES, ask, proxy_folder

__all__ = ["certificate"]

KEYS = Keys(client_id=PRINTER[0], client_secret=PRINTER[1])
TOKEN = "0123456789abcdef" * 2
ORIGIN = f"https://{HOST}"


@dataclass(frozen=True)
class Deployed:
    """A proxy that runs in front of photos.

    Attributes:
        kind: its name.
        secure: its port for https.
        plain: its port for http.
        folder: its files.
    """

    kind: str
    secure: int
    plain: int
    folder: Path

    def get(self, target: str, *headers: tuple[bytes, bytes], tls: bool = True) -> int:
        """The status of an unsigned request."""
        message = Message(method="GET", target=target.encode(), headers=((b"host", HOST.encode()), *headers))
        return ask(self.secure if tls else self.plain, message, tls=tls).status


@pytest.fixture(scope="module")
def backend() -> Iterator[int]:
    """The port of a photos that is configured as `deploy/` does it."""
    options = ("--external-base-url", BASE_URL, "--demo-data", "--trusted-proxies", "127.0.0.1")
    with photos(*options, PHOTOS_METRICS_TOKEN=TOKEN) as running:
        yield running.port


@pytest.fixture(scope="module", params=PROXIES)
def deployed(request: pytest.FixtureRequest, backend: int, certificate: Path) -> Iterator[Deployed]:
    """Each proxy in turn."""
    secure, plain = free_ports(2)
    with proxy_folder() as folder, PROXIES[request.param](folder, (secure, plain), [backend], certificate):
        yield Deployed(request.param, secure, plain, folder)


def test_the_path_arrives_as_it_was_signed(deployed: Deployed) -> None:
    """The prefix is removed and nothing else changes, so every signature verifies; large heads and forms pass, too."""
    for path in AWKWARD:
        if deployed.kind == "caddy" and path == SUB_DELIMITERS:
            continue  # docs/deploying.md has this exception
        target = f"/v1/signed{path}"
        answer = ask(deployed.secure, sign(KEYS, "GET", target, origin=ORIGIN, headers=FORGED))
        assert answer.status == 200, (path, answer)
        assert json.dumps(target.partition("?")[0]) in answer.octets.decode(), (path, answer)
    large = [(b"x-large", b"x" * 60_000)]
    form = sign(KEYS, "POST", "/v1/signed/form", body=b"a=b+c&d=%2F", origin=ORIGIN, headers=large)
    assert ask(deployed.secure, form).status == 200


def test_what_is_not_passed_on(deployed: Deployed) -> None:
    """Plain http, other paths, and what operators ask for: neither spelling nor token opens them from outside."""
    assert deployed.get("/v1/login", tls=False) == 403
    assert deployed.get("/v1/login") == 200
    bearer = (b"authorization", f"Bearer {TOKEN}".encode())
    for path in ("metrics", "%6Detrics", "metrics/", "/metrics", "x/../metrics", "health", "health/ready", "%68ealth"):
        assert deployed.get(f"/v1/{path}", bearer) in (400, 404), path
    for path in ("/", "/login", "/V1/login", "/v1login", "/x/../v1/login", "//v1/login"):
        assert deployed.get(path) in (400, 404), path


def test_the_log_of_nginx_has_no_tokens(deployed: Deployed) -> None:
    """It has the path as it was sent, without the query, and no client can forge a line."""
    if deployed.kind != "nginx":
        return
    deployed.get("/v1/authorize?oauth_token=secret-token")
    deployed.get("/v1/a%22%0A%7B%7D//b?oauth_verifier=secret-verifier")

    def logged() -> list[dict[str, str]]:
        return [json.loads(line) for line in (deployed.folder / "access.log").read_text().splitlines()]

    # nginx may write a line after the client has the answer.
    expected = {"/v1/authorize", "/v1/a%22%0A%7B%7D//b"}
    wait_until(lambda: expected <= {line["path"] for line in logged()}, "both lines are written")
    lines = logged()
    assert "secret-" not in json.dumps(lines)
    assert all(len(line["request_id"]) == 32 for line in lines)
