"""The learning tool behind an nginx that ends TLS."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests

from async_oauth1.lti import sign_launch
from examples.lti_tool.settings import KEY
from tests.attacks.transport.test_documented_proxies import certificate
from tests.cli.doctor.proxies import GOOD, PASSED, nginx
from tests.examples.running import PATIENCE
from tests.servers.processes import free_ports

from .demo import SECRET, Demo, lti_demo

__all__ = ["certificate"]

# The certificate is for another host, so the client does not check it.
pytestmark = pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")

FIELDS = {"lti_message_type": "basic-lti-launch-request", "lti_version": "LTI-1p0", "resource_link_id": "leaf-shapes"}


def launched(demo: Demo, port: int, folder: Path, certificate: Path) -> requests.Response:
    """What the tool answers to a launch that is posted to nginx."""
    url = f"https://localhost:{port}/launch"
    lines = f"{GOOD} location / {{ proxy_pass http://127.0.0.1:{demo.port}; {PASSED} }}"
    with nginx(folder, port, lines, certificate=certificate):
        form = sign_launch(url, FIELDS, KEY, SECRET)
        return requests.post(url, data=form, verify=False, timeout=PATIENCE)


def test_the_tool_does_not_know_its_url(tmp_path: Path, certificate: Path) -> None:
    """The launch is refused, and page and log have the cause."""
    with lti_demo("--debug") as demo:
        refused = launched(demo, free_ports(1)[0], tmp_path, certificate)
        assert refused.status_code == 401
        assert "<code>scheme</code>" in refused.text
        demo.logged("Explained: ")
        demo.logged("scheme")


def test_the_tool_knows_its_url(tmp_path: Path, certificate: Path) -> None:
    """The launch is accepted, and the cookie has the prefix for https."""
    (port,) = free_ports(1)
    with lti_demo("--public-url", f"https://localhost:{port}") as demo:
        accepted = launched(demo, port, tmp_path, certificate)
        assert accepted.status_code == 200
        assert accepted.headers["Set-Cookie"].startswith("__Host-lti=")
