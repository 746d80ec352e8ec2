"""Where hooks run: no blocking hook on Quart's loop, one thread for a whole flow, and any kind of awaitable."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import aiocache
import flask
import pytest
import quart

from flask_compat import (
    AuthorizationServer,
    ResourceProtector,
    current_credential,
    register_temporary_credential_hooks,
)
from tests.servers.processes import PATIENCE

from .client import Client, fetch
from .ported import Client as ClientModel
from .ported import Token, Variant, made_async, make_provider

TOKEN = Token("client", "t", "s", "7")
QUART_VARIANTS = [Variant("quart", async_views, False) for async_views in (False, True)]


def signed_client(app: Any) -> Client:
    return Client(app, token="t", token_secret="s")


@pytest.mark.parametrize("variant", QUART_VARIANTS, ids=str)
async def test_blocking_hooks_run_concurrently_and_keep_the_loop_free(variant: Variant) -> None:
    """The hooks of forty requests block at the same time, and the loop answers another request meanwhile."""
    ported = make_provider(variant)
    ported.database.tokens["t"] = TOKEN
    blocked: list[str] = []
    go_on = threading.Event()

    def block(hook: str) -> None:
        blocked.append(hook)
        assert go_on.wait(PATIENCE)

    ported.database._called = block  # type: ignore[method-assign]  # called by each hook

    @ported.app.get("/ping")
    async def ping() -> str:
        return "pong"

    # Plain views run in asyncio's default threads, and there are few; docs/porting-from-flask.md says how to add more.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(40))
    client = signed_client(ported.app)
    requests = [asyncio.create_task(client.send("GET", "/photos")) for _ in range(40)]
    async with asyncio.timeout(PATIENCE):
        while len(blocked) < 40:
            await asyncio.sleep(0.01)
    assert (await fetch(ported.app, "GET", "/ping")).body == "pong"
    assert blocked == ["query_client"] * 40
    go_on.set()
    assert {answer.status for answer in await asyncio.gather(*requests)} == {200}


async def test_all_hooks_of_a_flow_run_in_one_worker_thread() -> None:
    """A thread-scoped ORM session is the same one in every hook."""
    ported = make_provider(Variant("quart", True, False))
    threads: list[list[int]] = [[]]

    def noting(func: Callable[..., Any]) -> Callable[..., Any]:
        def hook(*args: Any) -> Any:
            threads[-1].append(threading.get_ident())
            return func(*args)

        return hook

    for name, func in ported.server._hooks.items():
        ported.server.register_hook(name, noting(func))
    ported.server.query_client = noting(ported.server.query_client)
    client = Client(ported.app)
    for number in range(3):
        threads.append([])
        assert (await client.send("POST", "/initiate", callback=f"https://client.test/{number}")).status == 200
        assert len(threads[-1]) >= 3
        assert len(set(threads[-1])) == 1
        assert threads[-1][0] != threading.get_ident()


async def test_no_thread_is_used_if_every_hook_is_async(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain model methods that only read attributes need none either."""
    ported = make_provider(Variant("quart", True, True))
    ported.database.tokens["t"] = TOKEN
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "run_in_executor", lambda *_: pytest.fail("a thread was asked for"))
    assert (await signed_client(ported.app).send("GET", "/photos")).status == 200
    await Client(ported.app).dance()
    register_temporary_credential_hooks(ported.server, aiocache.SimpleMemoryCache())
    ported.server.register_hook("create_token_credential", create_token_credential)
    await Client(ported.app).dance()


async def create_token_credential(token: dict[str, str], temporary: Any) -> Token:
    return Token(temporary.get_client_id(), token["oauth_token"], token["oauth_token_secret"], temporary.get_user_id())


async def test_a_blocking_token_generator_runs_in_a_thread() -> None:
    """This also holds if the hooks, or the other generator, are async."""
    threads: list[int] = []

    def blocking() -> str:
        threads.append(threading.get_ident())
        return f"token-{len(threads)}"

    async def beside() -> str:
        return "secret"

    for secret in (None, beside):
        config = {"OAUTH1_TOKEN_GENERATOR": blocking, "OAUTH1_TOKEN_SECRET_GENERATOR": secret}
        await Client(make_provider(Variant("quart", True, True), config=config).app).dance()
    assert len(threads) == 4
    assert threading.get_ident() not in threads


async def test_a_blocking_model_method_runs_in_a_thread() -> None:
    """This also holds if every hook is async."""
    ported = make_provider(Variant("quart", True, True))
    ported.database.tokens["t"] = TOKEN
    seen: list[int] = []

    class Slow(ClientModel):
        def get_client_secret(self) -> str:
            seen.append(threading.get_ident())
            return "secret"

    ported.database.clients["client"] = Slow("client", None)
    assert (await signed_client(ported.app).send("GET", "/photos")).status == 200
    assert seen
    assert threading.get_ident() not in seen


class Callables:
    """An async hook in every form."""

    def __init__(self, value: Any) -> None:
        self.value = value

    async def method(self, *_: Any) -> Any:
        await asyncio.sleep(0)
        return self.value

    async def __call__(self, *_: Any) -> Any:
        return await self.method()

    def future(self, *_: Any) -> Any:
        return asyncio.ensure_future(self.method())

    def coroutine(self, *_: Any) -> Any:
        return self.method()

    def plain(self, *_: Any) -> Any:
        return self.value

    @classmethod
    async def for_partial(cls, value: Any, *_: Any) -> Any:
        return value


SHAPES: dict[str, Callable[[Callables], Callable[..., Any]]] = {
    "method": lambda made: made.method,
    "object": lambda made: made,
    "future": lambda made: made.future,
    "coroutine from a plain function": lambda made: made.coroutine,
    "partial": lambda made: functools.partial(made.for_partial, made.value),
    "partial of an object": lambda made: functools.partial(made, 1),
    "lambda": lambda made: lambda *args: made.method(*args) or None,
    "plain": lambda made: made.plain,
}


@pytest.mark.parametrize("is_async_view", [False, True], ids=["plain view", "async view"])
@pytest.mark.parametrize("framework", [flask.Flask, quart.Quart])
@pytest.mark.parametrize("other", ["plain", "method"])
@pytest.mark.parametrize("shape", SHAPES)
async def test_hooks_can_return_any_awaitable(shape: str, other: str, framework: type, is_async_view: bool) -> None:
    """An awaitable is awaited before its truth is tested, beside plain and async hooks."""
    app = framework(__name__)
    make = SHAPES[shape]
    require_oauth = ResourceProtector(
        app,
        query_client=make(Callables(ClientModel("client", "secret"))),
        query_token=SHAPES[other](Callables(TOKEN)),
        exists_nonce=make(Callables(False)),
    )

    def view() -> dict[str, Any]:
        return {"user": current_credential.user_id}

    app.get("/photos", endpoint="photos")(require_oauth()(made_async(view) if is_async_view else view))
    client = signed_client(app)
    assert (await client.send("GET", "/photos")).json == {"user": "7"}
    require_oauth.init_app(app, exists_nonce=make(Callables(True)))
    assert (await client.send("GET", "/photos")).json == {"error": "invalid_nonce"}
    require_oauth.init_app(app, exists_nonce=make(Callables(False)), query_client=make(Callables(None)))
    assert (await client.send("GET", "/photos")).json == {"error": "invalid_client"}


async def test_a_plain_flask_view_gets_the_result_under_a_running_loop() -> None:
    """pytest-asyncio and notebooks run a loop in the thread that calls the application."""
    for async_hooks in (False, True):
        ported = make_provider(Variant("flask", False, async_hooks))
        ported.database.tokens["t"] = TOKEN
        client = Client(ported.app, token="t", token_secret="s")
        parameters = client.sign("GET", "/photos", client.parameters())
        header = "OAuth " + ",".join(f'{name}="{value}"' for name, value in parameters.items()).replace('="=', '="')
        answer = ported.app.test_client().get("/photos", headers={"Authorization": header.replace("/", "%2F")})
        assert answer.get_json() in ({"user": "7"}, {"error": "invalid_signature"}), answer.get_data()
        assert answer.get_json() == {"user": "7"}


@pytest.mark.parametrize("framework", [flask.Flask, quart.Quart])
async def test_hooks_see_the_contexts_of_the_request(framework: type) -> None:
    """The request, the application and ``g`` are available in every thread and on the loop."""
    app = framework(__name__)
    module: Any = flask if framework is flask.Flask else quart

    def query_client(client_id: str) -> Any:
        assert module.request.path == "/photos"
        assert module.current_app.name == app.name
        module.g.seen = client_id
        return ClientModel("client", "secret")

    async def query_token(client_id: str, oauth_token: str) -> Any:
        assert module.g.seen == client_id
        assert module.request.path == "/photos"
        module.g.token = oauth_token
        return TOKEN

    require_oauth = ResourceProtector(app, query_client, query_token, lambda *_: False)

    @app.get("/photos")
    @require_oauth()
    def photos() -> Any:
        return {"seen": module.g.seen, "token": module.g.token}

    assert (await signed_client(app).send("GET", "/photos")).json == {"seen": "client", "token": "t"}


class Override(AuthorizationServer):
    """Plain overrides that call what they override, as they do with Authlib."""

    def get_client_by_id(self, client_id: str) -> Any:
        client = super().get_client_by_id(client_id)
        assert client is None or isinstance(client, ClientModel)
        return client

    def validate_token_request(self, request: Any) -> Any:
        assert super().validate_token_request(request) is request
        assert request.credential.get_client_id
        return request

    def create_token_credential(self, request: Any) -> Any:
        credential = super().create_token_credential(request)
        assert isinstance(credential, Token)
        return credential

    def handle_response(self, status_code: int, payload: Any, headers: Any) -> Any:
        response = super().handle_response(status_code, payload, headers)
        response.headers["X-Override"] = "1"
        return response


class AsyncOverride(AuthorizationServer):
    """The same, async."""

    async def get_client_by_id(self, client_id: str) -> Any:
        client = await super().get_client_by_id(client_id)
        assert client is None or isinstance(client, ClientModel)
        return client

    async def validate_token_request(self, request: Any) -> Any:
        assert await super().validate_token_request(request) is request
        return request

    async def create_token_credential(self, request: Any) -> Any:
        credential = await super().create_token_credential(request)
        assert isinstance(credential, Token)
        return credential

    async def handle_response(self, status_code: int, payload: Any, headers: Any) -> Any:
        response = await super().handle_response(status_code, payload, headers)
        response.headers["X-Override"] = "1"
        return response


@pytest.mark.parametrize("server_class", [Override, AsyncOverride])
@pytest.mark.parametrize("async_hooks", [False, True])
@pytest.mark.parametrize("async_views", [False, True])
@pytest.mark.parametrize("framework", ["flask", "quart"])
async def test_overrides_can_call_super(
    framework: str, async_views: bool, async_hooks: bool, server_class: type
) -> None:
    """Plain ones get the result, async ones await it; forty concurrent requests do not deadlock."""
    ported = make_provider(Variant(framework, async_views, async_hooks), server_class=server_class, seconds=0.001)
    answers = await asyncio.gather(*(Client(ported.app).dance() for _ in range(40 if framework == "quart" else 4)))
    assert {answer.headers["X-Override"] for answer in answers} == {"1"}


class Checking(ResourceProtector):
    """Does more than to acquire the credential."""

    def acquire_credential(self) -> Any:
        credential = super().acquire_credential()
        assert credential.user_id == "7"
        assert current_credential == credential
        return credential


class AsyncChecking(ResourceProtector):
    """The same, async."""

    async def acquire_credential(self) -> Any:
        credential = await super().acquire_credential()
        assert credential.user_id == "7"
        assert current_credential == credential
        return credential


@pytest.mark.parametrize("protector_class", [Checking, AsyncChecking])
@pytest.mark.parametrize("async_hooks", [False, True])
@pytest.mark.parametrize("async_views", [False, True])
@pytest.mark.parametrize("framework", ["flask", "quart"])
async def test_acquire_credential_can_be_overridden(
    framework: str, async_views: bool, async_hooks: bool, protector_class: type
) -> None:
    """A plain override gets the credential itself in any view."""
    ported = make_provider(Variant(framework, async_views, async_hooks), protector_class=protector_class)
    ported.database.tokens["t"] = TOKEN
    client = signed_client(ported.app)
    assert (await client.send("GET", "/photos")).json == {"user": "7"}
    assert (await client.send("POST", "/photos", form="a=1")).json == {"user": "7"}
    assert (await fetch(ported.app, "GET", "/photos")).json["error"] == "missing_required_parameter"


async def test_a_disconnect_does_not_interrupt_an_exchange() -> None:
    """Quart cancels the handler; deleting the credential and creating the token still both happen."""
    ported = make_provider(Variant("quart", True, True))
    client = Client(ported.app)
    initiated = await client.send("POST", "/initiate", callback="https://client.test/ready")
    client.token, client.token_secret = initiated.form["oauth_token"], initiated.form["oauth_token_secret"]
    verifier = (await client.approve()).location["oauth_verifier"]
    creating, go_on = asyncio.Event(), asyncio.Event()

    async def create_token_credential(token: dict[str, str], temporary: Any) -> Any:
        creating.set()
        await go_on.wait()
        return ported.database.create_token_credential(token, temporary)

    ported.server.register_hook("create_token_credential", create_token_credential)
    request = asyncio.create_task(client.send("POST", "/token", verifier=verifier))
    await creating.wait()
    request.cancel()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await request
    while ported.database.temporary:
        await asyncio.sleep(0)
    assert len(ported.database.tokens) == 1
