"""The dependency, `client` and `optional`: what they accept, share, and give to the endpoint."""

# FastAPI cannot evaluate annotations that are strings and name local variables.

import asyncio
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, BackgroundTasks, Depends, FastAPI, Request, Security
from fastapi.responses import StreamingResponse
from fastapi.security.base import SecurityBase

from async_oauth1 import Client, ResourceProtector, TokenCredential
from async_oauth1.asgi import OAuth1Middleware
from async_oauth1.fastapi import OAuth1, current_client, current_credential, current_oauth1_request
from tests.attacks.provider import CLIENT, JANE, OTHER
from tests.attacks.signer import Message, sign
from tests.attacks.wire import call
from tests.fastapi.installed import Installed, install, make_store, protect


@pytest.fixture
async def installed() -> Installed:
    """An application with one route for each dependency."""
    made = await install()
    app, oauth1, _ = made

    @app.get("/photos")
    async def photos(credential: Annotated[TokenCredential, Security(oauth1, scopes=["photos.read"])]) -> Any:
        return {"user": credential.user_id}

    @app.get("/albums")
    async def albums(credential: Annotated[TokenCredential, Security(oauth1, scopes=["photos.read", "albums"])]) -> Any:
        return {"user": credential.user_id}

    @app.get("/signed")
    async def signed(client: Annotated[Client, Depends(oauth1.client)]) -> Any:
        return {"client": client.client_id, "token": current_credential.oauth_token if current_credential else None}

    @app.get("/maybe")
    async def maybe(credential: Annotated[TokenCredential | None, Security(oauth1.optional)]) -> Any:
        return {"user": credential and credential.user_id}

    return made


async def test_a_credential(installed: Installed) -> None:
    """The endpoint gets it once; unsigned, forged and replayed requests are refused before it runs."""
    message = sign(JANE, "GET", "/photos?a=1&a=2")
    answer = await call(installed.app, message)
    assert (answer.status, answer.json) == (200, {"user": "jane"})
    refused = [
        message,
        message.without(b"authorization"),
        sign(JANE, "GET", "/photos", signature=b"x"),
        sign(JANE, "GET", "/photos?a=1", signed_target="/photos?a=2"),
        sign(OTHER, "GET", "/photos"),
    ]
    assert [(await call(installed.app, wrong)).status for wrong in refused] == [401, 401, 401, 401, 400]


async def test_scopes(installed: Installed) -> None:
    """The token must cover every scope that `Security` names; otherwise the answer is 403."""
    answer = await call(installed.app, sign(JANE, "GET", "/albums"))
    assert (answer.status, answer.error) == (403, "insufficient_scope")


async def test_a_client_without_a_token(installed: Installed) -> None:
    """`client` accepts a two-legged request, and one with a token, which must be valid."""
    assert (await call(installed.app, sign(CLIENT, "GET", "/signed"))).json == {"client": "client", "token": None}
    assert (await call(installed.app, sign(JANE, "GET", "/signed"))).json == {"client": "client", "token": "tok"}
    stolen = sign(JANE, "GET", "/signed", oauth={"token": "none"})
    assert (await call(installed.app, stolen)).status == 401
    assert (await call(installed.app, sign(CLIENT, "GET", "/photos"))).error == "missing_required_parameter"


UNSIGNED = Message(method="GET", target=b"/maybe", headers=((b"host", b"provider.example"),))


async def test_an_optional_credential(installed: Installed) -> None:
    """It is None without OAuth 1.0; what carries OAuth 1.0 must hold."""
    assert (await call(installed.app, UNSIGNED)).json == {"user": None}
    assert (await call(installed.app, UNSIGNED.adding((b"authorization", b"Bearer x")))).json == {"user": None}
    assert (await call(installed.app, sign(JANE, "GET", "/maybe"))).json == {"user": "jane"}
    assert (await call(installed.app, sign(JANE, "GET", "/maybe", signature=b"x"))).status == 401
    assert (await call(installed.app, sign(CLIENT, "GET", "/maybe"))).status == 400
    assert (await call(installed.app, UNSIGNED.adding((b"authorization", b"OAuth realm=x")))).status in (400, 401)


async def test_unsigned_optional_requests_are_no_refusals(
    installed: Installed, caplog: pytest.LogCaptureFixture
) -> None:
    """The log has one line for a refused request, and none for an unsigned one that passes."""
    with caplog.at_level("INFO", "async_oauth1"):
        await call(installed.app, UNSIGNED)
        assert not caplog.records
        await call(installed.app, sign(JANE, "GET", "/maybe", signature=b"x"))
    assert len(caplog.records) == 1


def test_dependencies_are_security_schemes_and_stay_the_same() -> None:
    """Each access gives the same object, so that overrides find it."""
    oauth1 = OAuth1(ResourceProtector())
    for dependency in (oauth1, oauth1.client, oauth1.optional):
        assert isinstance(dependency, SecurityBase)
    assert oauth1.client is oauth1.client
    assert oauth1.optional is oauth1.optional
    assert len({oauth1, oauth1.client, oauth1.optional}) == 3


async def test_one_verification_for_many_dependencies() -> None:
    """FastAPI calls a dependency once for each set of scopes: the nonce is used once, and each scope is checked."""
    made = await install()
    app, oauth1, _ = made

    def helper(credential: Annotated[TokenCredential, Security(oauth1, scopes=["photos.read"])]) -> str:
        return str(credential.user_id)

    @app.get("/", dependencies=[Security(oauth1)])
    async def many(
        user: Annotated[str, Depends(helper)],
        first: Annotated[TokenCredential, Security(oauth1, scopes=["photos.read"])],
        client: Annotated[Client, Depends(oauth1.client)],
        maybe: Annotated[TokenCredential | None, Security(oauth1.optional)],
    ) -> Any:
        return [user, first.user_id, client.client_id, maybe and maybe.user_id]

    @app.get("/more", dependencies=[Depends(oauth1.client), Security(oauth1, scopes=["albums"])])
    async def more() -> None:
        raise AssertionError

    @app.get("/token", dependencies=[Depends(oauth1.client), Security(oauth1)])
    async def token() -> None:
        raise AssertionError

    assert (await call(app, sign(JANE, "GET", "/"))).json == ["jane", "jane", "client", "jane"]
    assert made.nonces == 1
    assert (await call(app, sign(JANE, "GET", "/more"))).status == 403
    assert (await call(app, sign(CLIENT, "GET", "/token"))).status == 400
    assert made.nonces == 3


async def test_with_the_middleware_in_front() -> None:
    """`OAuth1Middleware` and the dependencies of the same protector use one nonce."""
    made = await install()

    @made.app.get("/photos")
    async def photos(credential: Annotated[TokenCredential, Security(made.oauth1, scopes=["photos.read"])]) -> Any:
        return credential.user_id

    guarded = OAuth1Middleware(made.app, made.oauth1.protector, ["/photos"])
    assert (await call(guarded, sign(JANE, "GET", "/photos"))).json == "jane"
    assert made.nonces == 1
    assert (await call(guarded, sign(JANE, "GET", "/photos", signature=b"x"))).status == 401


async def test_dependencies_of_applications_and_routers() -> None:
    """`FastAPI(dependencies=...)` and routers' dependencies protect every route below them."""
    store = await make_store()
    oauth1 = protect(store)
    app = FastAPI(dependencies=[Security(oauth1)])
    router = APIRouter(prefix="/router", dependencies=[Security(oauth1, scopes=["albums"])])

    @app.get("/")
    def root() -> str:
        return str(current_credential.user_id)

    @router.get("/albums")
    def albums() -> None:
        raise AssertionError

    app.include_router(router)
    oauth1.install(app)
    assert (await call(app, sign(JANE, "GET", "/"))).json == "jane"
    assert (await call(app, sign(JANE, "GET", "/").without(b"authorization"))).status == 401
    assert (await call(app, sign(JANE, "GET", "/router/albums"))).status == 403
    assert store.calls["exists_nonce"] == 2


async def test_overrides(installed: Installed) -> None:
    """Each of the three is overridden for itself, as any dependency, and nothing is verified then."""
    app, oauth1, _ = installed
    unsigned = [Message(method="GET", target=target, headers=UNSIGNED.headers)
                for target in (b"/photos", b"/signed", b"/maybe")]  # fmt: skip
    someone = TokenCredential(client_id="c", oauth_token="t", oauth_token_secret="s", user_id="override")
    app.dependency_overrides[oauth1] = lambda: someone
    assert [(await call(app, message)).status for message in unsigned] == [200, 401, 200]
    assert (await call(app, unsigned[0])).json == {"user": "override"}
    app.dependency_overrides[oauth1.client] = lambda: Client(client_id="override", client_secret="s")
    app.dependency_overrides[oauth1.optional] = lambda: someone
    assert (await call(app, unsigned[1])).json == {"client": "override", "token": None}
    assert (await call(app, unsigned[2])).json == {"user": "override"}
    app.dependency_overrides.clear()
    assert [(await call(app, message)).status for message in unsigned] == [401, 401, 200]


async def test_current_objects_everywhere() -> None:
    """They work in endpoints in threads, in helpers, while a response streams, and in background tasks; not later."""
    made = await install(app=FastAPI())
    app, oauth1, _ = made
    seen: list[str] = []

    def note() -> None:
        seen.append(f"{current_credential.user_id} {current_client.client_id} {current_oauth1_request.method}")

    def helper() -> None:
        note()

    async def pieces() -> Any:
        note()
        yield b"streamed"

    @app.get("/thread", dependencies=[Security(oauth1), Depends(helper)])
    def in_a_thread(tasks: BackgroundTasks) -> StreamingResponse:
        note()
        tasks.add_task(note)
        return StreamingResponse(pieces())

    @app.get("/open")
    async def unprotected(request: Request) -> bool:
        return bool(current_credential)

    answer = await call(app, sign(JANE, "GET", "/thread"))
    assert (answer.status, answer.body) == (200, b"streamed")
    assert seen == ["jane client GET"] * 4
    assert not current_credential
    assert (await call(app, sign(JANE, "GET", "/open"))).json is False
    assert oauth1.protector.current_credential is current_credential
    assert oauth1.protector.current_client is current_client


async def test_requests_at_once() -> None:
    """Each request sees its own credential."""
    made = await install()

    @made.app.get("/", dependencies=[Depends(made.oauth1.client)])
    async def who() -> str:
        before = current_client.client_id
        await asyncio.sleep(0)
        assert current_client.client_id == before
        return before

    keys = [CLIENT, OTHER] * 20
    answers = await asyncio.gather(*(call(made.app, sign(key, "GET", "/")) for key in keys))
    assert [answer.json for answer in answers] == [key.client_id for key in keys]


async def test_every_method_of_a_protected_route() -> None:
    """HEAD and OPTIONS want a signature of their own; without such a route FastAPI's 405 stays."""
    made = await install()
    made.app.add_api_route(
        "/all", lambda: "ok", methods=["GET", "HEAD", "OPTIONS"], dependencies=[Security(made.oauth1)]
    )
    made.app.add_api_route("/get", lambda: "ok", methods=["GET"], dependencies=[Security(made.oauth1)])
    for method in ("GET", "HEAD", "OPTIONS"):
        assert (await call(made.app, sign(JANE, method, "/all"))).status == 200
        assert (await call(made.app, sign(JANE, method, "/all").without(b"authorization"))).status == 401
    assert (await call(made.app, sign(JANE, "HEAD", "/all", signed_method="GET"))).status == 401
    for method in ("HEAD", "OPTIONS"):
        assert (await call(made.app, sign(JANE, method, "/get"))).status == 405
