"""Servers that take scheme and peer from ``X-Forwarded-*``: a client cannot choose either with these headers."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from typing import Any

import flask
import pytest
from granian.utils.proxies import wrap_asgi_with_proxy_headers
from hypercorn.middleware import ProxyFixMiddleware
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix

from async_oauth1 import Policy
from flask_compat import ResourceProtector
from tests.attacks.asgi_servers import APPLICATION, PATIENCE, read_all, serving
from tests.attacks.provider import ALL_SIGNATURE_METHODS, JANE, make_provider
from tests.attacks.signer import Message, sign
from tests.attacks.sockets import RawAnswer, request_octets
from tests.attacks.wire import Answer, call

LOCAL = ("127.0.0.1", 40_000)
TRUSTING: dict[str, Callable[[Any], Any]] = {
    "uvicorn": ProxyHeadersMiddleware,
    "uvicorn, FORWARDED_ALLOW_IPS=*": lambda app: ProxyHeadersMiddleware(app, "*"),
    "granian": wrap_asgi_with_proxy_headers,
    "granian, *": lambda app: wrap_asgi_with_proxy_headers(app, "*"),
    "hypercorn": ProxyFixMiddleware,
    "hypercorn, modern": lambda app: ProxyFixMiddleware(app, mode="modern"),
}
rewriters = pytest.mark.parametrize("rewrite", TRUSTING.values(), ids=TRUSTING)

HTTPS = (b"x-forwarded-proto", b"https")
CLAIMS: list[tuple[tuple[bytes, bytes], ...]] = [
    (HTTPS,),
    (HTTPS, (b"x-forwarded-for", b"203.0.113.9")),
    (HTTPS, (b"x-forwarded-for", b"203.0.113.9:4711")),
    (HTTPS, (b"x-forwarded-for", b"127.0.0.1")),
    ((b"forwarded", b"proto=https;for=203.0.113.9"),),
]


async def send(rewrite: Callable[[Any], Any], policy: Policy, message: Message, **scope: Any) -> Answer:
    """Send a message through a middleware that rewrites the scope."""
    provider = await make_provider(policy=policy)
    return await call(rewrite(provider.app), message, **{"scheme": "http", "client": LOCAL, **scope})


@rewriters
@pytest.mark.parametrize("claims", CLAIMS, ids=str)
async def test_plain_http_is_not_accepted_as_https(
    rewrite: Callable[[Any], Any], claims: tuple[tuple[bytes, bytes], ...]
) -> None:
    """It is refused if signed as http or as https, and with PLAINTEXT; the answer says how to configure the server."""
    policy = Policy(signature_methods=ALL_SIGNATURE_METHODS)
    for signed_origin in ("http://provider.example", "https://provider.example"):
        message = sign(JANE, "GET", "/echo", headers=claims, signed_origin=signed_origin)
        answer = await send(rewrite, policy, message)
        assert (answer.status, answer.error) == (400, "insecure_transport")
        if rewrite is ProxyHeadersMiddleware and HTTPS in claims:
            assert "external_base_url" in answer.json["error_description"]
            assert "--no-proxy-headers" in answer.json["error_description"]


@pytest.mark.parametrize("name", [name for name in TRUSTING if not name.startswith("hypercorn")])
@pytest.mark.parametrize("port", [b"", b":4711", b": 4711", b":0"])
async def test_a_client_cannot_pose_as_a_trusted_proxy(name: str, port: bytes) -> None:
    """``X-Forwarded-For`` with an address of a trusted network, with or without a port, is not believed.

    hypercorn's middleware is left out, as it rewrites the Host header itself.
    """
    policy = Policy(trusted_proxies=("10.0.0.0/8", "fd00::/8"), require_https=False)
    for address in (b"10.0.0.1", b"[fd00::1]"):
        headers = [(b"x-forwarded-for", address + port), (b"x-forwarded-host", b"other.example"), HTTPS]
        message = sign(JANE, "GET", "/echo", headers=headers, signed_origin="https://other.example")
        assert (await send(TRUSTING[name], policy, message)).status == 401


async def test_a_client_cannot_pose_as_loopback() -> None:
    """Plain http on loopback is only allowed if the peer's address was not rewritten."""
    local = "http://localhost:8000"
    message = sign(JANE, "GET", "/echo", origin=local, headers=[(b"x-forwarded-for", b"127.0.0.1")])
    for rewrite in (TRUSTING["uvicorn, FORWARDED_ALLOW_IPS=*"], TRUSTING["granian, *"], TRUSTING["hypercorn"]):
        for policy in (Policy(), Policy(external_base_url=local)):
            answer = await send(rewrite, policy, message, client=("203.0.113.9", 40_000))
            assert (answer.status, answer.error) == (400, "insecure_transport")
    assert (await send(lambda app: app, Policy(), message)).status == 200


@rewriters
@pytest.mark.parametrize("claims", CLAIMS, ids=str)
async def test_an_external_base_url_is_independent_of_the_headers(
    rewrite: Callable[[Any], Any], claims: tuple[tuple[bytes, bytes], ...]
) -> None:
    """With ``external_base_url`` the headers are not needed, so requests verify behind every server."""
    message = sign(JANE, "GET", "/echo", headers=claims)
    policy = Policy(external_base_url="https://provider.example")
    assert (await send(rewrite, policy, message)).status == 200


@pytest.mark.parametrize("claims", CLAIMS, ids=str)
async def test_a_trusted_proxy_is_believed_if_nothing_rewrites_the_scope(
    claims: tuple[tuple[bytes, bytes], ...],
) -> None:
    """This holds for a proxy on the same machine and on another."""
    message = sign(JANE, "GET", "/echo", headers=claims)
    policy = Policy(trusted_proxies=("127.0.0.1", "10.0.0.0/8"))
    for peer in (LOCAL, ("10.0.0.7", 40_000)):
        assert (await send(lambda app: app, policy, message, client=peer)).status == 200


async def test_tls_at_the_server_is_https() -> None:
    """Forwarding headers from other clients do not change this."""
    message = sign(JANE, "GET", "/echo", headers=[HTTPS, (b"x-forwarded-for", b"10.0.0.1")])
    for policy in (Policy(), Policy(trusted_proxies=("10.0.0.0/8",))):
        answer = await send(lambda app: app, policy, message, client=("203.0.113.9", 40_000), scheme="https")
        assert answer.status == 200


async def test_a_rewritten_peer_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """The warning is logged even if plain http is allowed, but a trusted proxy is not recognised."""
    policy = Policy(require_https=False, trusted_proxies=("10.0.0.0/8",))
    provider = await make_provider(policy=policy)
    headers = [(b"x-forwarded-for", b"10.0.0.1")]
    with caplog.at_level(logging.WARNING, "async_oauth1"):
        for _ in range(3):
            message = sign(JANE, "GET", "/echo", headers=headers, signed_origin="http://provider.example")
            answer = await call(ProxyHeadersMiddleware(provider.app), message, scheme="http", client=LOCAL)
            assert answer.status == 200
    assert [record.getMessage().count("--no-proxy-headers") for record in caplog.records] == [1]


@pytest.mark.parametrize("rewriting", [True, False])
def test_uvicorns_proxy_headers(rewriting: bool) -> None:
    """By default uvicorn's scheme is not believed; with ``--no-proxy-headers`` a trusted proxy's is."""
    command = ["-m", "uvicorn", "--port", "{port}", "--log-level", "warning", APPLICATION]
    policy = {"trusted_proxies": ["127.0.0.0/8"]}
    headers = [HTTPS, (b"x-forwarded-for", b"203.0.113.9")]
    with serving(command if rewriting else [*command, "--no-proxy-headers"], policy) as port:
        message = sign(JANE, "GET", "/starlette/echo", headers=headers)
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
            connection.sendall(request_octets(message))
            answer = RawAnswer(read_all(connection))
    assert answer.status == (400 if rewriting else 200)
    if rewriting:
        assert answer.json["error"] == "insecure_transport"


@pytest.mark.parametrize(("peer", "status"), [("203.0.113.9", 401), ("10.0.0.7", 200)])
async def test_proxyfix_keeps_the_original_peer(peer: str, status: int) -> None:
    """Werkzeug's ProxyFix keeps the values it replaces, so trusted proxies are recognised; the scheme is ProxyFix's."""
    provider = await make_provider()
    app = flask.Flask("application")
    app.config["OAUTH1_TRUSTED_PROXIES"] = ["10.0.0.0/8"]
    protector = ResourceProtector(app, *(getattr(provider.store, f"query_{name}") for name in ("client", "token")))
    protector.init_app(app, exists_nonce=provider.store.exists_nonce)
    app.get("/echo")(protector()(dict))
    app.wsgi_app = ProxyFix(app.wsgi_app)  # type: ignore[method-assign]
    headers = [(b"x-forwarded-for", b"10.0.0.1"), (b"x-forwarded-host", b"other.example"), HTTPS]
    message = sign(JANE, "GET", "/echo", headers=headers, signed_origin="https://other.example")
    answer = app.test_client().get(
        "/echo",
        headers=[(name.decode(), value.decode()) for name, value in message.headers],
        environ_overrides={"REMOTE_ADDR": peer},
    )
    assert answer.status_code == status
