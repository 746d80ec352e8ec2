"""Launches that are signed here, and the page that posts them."""

from __future__ import annotations

import html
import json
import re
import subprocess
from typing import Any

import pytest
from lti import ToolProvider
from oauthlib.oauth1 import RequestValidator

from async_oauth1.lti import launch_page, sign_launch
from tests.examples.clients.programs import TIMEOUT, install_npm_packages
from tests.lti.consumer import BASIC, KEY, NOW, SECRET, URL, Tool, posted

FIELDS = {**BASIC, "context_title": "Dürer & Söhne + 50 %", "custom_x": "a~b!*'()", "empty": ""}


@pytest.mark.parametrize("method", ["HMAC-SHA1", "HMAC-SHA256"])
@pytest.mark.parametrize("url", [URL, f"{URL}?course=7&page=b%20c&empty=", "https://TOOL.example:443/launch"])
def test_accepted(url: str, method: str) -> None:
    """The tool verifies what is signed, with the query of the URL, which is in no field."""
    fields = sign_launch(url, FIELDS, KEY, SECRET, method=method, now=NOW)
    assert fields.keys() - FIELDS.keys() == {
        "oauth_callback",
        "oauth_consumer_key",
        "oauth_nonce",
        "oauth_signature",
        "oauth_signature_method",
        "oauth_timestamp",
        "oauth_version",
    }
    assert Tool().verify(posted(fields, url)).context_title == "Dürer & Söhne + 50 %"


def test_lines_end_as_browsers_send_them() -> None:
    """A browser posts CR and LF, so these are signed."""
    fields = sign_launch(URL, {**BASIC, "custom_a": "1\n2\r3\r\n4"}, KEY, SECRET, now=NOW)
    assert fields["custom_a"] == "1\r\n2\r\n3\r\n4"


class Validator(RequestValidator):  # type: ignore[misc]
    """What the package lti asks of a tool."""

    enforce_ssl = False
    nonce_length = (3, 100)
    dummy_client = "dummy"

    def check_client_key(self, client_key: str) -> bool:
        """Any characters."""
        return True

    def get_client_secret(self, client_key: str, request: object) -> str:
        """The secret."""
        return SECRET

    def validate_client_key(self, client_key: str, request: object) -> bool:
        """Whether there is such a consumer."""
        return client_key == KEY

    def validate_timestamp_and_nonce(self, *arguments: object, **options: object) -> bool:
        """Any."""
        return True


def test_the_package_lti_accepts_it() -> None:
    """As a tool, it verifies what is signed here."""
    given = {name: value for name, value in FIELDS.items() if name != "empty"}
    fields = sign_launch(URL, given, KEY, SECRET)
    provider = ToolProvider(consumer_key=KEY, consumer_secret=SECRET, params=dict(fields), launch_url=URL)
    provider.launch_headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert provider.is_valid_request(Validator())


@pytest.mark.parametrize("url", ["javascript:alert(1)", "ftp://a", "https://", 'https://a b"'])
def test_the_page_posts_to_the_web_alone(url: str) -> None:
    """Another URL is refused."""
    with pytest.raises(ValueError, match="http or https"):
        launch_page(url, {})


def test_the_page_escapes() -> None:
    """Fields cannot end an attribute, and are what was signed."""
    fields = {'"><script>alert(1)</script>': "a\r\nb<>&'\"ö", "submit": "1"}
    page = launch_page(f"{URL}?a=1&b=2", fields, title="</title><b>", button="<i>")
    assert "<script>alert" not in page.body
    assert "<i>" not in page.body
    found = re.findall(r'name="([^"]*)" value="([^"]*)"', page.body)
    assert {html.unescape(name): html.unescape(value) for name, value in found} == fields
    assert "script-src 'sha256-" in dict(page.headers)["Content-Security-Policy"]
    assert page.body.isascii()


def test_ims_lti_accepts_it(pytestconfig: pytest.Config) -> None:
    """As a tool, ims-lti of npm verifies what is signed here, and nothing that was changed."""
    folder = install_npm_packages(pytestconfig.cache.mkdir("npm-clients"))
    launches: list[dict[str, Any]] = []
    for path in ("/launch", "/launch?page=b%20c"):
        fields = sign_launch(f"https://tool.example{path}", FIELDS, KEY, SECRET)
        launches.append({"path": path, "host": "tool.example", "fields": fields})
    launches.append({**launches[0], "fields": {**launches[0]["fields"], "user_id": "other"}})
    command = ["node", "lti_provider.js", json.dumps(launches), KEY, SECRET]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT, check=True)
    assert [json.loads(line) for line in done.stdout.splitlines()] == [True, True, "Invalid Signature"]
