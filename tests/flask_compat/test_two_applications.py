"""A server and a protector at module level serve two applications, each with its own configuration."""

from __future__ import annotations

import secrets
import time
from typing import Any
from urllib.parse import parse_qsl, quote

import flask
import pytest
import quart

from async_oauth1.signature import SIGNATURE_METHODS, SigningKeys, signature_base_string
from flask_compat import AuthorizationServer, ClientMixin, ResourceProtector, TemporaryCredential

from .client import fetch

HOST = "photos.example.net"
FRAMEWORKS = [flask.Flask, quart.Quart]


def make_two(framework: Any, first: dict[str, Any], second: dict[str, Any]) -> tuple[list[Any], ResourceProtector]:
    """Two applications that share a server and a protector, each with ``/photos`` and ``/initiate``."""
    protector = ResourceProtector(query_client=lambda _: None, query_token=lambda *_: None)
    server = AuthorizationServer(query_client=lambda _: None)
    apps = []
    for config in (first, second):
        app = framework("app")
        app.config.update(config)
        protector.init_app(app)
        server.init_app(app)
        app.add_url_rule("/photos", "photos", protector(lambda: "photos"))
        app.add_url_rule("/initiate", "initiate", server.create_temporary_credentials_response, methods=["POST"])
        apps.append(app)
    return apps, protector


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize(("method", "path"), [("GET", "/photos"), ("POST", "/initiate")])
async def test_each_application_has_its_own_realm(framework: Any, method: str, path: str) -> None:
    """The challenge names it."""
    apps, _ = make_two(framework, {"OAUTH1_REALM": "first"}, {"OAUTH1_REALM": "second"})
    header = {"Authorization": 'OAuth oauth_consumer_key="c", oauth_token="t", oauth_callback="oob"'}
    for app, realm in zip(apps, ("first", "second"), strict=True):
        answer = await fetch(app, method, path, "", header)
        challenge = answer.headers.get("WWW-Authenticate")
        assert challenge is None or f'realm="{realm}"' in challenge
        assert path != "/photos" or challenge is not None or answer.status == 400


@pytest.mark.parametrize("framework", FRAMEWORKS)
async def test_each_application_has_its_own_window_methods_and_https_rule(framework: Any) -> None:
    """The settings of the second application do not affect the first."""
    lax = {
        "OAUTH1_REQUIRE_HTTPS": False,
        "OAUTH1_TIMESTAMP_WINDOW": 9000,
        "OAUTH1_SUPPORTED_SIGNATURE_METHODS": ["PLAINTEXT"],
    }
    apps, protector = make_two(framework, {}, lax)
    seen = []
    for app in apps:

        async def look() -> None:
            policy = protector._flows.policy
            window = protector.find_setting("EXPIRY_TIME")
            seen.append((policy.require_https, policy.signature_methods, window))

        if framework is quart.Quart:
            async with app.app_context():
                await look()
        else:
            with app.app_context():
                await look()
    assert seen == [(True, ("HMAC-SHA1",), 300), (False, ("PLAINTEXT",), 9000)]
    with pytest.raises(RuntimeError, match="configure this server differently"):
        _ = protector._flows.policy


class Model(ClientMixin):  # type: ignore[misc]
    """A client, and with it a token credential and a temporary credential."""

    user_id = "owner"

    def get_client_secret(self) -> str:
        return "secret"

    def get_rsa_public_key(self) -> None:
        return None

    def get_default_redirect_uri(self) -> str:
        return "http://127.0.0.1/ready"

    def get_client_id(self) -> str:
        return "c"

    def get_oauth_token(self) -> str:
        return "t"

    def get_oauth_token_secret(self) -> str:
        return "ts"


def signed(method: str, uri: str, token_secret: str = "", **more: str) -> dict[str, str]:
    """A valid Authorization header."""
    parameters = {
        "oauth_consumer_key": "c",
        "oauth_signature_method": "HMAC-SHA1",
        "oauth_timestamp": str(int(time.time())),
        "oauth_nonce": secrets.token_hex(8),
        **more,
    }
    pairs = [(name, quote(value, safe="~")) for name, value in parameters.items()]
    base_string = signature_base_string(method, uri, pairs)
    signature = SIGNATURE_METHODS["HMAC-SHA1"].sign(base_string, SigningKeys("secret", token_secret))
    pairs.append(("oauth_signature", quote(signature, safe="~")))
    return {"Authorization": "OAuth " + ", ".join(f'{name}="{value}"' for name, value in pairs), "Host": HOST}


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("lax_is_last", [False, True])
async def test_one_application_can_accept_http_while_the_other_refuses_it(framework: Any, *, lax_is_last: bool) -> None:
    """The order in which they are made does not matter."""
    model = Model()
    protector = ResourceProtector(
        query_client=lambda _: model, query_token=lambda *_: model, exists_nonce=lambda *_: False
    )
    apps = {}
    for lax in (not lax_is_last, lax_is_last):
        app = apps[lax] = framework("app")
        app.config["OAUTH1_REQUIRE_HTTPS"] = not lax
        protector.init_app(app)
        app.add_url_rule("/photos", "photos", protector(lambda: "photos"))
    for _ in range(2):
        for lax, status in ((True, 200), (False, 400)):
            header = signed("GET", f"http://{HOST}/photos", "ts", oauth_token="t")
            assert (await fetch(apps[lax], "GET", "/photos", "", header)).status == status


@pytest.mark.parametrize("framework", FRAMEWORKS)
async def test_each_application_has_its_own_token_lengths(framework: Any) -> None:
    """The application that issues the token decides."""
    server = AuthorizationServer(query_client=lambda _: Model())
    server.register_hook("exists_nonce", lambda *_: False)
    server.register_hook("create_temporary_credential", lambda token, *_: TemporaryCredential(token))
    for length in (30, 50, 30):
        app = framework("app")
        app.config.update(OAUTH1_TOKEN_LENGTH=length, OAUTH1_REQUIRE_HTTPS=False)
        server.init_app(app)
        app.add_url_rule("/initiate", "initiate", server.create_temporary_credentials_response, methods=["POST"])
        header = signed("POST", f"http://{HOST}/initiate", oauth_callback="http://127.0.0.1/ready")
        answer = await fetch(app, "POST", "/initiate", "", header)
        assert answer.status == 200, answer
        assert len(dict(parse_qsl(answer.body))["oauth_token"]) == length
