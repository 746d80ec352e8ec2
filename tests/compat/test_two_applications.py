"""A server and a protector at module level serve two applications, each by its own configuration."""

from __future__ import annotations

from typing import Any

import flask
import pytest
import quart

from flask_compat import AuthorizationServer, ResourceProtector

from .client import fetch

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
async def test_realm(framework: Any, method: str, path: str) -> None:
    """Each application's challenge names its own realm."""
    apps, _ = make_two(framework, {"OAUTH1_REALM": "first"}, {"OAUTH1_REALM": "second"})
    header = {"Authorization": 'OAuth oauth_consumer_key="c", oauth_token="t", oauth_callback="oob"'}
    for app, realm in zip(apps, ("first", "second"), strict=True):
        answer = await fetch(app, method, path, "", header)
        challenge = answer.headers.get("WWW-Authenticate")
        assert challenge is None or f'realm="{realm}"' in challenge
        assert path != "/photos" or challenge is not None or answer.status == 400


@pytest.mark.parametrize("framework", FRAMEWORKS)
async def test_window_methods_and_https(framework: Any) -> None:
    """The second application's window, methods and transport do not count for the first."""
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
