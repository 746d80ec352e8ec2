"""Servers at module level with several applications: each request is verified with its application's configuration."""

from __future__ import annotations

import gc
import time
from dataclasses import dataclass
from typing import Any

import pytest
from quart import Quart
from quart.testing.app import LifespanError

from async_oauth1 import Client, OAuth1Error, Policy
from async_oauth1.asgi import OAuth1Middleware
from async_oauth1.quart import AuthorizationServer, ResourceProtector
from async_oauth1.signature import SIGNATURE_METHODS, SigningKeys, signature_base_string
from async_oauth1.stores import MemoryStore

CLIENT = Client(client_id="client", client_secret="secret", callbacks=("http://127.0.0.1/ready",))


@dataclass
class Shared:
    """A server and a protector that several applications share."""

    store: MemoryStore
    server: AuthorizationServer
    protector: ResourceProtector

    def app(self, *, middleware: bool = False, **config: Any) -> Quart:
        """Create an application, as an application factory does."""
        app = Quart("factory")
        app.config.update(config)
        self.server.init_app(app)
        self.protector.init_app(app)
        if middleware:
            app.asgi_app = OAuth1Middleware(app.asgi_app, self.protector, prefixes=["/photos"], two_legged=True)  # type: ignore[method-assign]

        @app.get("/photos")
        @self.protector(two_legged=True)
        async def photos() -> dict[str, str]:
            return {}

        @app.post("/initiate")
        async def initiate() -> Any:
            return await self.server.create_temporary_credentials_response()

        @app.get("/raises")
        async def raises() -> Any:
            raise OAuth1Error("no", status_code=401)

        return app


@pytest.fixture
async def shared() -> Shared:
    store = MemoryStore()
    await store.add_client(CLIENT)
    shared = Shared(store, AuthorizationServer(policy=Policy()), ResourceProtector(policy=Policy()))
    shared.server.register_hooks(store)
    shared.protector.register_hooks(store)
    return shared


_nonces = iter(range(10**6))


async def ask(
    app: Quart,
    path: str = "/photos",
    *,
    method: str = "HMAC-SHA1",
    age: int = 0,
    scheme: str = "https",
    post: bool = False,
) -> Any:
    """Send a correctly signed request, and return the answer."""
    parameters = {
        "oauth_consumer_key": CLIENT.client_id,
        "oauth_signature_method": method,
        "oauth_timestamp": str(int(time.time()) - age),
        "oauth_nonce": f"n{next(_nonces)}",
    }
    if post:
        parameters["oauth_callback"] = "http%3A%2F%2F127.0.0.1%2Fready"
    verb = "POST" if post else "GET"
    base_string = signature_base_string(verb, f"{scheme}://photos.example.net{path}", list(parameters.items()))
    signature = SIGNATURE_METHODS[method].sign(base_string, SigningKeys("secret"))
    parameters["oauth_signature"] = signature.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
    header = "OAuth " + ", ".join(f'{name}="{value}"' for name, value in parameters.items())
    client = app.test_client()
    return await client.open(
        path, method=verb, scheme=scheme, headers={"Authorization": header, "Host": "photos.example.net"}
    )


@pytest.mark.parametrize("middleware", [False, True])
@pytest.mark.parametrize("lax_is_last", [False, True])
async def test_plain_http(shared: Shared, *, middleware: bool, lax_is_last: bool) -> None:
    """One application accepts plain http, and the other refuses it."""
    configurations: list[dict[str, Any]] = [{}, {"OAUTH1_REQUIRE_HTTPS": False}]
    apps = [shared.app(middleware=middleware, **config) for config in configurations[:: 1 if lax_is_last else -1]]
    strict, lax = apps if lax_is_last else apps[::-1]
    for _ in range(2):
        assert (await ask(lax, scheme="http")).status_code == 200
        refused = await ask(strict, scheme="http")
        assert refused.status_code == 400
        assert (await refused.get_json())["error"] == "insecure_transport"
        assert (await ask(strict)).status_code == 200


@pytest.mark.parametrize("middleware", [False, True])
async def test_methods_window_and_realm(shared: Shared, *, middleware: bool) -> None:
    """Each application has its signature methods, timestamp window and realm."""
    one = shared.app(middleware=middleware, OAUTH1_SUPPORTED_SIGNATURE_METHODS=["HMAC-SHA256"], OAUTH1_REALM="one")
    other = shared.app(middleware=middleware, OAUTH1_TIMESTAMP_WINDOW=1000, OAUTH1_REALM="other")
    assert (await ask(one, method="HMAC-SHA256")).status_code == 200
    assert (await ask(other)).status_code == 200
    assert (await ask(one)).status_code == 400
    assert (await ask(other, method="HMAC-SHA256")).status_code == 400
    assert (await ask(other, age=900)).status_code == 200
    refused = await ask(one, method="HMAC-SHA256", age=900)
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"] == 'OAuth realm="one"'
    for app, realm in ((one, "one"), (other, "other")):
        path = "/photos" if middleware else "/raises"
        answer = await app.test_client().get(path, scheme="https")
        assert answer.headers["WWW-Authenticate"] == f'OAuth realm="{realm}"'


async def test_tokens(shared: Shared) -> None:
    """Each application has its token length."""
    apps = {length: shared.app(OAUTH1_TOKEN_LENGTH=length) for length in (30, 50)}
    for length, app in apps.items():
        answer = await ask(app, "/initiate", post=True)
        assert answer.status_code == 200, await answer.get_data()
        token = (await answer.get_data(as_text=True)).partition("oauth_token=")[2].partition("&")[0]
        assert len(token) == length


async def test_the_store_keeps_nonces_for_the_longest_window(shared: Shared) -> None:
    """This holds even for a store that is registered after both applications."""
    apps = [shared.app(OAUTH1_TIMESTAMP_WINDOW=2000), shared.app(OAUTH1_TIMESTAMP_WINDOW=10)]
    late = MemoryStore(nonce_lifetime=3000)
    with pytest.raises(ValueError, match="nonces"):
        shared.protector.register_hooks(late)
    assert apps  # a protector forgets applications that nothing refers to


async def test_an_unknown_method_in_the_second_application_is_an_error(shared: Shared) -> None:
    """It is an error although the first application started successfully."""
    async with shared.app().test_app():
        pass
    with pytest.raises(LifespanError, match="HMAC-MD5"):
        async with shared.app(OAUTH1_SUPPORTED_SIGNATURE_METHODS=["HMAC-MD5"]).test_app():
            pass


async def test_an_assigned_policy_applies_to_every_application(shared: Shared) -> None:
    """A policy that is set in code replaces every application's configuration."""
    shared.protector.policy = Policy(require_https=False)
    apps = [shared.app(), shared.app()]
    for app in apps:
        assert (await ask(app, scheme="http")).status_code == 200
    shared.protector.policy = Policy()
    for app in apps:
        assert (await ask(app, scheme="http")).status_code == 400


async def test_applications_are_garbage_collected(shared: Shared) -> None:
    """The shared servers keep no reference to an application."""
    shared.app()
    gc.collect()
    before = len(shared.protector.policies)
    shared.app()
    gc.collect()
    assert len(shared.protector.policies) <= before + 1


@pytest.mark.parametrize("wrapping", ["closure", "dispatcher"])
async def test_middleware_that_cannot_find_the_application(shared: Shared, wrapping: str) -> None:
    """If it verified a request by other rules, the application's views verify it by theirs."""
    strict = shared.app(OAUTH1_SUPPORTED_SIGNATURE_METHODS=["HMAC-SHA256"], OAUTH1_REQUIRE_SIGNED_BODY=True)
    lax = shared.app()
    inner = {app: app.asgi_app for app in (strict, lax)}
    for app in (strict, lax):

        async def closure(scope: Any, receive: Any, send: Any, app: Quart = app) -> None:
            await inner[app](scope, receive, send)

        outer = OAuth1Middleware(closure, shared.protector, prefixes=["/photos"], two_legged=True)
        app.asgi_app = outer if wrapping == "closure" else _Dispatcher(outer)  # type: ignore[method-assign]
    assert (await ask(lax)).status_code == 200
    refused = await ask(strict)
    assert refused.status_code == 400
    assert (await refused.get_json())["error"] == "unsupported_signature_method"


class _Dispatcher:
    """Middleware that keeps the wrapped application under another attribute name."""

    def __init__(self, wrapped: Any) -> None:
        self.wrapped = wrapped

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.wrapped(scope, receive, send)


async def test_middleware_that_wraps_itself(shared: Shared) -> None:
    """The search for the application ends."""
    wrapper = _Dispatcher(None)
    wrapper.app = wrapper  # type: ignore[attr-defined]
    assert OAuth1Middleware(wrapper, shared.protector, prefixes=["/photos"]).app is wrapper
