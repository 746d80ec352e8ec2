"""Scopes, more parameters beside a token, GET and other words for a denial, on both frameworks and over caches."""

from __future__ import annotations

import inspect
from typing import Any

import cachelib
import flask
import pytest
import quart

from flask_compat import AuthorizationServer, OAuth1Error
from flask_compat.cache import register_temporary_credential_hooks
from tests.flask_compat.client import Client, fetch
from tests.flask_compat.ported import VARIANTS, Database, Temporary, Token, Variant, made_async, make_provider

CALLBACK = "https://client.test/ready"
KINDS = [Variant("flask", False, False), Variant("quart", True, False), Variant("quart", True, True)]


class Scoped(Temporary):
    """Temporary credentials with scopes."""

    requested_scope = ""
    scope = ""

    def get_scope(self) -> str:
        return self.scope


class ScopedDatabase(Database):
    """The hooks of a provider whose database has columns for the scopes."""

    def create_temporary_credential(  # type: ignore[override]
        self, token: dict[str, str], client_id: str, redirect_uri: str, scope: str = ""
    ) -> Any:
        made = Scoped(client_id, token["oauth_token"], token["oauth_token_secret"], redirect_uri)
        made.requested_scope = scope
        self.temporary[token["oauth_token"]] = made
        return made

    def create_authorization_verifier(  # type: ignore[override]
        self, credential: Any, grant_user: Any, verifier: str, scope: str = ""
    ) -> Any:
        credential.scope = scope
        return super().create_authorization_verifier(credential, grant_user, verifier)

    def create_token_credential(self, token: dict[str, str], temporary_credential: Any) -> Any:
        client_id, user_id = temporary_credential.get_client_id(), temporary_credential.get_user_id()
        made: Any = Token(client_id, token["oauth_token"], token["oauth_token_secret"], user_id)
        made.scope = temporary_credential.get_scope()
        self.tokens[token["oauth_token"]] = made
        return made


class Server(AuthorizationServer):
    """A server whose view grants a scope."""

    scope = "photos.read"

    def create_authorization_response(self, request: Any = None, grant_user: Any = None, **_: Any) -> Any:
        return super().create_authorization_response(request, grant_user, scope=self.scope)


def scoped_provider(variant: Variant, **options: Any) -> tuple[Any, Client, ScopedDatabase]:
    """A provider with scopes, and its client."""
    ported = make_provider(variant, server_class=Server, **options)
    database = ScopedDatabase(clients=ported.database.clients)
    for name in ("create_temporary_credential", "get_temporary_credential", "delete_temporary_credential"):
        ported.server.register_hook(name, _hook(variant, database, name))
    for name in ("create_authorization_verifier", "create_token_credential"):
        ported.server.register_hook(name, _hook(variant, database, name))
    return ported, Client(ported.app), database


def _hook(variant: Variant, database: Database, name: str) -> Any:
    func = getattr(database, name)
    return made_async(func) if variant.async_hooks else func


async def start(client: Client, path: str = "/initiate", method: str = "POST") -> None:
    """Get temporary credentials."""
    answer = await client.send(method, path, callback=CALLBACK)
    assert answer.status == 200, answer.body
    client.token, client.token_secret = answer.form["oauth_token"], answer.form["oauth_token_secret"]


@pytest.mark.parametrize("variant", [variant for variant in VARIANTS if not variant.async_models], ids=str)
async def test_hooks_with_a_scope_get_it(variant: Variant) -> None:
    """What the client asks for comes with the first hook, what the view grants with the second."""
    _, client, database = scoped_provider(variant)
    await start(client, "/initiate?scope=photos.read%20photos.write")
    kept = database.temporary[client.token]
    assert (kept.requested_scope, kept.scope) == ("photos.read photos.write", "")
    verifier = (await client.approve()).location["oauth_verifier"]
    answer = await client.send("POST", "/token", verifier=verifier)
    assert database.tokens[answer.form["oauth_token"]].scope == "photos.read"


@pytest.mark.parametrize("variant", KINDS, ids=str)
async def test_hooks_without_a_scope_work_as_with_authlib(variant: Variant) -> None:
    """A parameter ``scope`` of the client is the application's own, whatever it is."""
    ported = make_provider(variant)
    client = Client(ported.app)
    await start(client, "/initiate?scope=%00%ff&scope=x")
    assert (await client.approve()).location["oauth_verifier"]


@pytest.mark.parametrize("variant", KINDS, ids=str)
async def test_a_malformed_scope_is_a_400(variant: Variant) -> None:
    """As in the core."""
    _, client, _ = scoped_provider(variant)
    answer = await client.send("POST", "/initiate?scope=%00", callback=CALLBACK)
    assert (answer.status, answer.form["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("variant", KINDS, ids=str)
async def test_a_cache_keeps_scopes(variant: Variant) -> None:
    """`register_temporary_credential_hooks` carries them to ``create_token_credential``."""
    ported, client, database = scoped_provider(variant)
    register_temporary_credential_hooks(ported.server, cachelib.SimpleCache())
    ported.server.register_hook("create_token_credential", _hook(variant, database, "create_token_credential"))
    await start(client, "/initiate?x_oauth_scope=photos.write")
    verifier = (await client.approve()).location["oauth_verifier"]
    assert (await client.approve()).location["oauth_verifier"] == verifier
    answer = await client.send("POST", "/token", verifier=verifier)
    assert database.tokens[answer.form["oauth_token"]].scope == "photos.read"


@pytest.mark.parametrize("variant", KINDS, ids=str)
async def test_more_parameters_beside_a_token(variant: Variant) -> None:
    """The hook sees request and credential, on both frameworks, plain or async."""

    def more(request: Any, credential: Any) -> dict[str, Any]:
        return {"user_id": credential.user_id, "screen_name": request.client.client_id}

    ported = make_provider(variant)
    ported.server.register_hook("token_response_parameters", made_async(more) if variant.async_hooks else more)
    answer = await Client(ported.app).dance()
    assert answer.form["screen_name"] == "client"
    assert answer.form["user_id"]


@pytest.mark.parametrize("variant", KINDS, ids=str)
async def test_a_hook_says_what_the_client_asks_for(variant: Variant) -> None:
    """It reads what it wants of the request."""
    ported, client, database = scoped_provider(variant)

    def requested(request: Any) -> str:
        return "photos." + dict(request.params)["permission"]

    ported.server.register_hook("requested_scope", made_async(requested) if variant.async_hooks else requested)
    await start(client, "/initiate?permission=read")
    assert database.temporary[client.token].requested_scope == "photos.read"


@pytest.mark.parametrize("framework", ["flask", "quart"])
async def test_get_at_the_token_endpoints(framework: str) -> None:
    """By configuration; otherwise 405 with ``Allow``."""
    refused = await Client(make_provider(Variant(framework, True, False)).app).send("GET", "/initiate", callback="oob")
    assert (refused.status, refused.headers["Allow"]) == (405, "POST")
    config = {"OAUTH1_GET_AT_TOKEN_ENDPOINTS": True}
    ported = make_provider(Variant(framework, True, False), config=config)
    client = Client(ported.app)
    await start(client, method="GET")
    put = await fetch(ported.app, "HEAD", "/initiate")
    assert (put.status, put.headers["Allow"]) == (405, "POST, GET")


@pytest.mark.parametrize("framework", ["flask", "quart"])
async def test_how_a_denial_is_told(framework: str) -> None:
    """By configuration, in every known way; ``error`` is Authlib's, with its description."""
    config = {"OAUTH1_DENIAL_PARAMETERS": ["error", "oauth_problem", "denied"]}
    ported = make_provider(Variant(framework, True, False), config=config)
    client = Client(ported.app)
    await start(client)
    told = (await client.approve(granted=False)).location
    assert told.pop("error_description")
    assert told == {
        "error": "access_denied",
        "oauth_problem": "user_refused",
        "denied": client.token,
        "oauth_token": client.token,
    }


@pytest.mark.parametrize("framework", ["flask", "quart"])
async def test_a_grant_that_a_hook_would_lose_is_named(framework: str) -> None:
    """It is a `TypeError` that names the parameter, not a token without its scope."""
    make: Any = flask.Flask if framework == "flask" else quart.Quart
    ported = make_provider(Variant(framework, False, False))
    assert isinstance(ported.app, make)
    client = Client(ported.app)
    await start(client)

    async def approve() -> None:
        path = f"/authorize?oauth_token={client.token}"
        async with _Context(ported.app, path):
            answer = ported.server.create_authorization_response(grant_user=_User(), scope="photos.read")
            if inspect.isawaitable(answer):
                await answer

    with pytest.raises(TypeError, match='"create_authorization_verifier" has no parameter "scope"'):
        await approve()
    assert not issubclass(TypeError, OAuth1Error)


class _User:
    id = "7"

    def get_user_id(self) -> str:
        return "7"


class _Context:
    """A request context of either framework."""

    def __init__(self, app: Any, path: str) -> None:
        self._context = app.test_request_context(path, method="POST")

    async def __aenter__(self) -> None:
        if hasattr(self._context, "__aenter__"):
            await self._context.__aenter__()
        else:
            self._context.__enter__()

    async def __aexit__(self, *error: object) -> None:
        if hasattr(self._context, "__aexit__"):
            await self._context.__aexit__(*error)
        else:
            self._context.__exit__(*error)
