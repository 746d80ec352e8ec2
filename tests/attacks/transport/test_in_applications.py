"""The servers inside Quart: every method, every kind of view, and several servers without shared state."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from quart import Blueprint, Quart, request
from quart.views import MethodView

from async_oauth1 import Client, OAuth1Error, Policy
from async_oauth1.asgi import Verified
from async_oauth1.errors import MissingHookError
from async_oauth1.quart import (
    AuthorizationServer,
    ResourceProtector,
    current_client,
    current_credential,
    current_oauth1_request,
)
from async_oauth1.stores import MemoryStore
from tests.attacks.provider import CLIENT, EVERY_METHOD, JANE, Provider, add_credentials, make_provider
from tests.attacks.signer import Keys, Message, sign
from tests.attacks.wire import call

HOST = (b"host", b"provider.example")


async def nothing() -> dict[str, Any]:
    """A view that returns nothing."""
    return {}


def protected_app(provider: Provider, **how: Any) -> tuple[Quart, ResourceProtector]:
    """A separate application that uses the provider's store."""
    app = Quart("application")
    protector = ResourceProtector(app, **how)
    protector.register_hooks(provider.store)
    return app, protector


@pytest.mark.parametrize("method", EVERY_METHOD)
async def test_every_method_of_a_protected_route_needs_a_signature(provider: Provider, method: str) -> None:
    """HEAD and OPTIONS need one, too, and the signature of one method does not verify for another."""
    for target in (b"/echo", b"/signed"):
        answer = await provider.send(Message(method=method, target=target, headers=(HOST,)))
        assert (answer.status, answer.header("content-type")) == (401, "application/json")
    other = "POST" if method == "GET" else "GET"
    assert (await provider.get(method=method, signed_method=other)).status == 401
    assert provider.seen == []
    assert (await provider.get(method=method)).status == 200


async def test_only_a_view_that_declares_options_wants_a_signature_for_it(provider: Provider) -> None:
    """Quart answers OPTIONS itself otherwise, without calling the view: the methods of a route are no secret."""
    app, protector = protected_app(provider)
    app.get("/plain")(lambda: "open")
    app.add_url_rule("/photos", "photos", protector(nothing))
    app.add_url_rule("/both", "both", protector(nothing), methods=["GET", "OPTIONS"])
    for target, status in [(b"/photos", 200), (b"/plain", 200), (b"/none", 404), (b"/both", 401)]:
        answer = await call(app, Message(method="OPTIONS", target=target, headers=(HOST,)))
        assert answer.status == status
    signed = sign(JANE, "OPTIONS", "/both")
    assert (await call(app, signed)).json == {}
    assert (await call(app, signed)).error == "invalid_nonce"


async def test_plain_and_async_views_class_views_and_blueprints(provider: Provider) -> None:
    """Each kind is protected, has the current client and credential, and gets its arguments."""
    app, protector = protected_app(provider)
    blueprint = Blueprint("photos", "photos", url_prefix="/albums")

    @blueprint.get("/<int:number>")
    @protector
    async def album(number: int) -> dict[str, Any]:
        return {"number": number, "user": current_credential.user_id}

    @blueprint.get("/plain/<int:number>")
    @protector()
    def plain(number: int) -> dict[str, Any]:
        return {"number": number, "user": current_credential.get_user_id()}

    class Album(MethodView):
        decorators = (protector("photos.read"),)

        async def get(self) -> dict[str, Any]:
            return {"client": current_client.client_id, "method": request.method}

        def delete(self) -> dict[str, Any]:
            return {"client": current_client.client_id, "method": request.method}

    app.add_url_rule("/album", view_func=Album.as_view("class"))
    app.register_blueprint(blueprint)
    assert (await call(app, sign(JANE, "GET", "/albums/7"))).json == {"number": 7, "user": "jane"}
    assert (await call(app, sign(JANE, "GET", "/albums/plain/7"))).json == {"number": 7, "user": "jane"}
    for method in ("GET", "DELETE"):
        assert (await call(app, sign(JANE, method, "/album"))).json == {"client": "client", "method": method}
    for target in (b"/albums/7", b"/albums/plain/7", b"/album"):
        for method in ("GET", "HEAD"):
            answer = await call(app, Message(method=method, target=target, headers=(HOST,)))
            assert (answer.status, answer.error if method != "HEAD" else "unsigned_request") == (
                401,
                "unsigned_request",
            )


async def test_a_whole_blueprint_can_be_protected_by_acquire_credential(provider: Provider) -> None:
    """A view or a ``before_request`` may call it; if it does not catch the error, the answer is an OAuth error."""
    app, protector = protected_app(provider)
    blueprint = Blueprint("guarded", "guarded", url_prefix="/guarded")

    @blueprint.before_request
    async def guard() -> Any:
        try:
            await protector.acquire_credential()
        except OAuth1Error as error:
            return protector.error_response(error)
        return None

    @blueprint.get("/")
    async def inside() -> dict[str, Any]:
        return {"user": current_credential.user_id}

    app.register_blueprint(blueprint)
    assert (await call(app, sign(JANE, "GET", "/guarded/"))).json == {"user": "jane"}
    answer = await call(app, Message(method="GET", target=b"/guarded/", headers=(HOST,)))
    assert (answer.status, answer.error) == (401, "unsigned_request")


async def test_scopes_are_checked_against_the_credential(provider: Provider) -> None:
    """A token without the scope is answered with 403, and so is a two-legged request, which has no token."""
    app, protector = protected_app(provider)
    app.add_url_rule("/read", "read", protector("photos.read")(nothing))
    app.add_url_rule("/write", "write", protector("photos.write")(nothing))
    app.add_url_rule("/all", "all", protector("photos.read photos.write")(nothing))
    assert (await call(app, sign(JANE, "GET", "/read"))).status == 200
    for target in ("/write", "/all"):
        answer = await call(app, sign(JANE, "GET", target))
        assert (answer.status, answer.error) == (403, "insufficient_scope")
    answer = await call(app, sign(CLIENT, "GET", "/read"))
    assert (answer.status, answer.error) == (400, "missing_required_parameter")


async def test_concurrent_requests_keep_their_own_credential() -> None:
    """Of fifty requests that are in their views at the same time, each view sees its user's credential."""
    store = MemoryStore()
    await add_credentials(store)
    provider = await make_provider(store)
    people = 50
    temporary = await provider.pending((await provider.temporary()).token)
    assert temporary is not None
    for number in range(people):
        token = {"oauth_token": f"t{number}", "oauth_token_secret": f"s{number}"}
        await store.create_token_credential(token, replace(temporary, user_id=f"user{number}"))
    app, protector = protected_app(provider)
    together = asyncio.Barrier(people)

    @app.get("/me")
    @protector
    async def me() -> list[str]:
        before = current_credential.user_id
        await together.wait()
        return [before, current_credential.user_id, current_oauth1_request.token, current_client.client_id]

    keys = [replace(CLIENT, token=f"t{number}", token_secret=f"s{number}") for number in range(people)]
    answers = await asyncio.gather(*(call(app, sign(each, "GET", "/me")) for each in keys))
    for number, answer in enumerate(answers):
        assert answer.json == [f"user{number}", f"user{number}", f"t{number}", "client"]


async def test_outside_a_protected_view_no_credential_is_current(provider: Provider) -> None:
    """The proxies are unset without a request, in an open route, and after a failed verification."""
    app, protector = protected_app(provider)
    seen: list[bool] = []

    @app.after_request
    async def look(response: Any) -> Any:
        seen.append(bool(current_credential) or bool(current_client) or bool(current_oauth1_request))
        return response

    @app.get("/open")
    async def open_to_all() -> dict[str, Any]:
        return {"user": bool(current_credential)}

    app.add_url_rule("/photos", "photos", protector(nothing))
    assert not current_credential
    assert (await call(app, sign(JANE, "GET", "/open"))).json == {"user": False}
    assert (await call(app, sign(JANE, "GET", "/photos", signature=b"x"))).status == 401
    assert (await call(app, sign(JANE, "GET", "/photos"))).status == 200
    assert seen == [False, False, True]
    assert not current_credential


async def test_several_servers_in_one_application_share_nothing() -> None:
    """Two providers with different clients, methods, realms and stores work side by side."""
    app = Quart("two")
    stores = {}
    for name, methods in [("one", ("HMAC-SHA1",)), ("two", ("HMAC-SHA256",))]:
        store = stores[name] = MemoryStore()
        await store.add_client(Client(client_id=name, client_secret="s", callbacks=("oob",)))
        policy = Policy(signature_methods=methods, realm=name)
        server, protector = AuthorizationServer(app, policy=policy), ResourceProtector(app, policy=policy)
        server.register_hooks(store)
        protector.register_hooks(store)

        async def initiate(server: AuthorizationServer = server) -> Any:
            return await server.create_temporary_credentials_response()

        app.add_url_rule(f"/{name}/initiate", f"{name}-initiate", initiate, methods=["POST"])
        app.add_url_rule(f"/{name}/signed", f"{name}-signed", protector(two_legged=True)(nothing), methods=["GET"])
    first = Keys(client_id="one", client_secret="s")
    second = Keys(client_id="two", client_secret="s", method="HMAC-SHA256")
    assert (await call(app, sign(first, "GET", "/one/signed"))).status == 200
    assert (await call(app, sign(second, "GET", "/two/signed"))).status == 200
    assert (await call(app, sign(first, "GET", "/two/signed"))).status == 400
    answer = await call(app, sign(replace(first, method="HMAC-SHA256"), "GET", "/two/signed"))
    assert (answer.status, answer.header("www-authenticate")) == (401, 'OAuth realm="two"')
    assert (await call(app, Message(method="GET", target=b"/two/signed", headers=(HOST,)))).status == 401
    answer = await call(app, sign(first, "POST", "/one/initiate", oauth={"callback": "oob"}))
    assert await stores["one"].get_temporary_credential(answer.form["oauth_token"]) is not None
    assert await stores["two"].get_temporary_credential(answer.form["oauth_token"]) is None


async def test_a_server_can_be_attached_with_init_app(provider: Provider) -> None:
    """``init_app`` uses the application's configuration, and one server can have two applications."""
    protector = ResourceProtector()
    protector.register_hooks(provider.store)
    view = protector(two_legged=True)(nothing)
    for name in ("first", "second"):
        app = Quart(name)
        app.config["OAUTH1_REALM"] = "Photos"
        protector.init_app(app)
        app.get("/signed")(view)
        assert (await call(app, sign(CLIENT, "GET", "/signed"))).status == 200
        answer = await call(app, Message(method="GET", target=b"/signed", headers=(HOST,)))
        assert (answer.status, answer.header("www-authenticate")) == (401, 'OAuth realm="Photos"')


@pytest.mark.parametrize(
    ("key", "issued"),
    [("OAUTH1_TOKEN_GENERATOR", "oauth_token"), ("OAUTH1_TOKEN_SECRET_GENERATOR", "oauth_token_secret")],
)
async def test_a_configured_generator_may_be_a_coroutine_function(provider: Provider, key: str, issued: str) -> None:
    """Its result is awaited, issued and stored."""

    async def generate() -> str:
        await asyncio.sleep(0)
        return "from-elsewhere"

    app = Quart("application")
    app.config[key] = generate
    server = AuthorizationServer(app)
    server.register_hooks(provider.store)
    app.post("/initiate")(server.create_temporary_credentials_response)
    answer = await call(app, sign(CLIENT, "POST", "/initiate", oauth={"callback": "oob"}))
    assert (answer.status, answer.form[issued]) == (200, "from-elsewhere")
    kept = await provider.store.get_temporary_credential(answer.form["oauth_token"])
    assert getattr(kept, issued) == "from-elsewhere"


@pytest.mark.parametrize("key", ["OAUTH1_TOKEN_LENGTH", "OAUTH1_TOKEN_SECRET_LENGTH"])
def test_the_configured_token_length_has_limits(key: str) -> None:
    """Tokens below 128 bits could be guessed, and over 255 characters could not be sent; both fail at configuration."""
    for length in (22, 255):
        app = Quart("application")
        app.config[key] = length
        AuthorizationServer(app)
    for wrong in (0, 21, 256, "42", None, True):
        app = Quart("application")
        app.config[key] = wrong
        with pytest.raises(ValueError, match=key):
            AuthorizationServer(app)


async def test_the_scope_has_every_field_of_what_was_verified(provider: Provider) -> None:
    """The decorator makes the named tuple without its constructor, which would notice if one was missing."""
    app, protector = protected_app(provider)

    @app.get("/fields")
    @protector
    async def fields() -> list[int]:
        scope: Any = request.scope
        return [len(scope["async_oauth1.verified"]), len(Verified._fields)]

    has, should_have = (await call(app, sign(JANE, "GET", "/fields"))).json
    assert has == should_have


async def test_missing_hooks_fail_the_startup() -> None:
    """The error names all of them."""
    app = Quart("incomplete")
    AuthorizationServer(app).register_hook("query_client", lambda client_id: None)
    with pytest.raises(MissingHookError) as caught:
        await app.startup()
    for name in (
        "exists_nonce",
        "create_temporary_credential",
        "get_temporary_credential",
        "delete_temporary_credential",
        "create_authorization_verifier",
        "create_token_credential",
    ):
        assert f'"{name}"' in str(caught.value)
    assert "query_client" not in str(caught.value)


async def test_missing_hooks_of_every_server_are_named_together() -> None:
    """A single start-up error names those of all servers."""
    app = Quart("incomplete")
    AuthorizationServer(app).register_hooks(MemoryStore())
    AuthorizationServer(app, query_client=lambda client_id: None)
    ResourceProtector(app, query_client=lambda client_id: None)
    with pytest.raises(MissingHookError) as caught:
        await app.startup()
    assert str(caught.value).count("AuthorizationServer: ") == 1
    assert '"create_token_credential"' in str(caught.value)
    assert 'ResourceProtector: the "query_token", "exists_nonce" hooks are required.' in str(caught.value)


async def test_without_lifespan_events_missing_hooks_fail_the_first_request() -> None:
    """The error is raised for signed and for unsigned requests."""
    app = Quart("incomplete")
    app.config["PROPAGATE_EXCEPTIONS"] = True
    protector = ResourceProtector(app, query_client=lambda client_id: None)
    app.add_url_rule("/photos", "photos", protector(nothing))
    for message in (sign(JANE, "GET", "/photos"), Message(method="GET", target=b"/photos", headers=(HOST,))):
        with pytest.raises(MissingHookError, match='"query_token", "exists_nonce" hooks are required'):
            await call(app, message)


async def test_an_error_of_the_view_is_not_an_oauth_error(provider: Provider) -> None:
    """Exceptions of a protected view reach the application unchanged."""
    app, protector = protected_app(provider)

    @app.get("/fails")
    @protector
    async def fails() -> None:
        raise ZeroDivisionError

    app.config["PROPAGATE_EXCEPTIONS"] = True
    with pytest.raises(ZeroDivisionError):
        await call(app, sign(JANE, "GET", "/fails"))
    assert (await call(app, sign(JANE, "GET", "/fails", signature=b"x"))).status == 401
