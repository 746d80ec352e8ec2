"""`install`: what happens without it, on mounted applications, for several protectors, and at start-up."""

# FastAPI cannot evaluate annotations that are strings and name local variables.

import asyncio
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, Form, Request, Security
from starlette.middleware import Middleware

from async_oauth1 import Policy, ResourceProtector
from async_oauth1.errors import MissingHookError
from async_oauth1.fastapi import OAuth1, current_credential
from tests.asgi.test_startup import COMPLETE, start
from tests.attacks.provider import CLIENT, JANE
from tests.attacks.signer import Message, sign
from tests.attacks.wire import call, scope_of
from tests.fastapi.installed import Installed, install, make_store, protect

HOST = ((b"host", b"provider.example"),)


def add_form(app: FastAPI, oauth1: OAuth1[Any, Any]) -> None:
    """Add a protected route that reads a form, and one that reads nothing."""

    @app.post("/form", dependencies=[Security(oauth1)])
    async def form(a: Annotated[str, Form()] = "") -> str:
        return a

    @app.get("/", dependencies=[Security(oauth1)])
    async def get() -> str:
        return str(current_credential.user_id)


@pytest.mark.parametrize("dependency", ["itself", "client", "optional"])
async def test_without_install(dependency: str, caplog: pytest.LogCaptureFixture) -> None:
    """Every request is a 500 that names `install`, signed or not, in the answer and in the log."""
    oauth1, app = protect(await make_store()), FastAPI()
    add_form(app, getattr(oauth1, dependency, oauth1))
    for message in (sign(JANE, "GET", "/"), Message(method="GET", target=b"/", headers=HOST),
                    sign(JANE, "POST", "/form", body=b"a=1")):  # fmt: skip
        for _ in range(2):
            caplog.clear()
            answer = await call(app, message)
            assert answer.status == 500
            assert b"install(app)" in answer.body
            assert "install(app)" in caplog.text


async def test_another_protector_is_installed() -> None:
    """Each `OAuth1` object with a protector of its own must be installed."""
    made = await install()
    other = protect(await make_store())
    add_form(made.app, other)
    answer = await call(made.app, sign(JANE, "GET", "/"))
    assert (answer.status, b"install(app)" in answer.body) == (500, True)


async def test_the_middleware_was_removed() -> None:
    """It is noticed at the first request, and at every other one."""
    made = await install()
    add_form(made.app, made.oauth1)
    made.app.user_middleware.clear()
    assert (await call(made.app, sign(JANE, "GET", "/"))).status == 500


class ReadsElsewhere:
    """Middleware behind the recorder that receives bodies otherwise."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Let the application receive an unsigned form."""

        async def forge() -> Any:
            return {"type": "http.request", "body": b"a=forged", "more_body": False}

        await self.app(scope, forge, send)


async def test_a_body_that_was_not_seen() -> None:
    """A form that FastAPI has received past the recorder is a 500, whatever the signature says."""
    made = await install()
    add_form(made.app, made.oauth1)
    made.app.user_middleware.append(Middleware(ReadsElsewhere))
    answer = await call(made.app, sign(JANE, "POST", "/form", body=b"a=1"))
    assert (answer.status, b"install(app)" in answer.body) == (500, True)
    assert not made.nonces


async def test_install_after_the_start() -> None:
    """It is an error, since the middleware would be missing."""
    made = await install()
    await call(made.app, sign(JANE, "GET", "/"))
    other = FastAPI()
    await call(other, sign(JANE, "GET", "/"))
    with pytest.raises(RuntimeError, match="started"):
        made.oauth1.install(other)


async def test_install_twice() -> None:
    """The second call changes nothing."""
    made = await install()
    before = [*made.app.user_middleware]
    made.oauth1.install(made.app)
    assert made.app.user_middleware == before


async def test_several_protectors() -> None:
    """Each has its own store, nonces and limits; a route may demand both."""
    made = await install(Policy(max_form_bytes=10))
    store = await make_store()
    other = protect(store, Policy(max_form_bytes=100), scheme_name="Other")
    other.install(made.app)
    app = made.app

    @app.post("/one", dependencies=[Security(made.oauth1)])
    async def one(a: Annotated[str, Form()]) -> str:
        return a

    @app.post("/other", dependencies=[Security(other)])
    async def another(a: Annotated[str, Form()]) -> str:
        return a

    @app.post("/both", dependencies=[Security(made.oauth1), Security(other), Depends(made.oauth1.client)])
    async def both(a: Annotated[str, Form()]) -> str:
        return a

    long = b"a=" + b"x" * 50
    assert (await call(app, sign(JANE, "POST", "/one", body=long))).status == 413
    assert (await call(app, sign(JANE, "POST", "/other", body=long))).json == "x" * 50
    assert (await call(app, sign(JANE, "POST", "/both", body=b"a=1"))).json == "1"
    assert (made.nonces, store.calls["exists_nonce"]) == (1, 2)
    assert set(app.openapi()["components"]["securitySchemes"]) == {"OAuth1", "Other"}


async def mounted(*, installed: bool) -> tuple[Installed, FastAPI]:
    """An application with another one mounted at ``/sub``, which has a form and a router."""
    made = await install()
    sub = FastAPI()
    add_form(sub, made.oauth1)
    router = APIRouter(prefix="/router")
    router.get("/photos", dependencies=[Security(made.oauth1)])(lambda: "routed")
    sub.include_router(router)
    if installed:
        made.oauth1.install(sub)
    made.app.mount("/sub", sub)
    add_form(made.app, made.oauth1)
    return made, sub


async def test_mounted_applications() -> None:
    """The client signs the whole path; refusals are those of every resource."""
    made, _ = await mounted(installed=True)
    assert (await call(made.app, sign(JANE, "GET", "/sub/"))).json == "jane"
    assert (await call(made.app, sign(JANE, "GET", "/sub/router/photos"))).json == "routed"
    assert (await call(made.app, sign(JANE, "POST", "/sub/form", body=b"a=1"))).json == "1"
    assert made.nonces == 3
    refused = await call(made.app, sign(JANE, "GET", "/sub/", signed_target="/"))
    assert (refused.status, refused.error) == (401, "invalid_signature")
    assert (await call(made.app, sign(JANE, "POST", "/form", body=b"a=1"))).json == "1"


async def test_a_mounted_application_without_install() -> None:
    """It answers 500: the application around it was installed for itself alone."""
    made, _ = await mounted(installed=False)
    answer = await call(made.app, sign(JANE, "GET", "/sub/"))
    assert (answer.status, b"install(app)" in answer.body) == (500, True)
    assert (await call(made.app, sign(JANE, "GET", "/"))).json == "jane"


async def test_a_prefix_of_the_proxy() -> None:
    """It is signed once, also in mounts: whether the proxy removes it, the server adds it, or FastAPI knows it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # newer versions want the server to know it
        apps = FastAPI(), FastAPI(root_path="/api")
    for app in apps:
        made = await install(Policy(external_base_url="https://provider.example/api"), app=app)
        sub = FastAPI()
        add_form(sub, made.oauth1)
        add_form(app, made.oauth1)
        made.oauth1.install(sub)
        app.mount("/sub", sub)
        for path in ("/", "/sub/"):
            if path == "/" or not app.root_path:  # otherwise Starlette finds no mount
                assert (await call(app, sign(JANE, "GET", path, signed_target=f"/api{path}"))).status == 200
            added = sign(JANE, "GET", f"/api{path}")
            assert (await call(app, added, root_path="/api")).status == 200
            wrong = sign(JANE, "GET", f"/api{path}", signed_target=f"/api/api{path}")
            assert (await call(app, wrong, root_path="/api")).status == 401


async def test_missing_hooks_at_start_up() -> None:
    """The start fails with one message for all protectors; hooks that the lifespan registers count."""
    store = await make_store()
    without, partial = ResourceProtector(), ResourceProtector(exists_nonce=store.exists_nonce)
    app = FastAPI()
    OAuth1(without).install(app)
    OAuth1(partial).install(app)
    (said,) = await start(app)
    assert said["type"] == "lifespan.startup.failed"
    assert '"query_client", "query_token", "exists_nonce" hooks' in said["message"]
    assert said["message"].count("query_client") == 2

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        without.register_hooks(store)
        yield

    app = FastAPI(lifespan=lifespan)
    OAuth1(without).install(app)
    assert [event["type"] for event in await start(app)] == COMPLETE


async def test_missing_hooks_of_a_mounted_application() -> None:
    """It sees no start: the first request, and every other one, fails with the names."""
    app, sub, oauth1 = FastAPI(), FastAPI(), OAuth1(ResourceProtector())
    oauth1.install(sub)
    add_form(sub, oauth1)
    app.mount("/sub", sub)
    for _ in range(2):
        with pytest.raises(MissingHookError, match='"query_client", "query_token", "exists_nonce" hooks'):
            await call(app, sign(JANE, "GET", "/sub/"))


async def test_a_client_that_leaves() -> None:
    """Nothing is logged as an error, and nothing is let in."""
    made = await install()

    @made.app.post("/", dependencies=[Security(made.oauth1)])
    async def stream(request: Request) -> None:
        raise AssertionError

    sent: list[Any] = []
    events = iter([{"type": "http.request", "body": b"a", "more_body": True}])

    async def receive() -> Any:
        await asyncio.sleep(0)
        return next(events, {"type": "http.disconnect"})

    async def send(event: Any) -> None:
        sent.append(event)

    await made.app(scope_of(sign(JANE, "POST", "/", body=b"a=1")), receive, send)
    assert sent[0]["status"] == 400
    assert not made.nonces


async def test_body_hash_required() -> None:
    """All three dependencies of the object refuse a body that is neither a form nor hashed."""
    store = await make_store()
    oauth1, app = protect(store, body_hash_required=True), FastAPI()
    oauth1.install(app)

    @app.post("/", dependencies=[Depends(oauth1.client)])
    async def take(request: Request) -> str:
        return (await request.body()).decode()

    wanting = sign(CLIENT, "POST", "/", body=b"x", content_type=b"text/plain")
    assert (await call(app, wanting)).status == 400
    assert (await call(app, sign(CLIENT, "POST", "/", body=b"a=1"))).json == "a=1"
