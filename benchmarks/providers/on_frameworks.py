"""The same routes on other frameworks than Quart: unprotected, and behind the verifier of each library.

``/albums`` needs no signature. ``/photos`` is behind `OAuth1Middleware`, ``/authlib`` and ``/oauthlib`` are behind a
middleware with the verifier of that library, and FastAPI's ``/secured`` has the dependency. Clients and tokens are in
memory, and each verifier remembers its nonces.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from async_oauth1 import ResourceProtector
from async_oauth1.asgi import OAuth1Middleware
from async_oauth1.provider.sync_driver import run_sync
from async_oauth1.stores import MemoryStore
from benchmarks.load.signing import CLIENT_ID, CLIENT_SECRET, WARM_TOKENS, token_of

from .collecting import collect_seldom
from .ours import fill
from .settings import ANSWER

__all__ = ["APPLICATIONS", "bare", "fastapi", "starlette"]

#: Factories in this module, by the names in the table.
APPLICATIONS = {"bare ASGI": "bare", "Starlette": "starlette", "FastAPI": "fastapi"}
#: Verifies method, URI and headers.
Verify = Callable[[str, str, dict[str, str]], bool]

_TOKENS = dict(token_of(number) for number in range(WARM_TOKENS))
_BODY = json.dumps(ANSWER).encode()


def bare() -> Any:
    """No framework."""
    start = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]}

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send(start)
        await send({"type": "http.response.body", "body": _BODY})

    return _verified(app, _protector())


def starlette() -> Any:
    """Starlette."""
    from starlette.applications import Starlette
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    async def answer(_: Any) -> Any:
        return JSONResponse(ANSWER)

    routes = [Route(path, answer) for path in ("/albums", "/photos", "/authlib", "/oauthlib")]
    return _verified(Starlette(routes=routes), _protector())


def fastapi() -> Any:
    """FastAPI, with the dependency, too."""
    from fastapi import FastAPI, Security

    from async_oauth1.fastapi import OAuth1

    app, protector = FastAPI(), _protector()
    oauth1 = OAuth1(protector)
    oauth1.install(app)

    async def answer() -> Any:
        return ANSWER

    for path in ("/albums", "/photos", "/authlib", "/oauthlib"):
        app.add_api_route(path, answer)
    app.add_api_route("/secured", answer, dependencies=[Security(oauth1)])
    return _verified(app, protector)


def _verified(app: Any, protector: ResourceProtector) -> Any:
    """An application behind each middleware, by path; what starts and stops goes nowhere."""
    apps = {
        "/photos": OAuth1Middleware(app, protector, ["/photos"]),
        "/authlib": _Verifying(app, _authlib()),
        "/oauthlib": _Verifying(app, _oauthlib()),
    }

    collect_seldom()

    async def route(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await apps.get(scope["path"], app)(scope, receive, send)

    return route


def _protector() -> ResourceProtector:
    store, protector = MemoryStore(), ResourceProtector()
    protector.register_hooks(store)
    run_sync(fill(store, WARM_TOKENS))  # the server's loop may run already
    return protector


class _Verifying:
    """A middleware as `OAuth1Middleware` is one, with another verifier."""

    def __init__(self, app: Any, verify: Verify) -> None:
        self._app = app
        self._verify = verify

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = {name.decode("latin-1").title(): value.decode("latin-1") for name, value in scope["headers"]}
        uri = f"{scope['scheme']}://{headers['Host']}{scope['raw_path'].decode()}?{scope['query_string'].decode()}"
        if self._verify(scope["method"], uri, headers):
            await self._app(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 401, "headers": []})
        await send({"type": "http.response.body", "body": b""})


def _authlib() -> Verify:
    """Authlib's resource protector over dictionaries."""
    from authlib.oauth1 import ClientMixin, ResourceProtector, TokenCredentialMixin
    from authlib.oauth1.errors import OAuth1Error

    class Known(ClientMixin, TokenCredentialMixin):
        def __init__(self, secret: str) -> None:
            self.secret = secret

        def get_client_secret(self) -> str:
            return self.secret

        def get_oauth_token_secret(self) -> str:
            return self.secret

    clients = {CLIENT_ID: Known(CLIENT_SECRET)}
    tokens = {name: Known(secret) for name, secret in _TOKENS.items()}
    nonces: set[tuple[str, ...]] = set()

    class Protector(ResourceProtector):
        def get_client_by_id(self, client_id: str) -> Known | None:
            return clients.get(client_id)

        def get_token_credential(self, request: Any) -> Known | None:
            return tokens.get(request.token)

        def exists_nonce(self, nonce: str, request: Any) -> bool:
            return _is_known(nonces, (nonce, request.timestamp, request.client_id, request.token))

    protector = Protector()

    def verify(method: str, uri: str, headers: dict[str, str]) -> bool:
        try:
            protector.validate_request(method, uri, None, headers)
        except OAuth1Error:
            return False
        return True

    return verify


def _oauthlib() -> Verify:
    """Oauthlib's resource endpoint over dictionaries."""
    from oauthlib.oauth1 import RequestValidator, ResourceEndpoint

    nonces: set[tuple[str, ...]] = set()

    def use_nonce(_: Any, client_key: str, timestamp: str, nonce: str, *__: Any, access_token: str, **___: Any) -> bool:
        return not _is_known(nonces, (nonce, timestamp, client_key, access_token))

    answers: dict[str, Any] = {
        "enforce_ssl": False,
        "validate_client_key": lambda _, client_key, __: client_key == CLIENT_ID,
        "validate_access_token": lambda _, __, token, ___: token in _TOKENS,
        "validate_realms": lambda *_, **__: True,
        "validate_timestamp_and_nonce": use_nonce,
        "get_client_secret": lambda *_: CLIENT_SECRET,
        "get_access_token_secret": lambda _, __, token, ___: _TOKENS[token],
    }
    validator: Any = type("Validator", (RequestValidator,), answers)()
    endpoint = ResourceEndpoint(validator)

    def verify(method: str, uri: str, headers: dict[str, str]) -> bool:
        return bool(endpoint.validate_protected_resource_request(uri, method, None, headers)[0])

    return verify


def _is_known(nonces: set[tuple[str, ...]], nonce: tuple[str, ...]) -> bool:
    if nonce in nonces:
        return True
    nonces.add(nonce)
    return False
