"""Launches that other libraries sign: lti, oauthlib, PyLTI, and ims-lti of npm."""

from __future__ import annotations

import json
import subprocess
import warnings
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import pytest
from lti import ToolConsumer

from async_oauth1.errors import InvalidSignatureError
from async_oauth1.lti import LTIConsumer
from tests.examples.clients.programs import TIMEOUT, install_npm_packages

from .consumer import BASIC, KEY, NOW, SECRET, URL, Tool, posted, signed

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # PyLTI uses python-oauth2, which uses distutils
    import oauth2
    from pylti.common import Request_Fix_Duplicate, SignatureMethod_HMAC_SHA1_Unicode

FIELDS = {**BASIC, "context_title": "Dürer & Söhne + 50 %", "custom_x": "a~b!*'()", "roles": "Instructor,Learner"}
QUERY = "?course=7&page=a%20b%2Fc"
Sign = Callable[[Mapping[str, str], str, str], list[tuple[str, str]]]


def by_lti(fields: Mapping[str, str], url: str, secret: str) -> list[tuple[str, str]]:
    """The package lti, whose signature oauthlib makes."""
    consumer = ToolConsumer(KEY, secret, params=dict(fields), launch_url=url)
    request = consumer.generate_launch_request(timestamp=str(NOW))
    return parse_qsl(request.body.decode(), keep_blank_values=True)


def by_oauthlib(fields: Mapping[str, str], url: str, secret: str) -> list[tuple[str, str]]:
    """The package oauthlib."""
    return signed(fields, url, secret=secret)


def by_pylti(fields: Mapping[str, str], url: str, secret: str) -> list[tuple[str, str]]:
    """What PyLTI signs requests with; it adds the hash of an empty body."""
    parameters = {**fields, "oauth_timestamp": str(NOW), "oauth_nonce": oauth2.generate_nonce(), "oauth_version": "1.0"}
    request = Request_Fix_Duplicate("POST", url, {**parameters, "oauth_consumer_key": KEY})
    request.sign_request(SignatureMethod_HMAC_SHA1_Unicode(), oauth2.Consumer(KEY, secret), None)
    return [(as_text(name), as_text(value)) for name, value in request.items()]


def as_text(value: Any) -> str:
    """PyLTI leaves some values as bytes."""
    return value.decode() if isinstance(value, bytes) else str(value)


@pytest.mark.parametrize("sign", [by_lti, by_oauthlib, by_pylti])
@pytest.mark.parametrize("query", ["", QUERY])
@pytest.mark.parametrize("origin", ["https://tool.example", "https://tool.example:8443"])
def test_accepted(sign: Sign, query: str, origin: str) -> None:
    """A launch is accepted as it is signed, with a query and on another port; with a wrong secret it is refused."""
    url = f"{origin}/launch{query}"
    tool = Tool()
    launch = tool.verify(posted(sign(FIELDS, url, SECRET), url))
    assert {name: launch.fields[name] for name in FIELDS} == FIELDS
    assert launch.fields.get("page") == ("a b/c" if query else None)
    assert isinstance(tool.refuse(posted(sign(FIELDS, url, "wrong"), url)), InvalidSignatureError)


@pytest.fixture
def by_ims_lti(pytestconfig: pytest.Config) -> Sign:
    """The package ims-lti of npm."""
    folder = install_npm_packages(pytestconfig.cache.mkdir("npm-clients"))

    def sign(fields: Mapping[str, str], url: str, secret: str) -> list[tuple[str, str]]:
        protocol = {
            "oauth_consumer_key": KEY,
            "oauth_nonce": "n1",
            "oauth_timestamp": str(NOW),
            "oauth_signature_method": "HMAC-SHA1",
            "oauth_version": "1.0",
        }
        given = {**fields, **protocol}
        done = subprocess.run(
            ["node", "lti_launch.js", url, json.dumps(given), secret],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=True,
        )
        return [*given.items(), ("oauth_signature", json.loads(done.stdout))]

    return sign


def test_ims_lti(by_ims_lti: Sign) -> None:
    """Its launches are accepted; what it gets wrong is refused: default ports that are shown, secrets to be encoded."""
    url = f"{URL}{QUERY}"
    launch = Tool().verify(posted(by_ims_lti(FIELDS, url, SECRET), url))
    assert {name: launch.fields[name] for name in FIELDS} == FIELDS
    shown = posted(by_ims_lti(FIELDS, "https://tool.example:443/launch", SECRET), "https://tool.example:443/launch")
    assert isinstance(Tool().refuse(shown), InvalidSignatureError)
    tool = Tool(LTIConsumer(client_id=KEY, client_secret="a b&c"))
    assert isinstance(tool.refuse(posted(by_ims_lti(FIELDS, url, "a b&c"), url)), InvalidSignatureError)


def test_pylti_counts_a_query_that_is_sent_twice_once() -> None:
    """As the switch ``query_sent_twice`` does; without it, such a launch is refused."""
    url = f"{URL}?course=7"
    fields = by_pylti({**FIELDS, "course": "7"}, url, SECRET)
    assert Tool(query_sent_twice=True).verify(posted(fields, url)).fields["course"] == "7"
    assert isinstance(Tool().refuse(posted(fields, url)), InvalidSignatureError)
