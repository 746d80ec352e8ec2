"""Presets accept what the other provider's clients send, and refuse as it does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

import pytest
import requests
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from oauth1.oauth import OAuth
from requests_oauthlib import OAuth1Session

from async_oauth1.serve.presets import PRESETS
from async_oauth1.testing import OAuth1Server
from tests.attacks.signer import Keys, body_hash

from .running import call

RESOURCES = {
    "woocommerce": "/wp-json/wc/v3/orders?status=completed",
    "netsuite": "/app/site/hosting/restlet.nl?script=1&deploy=2",
    "mastercard": "/api/locations/v1/atms?Country=USA",
    "jira": "/rest/api/2/issue/X-1?fields=summary",
    "schoology": "/v1/users/me",
}


def prepared(server: OAuth1Server, name: str) -> tuple[Keys, dict[str, Any]]:
    """The keys of a client of a preset, with a token if it has three legs, and how it sends them."""
    client, preset = server.client(), PRESETS[name]
    token = server.token(client) if preset.three_legged else None
    key = load_pem_private_key(client.rsa_private_key.encode(), None) if client.rsa_private_key else None
    keys = Keys(
        client_id=client.client_id,
        client_secret=client.client_secret,
        token=token.oauth_token if token else None,
        token_secret=token.oauth_token_secret if token else "",
        method=preset.signature_methods[0],
        private_key=key,
    )
    return keys, {"realm": b"1234567"} if preset.realm_required else {}


@pytest.mark.parametrize("name", PRESETS)
def test_a_genuine_request_is_accepted(name: str) -> None:
    """At the provider's own path, and at /echo."""
    with OAuth1Server(like=name) as server:
        keys, options = prepared(server, name)
        for path in (RESOURCES[name], "/echo"):
            status, _, body = call(server.url, keys, "GET", path, **options)
            assert status == 200, body


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_names_its_sources(name: str) -> None:
    """The sources are public pages."""
    assert PRESETS[name].sources
    assert all(source.startswith("https://") for source in PRESETS[name].sources)


def refused(name: str, body: bytes) -> Mapping[str, Any]:
    """The members or fields of a refusal."""
    if name == "jira":
        return {field: values[0] for field, values in parse_qs(body.decode()).items()}
    return {} if name == "schoology" else json.loads(body)


@pytest.mark.parametrize("name", PRESETS)
def test_a_wrong_signature_is_refused_in_the_providers_words(name: str) -> None:
    """The body is the provider's, and the explanation is ours."""
    with OAuth1Server(like=name) as server:
        keys, options = prepared(server, name)
        signed_as = RESOURCES[name].partition("?")[0] + "/"
        status, headers, body = call(server.url, keys, "GET", RESOURCES[name], signed_target=signed_as, **options)
        record = server.requests[-1]
    said = refused(name, body)
    assert (status, record.error) == (401, "invalid_signature")
    assert headers["www-authenticate"].startswith("OAuth realm=")
    if name == "woocommerce":
        assert said["code"] == "woocommerce_rest_authentication_error"
        assert said["data"] == {"status": 401}
    elif name == "netsuite":
        assert said == {"error": {"code": "INVALID_LOGIN_ATTEMPT", "message": "Invalid login attempt."}}
    elif name == "mastercard":
        (error,) = said["Errors"]["Error"]
        assert (error["Source"], error["Recoverable"]) == ("Gateway", False)
        assert error["Details"].startswith("GET&http%3A%2F%2F127.0.0.1")
    elif name == "jira":
        assert said["oauth_problem"] == "signature_invalid"
        assert said["oauth_signature_base_string"].startswith("GET&http%3A%2F%2F127.0.0.1")
    else:
        assert headers["content-type"].startswith("text/plain")
    assert set(record.causes) >= {"path_trailing_slash"} or name == "schoology", record.causes


@pytest.mark.parametrize(
    ("name", "changed", "error"),
    [
        ("woocommerce", {"place": "form", "method": "POST"}, "invalid_request"),
        ("netsuite", {"realm": None}, "invalid_request"),
        ("netsuite", {"place": "query", "realm": None}, "invalid_request"),
        ("mastercard", {"method": "POST", "body": b"{}", "content_type": b"application/json"}, "invalid_request"),
        ("jira", {"oauth": {"timestamp": "1000000000"}}, "timestamp_refused"),
        ("schoology", {"oauth": {"signature_method": "HMAC-SHA256"}}, "unsupported_signature_method"),
    ],
)
def test_what_only_this_provider_refuses(name: str, changed: dict[str, Any], error: str) -> None:
    """Places, realms, unsigned bodies and methods that the preset does not take."""
    with OAuth1Server(like=name) as server:
        keys, options = prepared(server, name)
        method = changed.pop("method", "GET")
        status, _, _ = call(server.url, keys, method, RESOURCES[name], **{**options, **changed})
        record = server.requests[-1]
    assert status in (400, 401)
    assert (record.accepted, record.error) == (False, error), record
    assert list(record.lines())


def test_mastercards_own_signer() -> None:
    """It signs oauth_body_hash unescaped: the request is taken, and the explanation says `not_encoded`."""
    with OAuth1Server(like="mastercard") as server:
        client = server.client()
        assert client.rsa_private_key is not None
        key = load_pem_private_key(client.rsa_private_key.encode(), None)
        url = server.url + RESOURCES["mastercard"]
        for payload in ('{"a": "b + c/d=ä"}', "{}", '{"n": 3}'):
            header = OAuth.get_authorization_header(url, "POST", payload, client.client_id, key)
            headers = {"Authorization": header, "Content-Type": "application/json"}
            answer = requests.post(url, payload.encode(), headers=headers, timeout=60)
            assert answer.status_code == 200, answer.text
            record = server.requests[-1]
            assert (record.accepted, record.causes) == (True, ("not_encoded",))
            assert list(record.lines())


def test_a_client_of_the_rfc_is_taken_by_mastercards_preset() -> None:
    """The same body with the hash escaped as RFC 5849 says, without a cause."""
    with OAuth1Server(like="mastercard") as server:
        keys, _ = prepared(server, "mastercard")
        oauth = {"body_hash": body_hash(b"{}", "sha256")}
        options: dict[str, Any] = {"body": b"{}", "content_type": b"application/json", "oauth": oauth}
        assert call(server.url, keys, "POST", RESOURCES["mastercard"], **options)[0] == 200
        assert server.requests[-1].causes == ()


@pytest.mark.parametrize("name", [name for name in PRESETS if PRESETS[name].three_legged])
def test_the_three_legs_are_where_the_provider_has_them(name: str) -> None:
    """With the provider's methods, and with a realm where it needs one."""
    paths = PRESETS[name].paths
    with OAuth1Server(like=name) as server:
        client = server.client(callbacks=["http://client.example/ready"])
        session = OAuth1Session(
            client.client_id,
            client.client_secret,
            callback_uri="http://client.example/ready",
            signature_method=PRESETS[name].signature_methods[0],
            rsa_key=client.rsa_private_key,
            realm="1234567",
        )
        token = session.fetch_request_token(server.url + paths.initiate)["oauth_token"]
        asked = f"{server.url}{paths.authorize}?oauth_token={token}"
        page = requests.get(asked, allow_redirects=False, timeout=60)
        session.parse_authorization_response(page.headers["Location"])
        session.fetch_access_token(server.url + paths.token)
        session._client.client.realm = "1234567"  # requests-oauthlib sends a realm with the first step alone
        assert session.get(server.url + RESOURCES[name]).status_code == 200


@pytest.mark.parametrize("name", [name for name in PRESETS if not PRESETS[name].three_legged])
def test_a_provider_without_tokens_issues_none(name: str) -> None:
    """There is nothing at the usual paths."""
    with OAuth1Server(like=name) as server:
        keys, _ = prepared(server, name)
        assert call(server.url, keys, "POST", "/initiate", oauth={"callback": "oob"})[0] == 404


def test_an_unknown_preset_is_refused() -> None:
    """The error names those there are."""
    with pytest.raises(ValueError, match="woocommerce"):
        OAuth1Server(like="facebook").start()
