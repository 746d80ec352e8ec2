"""A provider as written for Authlib: models with mixins, hooks over dicts, and views, each plain or async."""

from __future__ import annotations

import asyncio
import functools
import inspect
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import flask
import pytest
import quart
from authlib.oauth1 import ClientMixin, TemporaryCredentialMixin, TokenCredentialMixin
from authlib.oauth1.errors import OAuth1Error

from flask_compat import AuthorizationServer, ResourceProtector, current_credential
from tests.stress import STRESS


class User:
    def __init__(self, user_id: str) -> None:
        self.id = user_id

    def get_user_id(self) -> str:
        return self.id


class Client(ClientMixin):
    def __init__(
        self, client_id: str, secret: str | None, default_redirect_uri: str = "", rsa: str | None = None
    ) -> None:
        self.client_id = client_id
        self.client_secret = secret
        self.default_redirect_uri = default_redirect_uri
        self.rsa_public_key = rsa

    def get_default_redirect_uri(self) -> Any:
        return self.default_redirect_uri

    def get_client_secret(self) -> Any:
        return self.client_secret

    def get_rsa_public_key(self) -> Any:
        return self.rsa_public_key


class Token(TokenCredentialMixin):
    def __init__(self, client_id: str, token: str, secret: str, user_id: str | None) -> None:
        self.client_id = client_id
        self.oauth_token = token
        self.oauth_token_secret = secret
        self.user_id = user_id

    def get_oauth_token(self) -> Any:
        return self.oauth_token

    def get_oauth_token_secret(self) -> Any:
        return self.oauth_token_secret


class Temporary(Token, TemporaryCredentialMixin):
    def __init__(self, client_id: str, token: str, secret: str, callback: str) -> None:
        super().__init__(client_id, token, secret, None)
        self.oauth_callback = callback
        self.oauth_verifier: str | None = None

    def get_client_id(self) -> Any:
        return self.client_id

    def get_user_id(self) -> Any:
        return self.user_id

    def get_redirect_uri(self) -> Any:
        return self.oauth_callback

    def check_verifier(self, verifier: str) -> Any:
        return self.oauth_verifier == verifier


def made_async(func: Callable[..., Any]) -> Callable[..., Any]:
    """The same function as a coroutine function that yields to the loop."""

    @functools.wraps(func)
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        await asyncio.sleep(0)
        return func(*args, **kwargs)

    return wrapper


def with_async_methods(model: type) -> type:
    """A subclass of a model whose methods are coroutine functions."""
    methods = {name: made_async(func) for name, func in inspect.getmembers(model, inspect.isfunction) if name[0] != "_"}
    return type(f"Async{model.__name__}", (model,), methods)


@dataclass
class Database:
    """Tables, hooks over them, and a record of the calls."""

    async_models: bool = False
    seconds: float = 0.0
    clients: dict[str, Any] = field(default_factory=dict)
    temporary: dict[str, Any] = field(default_factory=dict)
    tokens: dict[str, Any] = field(default_factory=dict)
    nonces: set[tuple[Any, ...]] = field(default_factory=set)
    calls: list[str] = field(default_factory=list)
    threads: set[int] = field(default_factory=set)

    def make(self, model: type, *args: Any) -> Any:
        return (with_async_methods(model) if self.async_models else model)(*args)

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if self.seconds:
            time.sleep(self.seconds)

    def query_client(self, client_id: str) -> Any:
        self._called("query_client")
        return self.clients.get(client_id)

    def query_token(self, client_id: str, oauth_token: str) -> Any:
        self._called("query_token")
        token = self.tokens.get(oauth_token)
        return token if token is not None and token.client_id == client_id else None

    def exists_nonce(self, nonce: str, timestamp: str, client_id: str, oauth_token: str | None) -> bool:
        self._called("exists_nonce")
        assert isinstance(timestamp, str)
        key = nonce, timestamp, client_id, oauth_token
        known = key in self.nonces
        self.nonces.add(key)
        return known

    def create_temporary_credential(self, token: dict[str, str], client_id: str, redirect_uri: str) -> Any:
        self._called("create_temporary_credential")
        made = self.make(Temporary, client_id, token["oauth_token"], token["oauth_token_secret"], redirect_uri)
        self.temporary[token["oauth_token"]] = made
        return made

    def get_temporary_credential(self, oauth_token: str | None) -> Any:
        self._called("get_temporary_credential")
        return self.temporary.get(oauth_token or "")

    def delete_temporary_credential(self, oauth_token: str | None) -> None:
        self._called("delete_temporary_credential")
        self.temporary.pop(oauth_token or "", None)

    def create_authorization_verifier(self, credential: Any, grant_user: Any, verifier: str) -> Any:
        self._called("create_authorization_verifier")
        credential.oauth_verifier = verifier
        credential.user_id = grant_user.id
        return credential

    def create_token_credential(self, token: dict[str, str], temporary_credential: Any) -> Any:
        self._called("create_token_credential")
        user = temporary_credential.user_id
        made = self.make(Token, temporary_credential.client_id, token["oauth_token"], token["oauth_token_secret"], user)
        self.tokens[token["oauth_token"]] = made
        return made


def user_of(answer: Any) -> User | None:
    """The user who approves: the user "7" unless the form names another; ``None`` for a denial."""
    granted = answer.get("granted")
    return User("7" if granted == "1" else granted) if granted else None


SERVER_HOOKS = (
    "exists_nonce",
    "create_temporary_credential",
    "get_temporary_credential",
    "delete_temporary_credential",
    "create_authorization_verifier",
    "create_token_credential",
)


@dataclass(frozen=True)
class Variant:
    """What is async in a provider, and on which framework it runs."""

    framework: str
    async_views: bool
    async_hooks: bool
    async_models: bool = False

    def __str__(self) -> str:
        kinds = [("views", self.async_views), ("hooks", self.async_hooks), ("models", self.async_models)]
        return "-".join([self.framework, *(f"{'async' if is_async else 'plain'}_{kind}" for kind, is_async in kinds)])


VARIANTS = [
    Variant(framework, async_views, async_hooks, async_models)
    for framework in ("flask", "quart")
    for async_views in (False, True)
    for async_hooks in (False, True)
    for async_models in (False, True)
]
#: Half of them outside of `make stress`: every combination of three of the four choices is in it.
SAMPLED_VARIANTS = [
    pytest.param(variant, marks=pytest.mark.stress) if odd else variant
    for variant in VARIANTS
    for odd in [(variant.framework == "quart") ^ variant.async_views ^ variant.async_hooks ^ variant.async_models]
    if STRESS or not odd
]


@dataclass
class Ported:
    """A provider and its parts."""

    app: Any
    server: Any
    require_oauth: Any
    database: Database
    variant: Variant


def make_provider(
    variant: Variant,
    *,
    server_class: type = AuthorizationServer,
    protector_class: type = ResourceProtector,
    config: dict[str, Any] | None = None,
    seconds: float = 0.0,
) -> Ported:
    """A provider in one of its variants, with one client registered."""
    app: Any = (flask.Flask if variant.framework == "flask" else quart.Quart)(__name__)
    app.testing = True
    app.config["OAUTH1_SUPPORTED_SIGNATURE_METHODS"] = ["HMAC-SHA1", "RSA-SHA1", "PLAINTEXT"]
    app.config.update(config or {})
    database = Database(variant.async_models, seconds)
    database.clients["client"] = database.make(Client, "client", "secret", "https://client.test/default")

    def hook(name: str) -> Any:
        func = getattr(database, name)
        return made_async(func) if variant.async_hooks else func

    server = server_class(app, query_client=hook("query_client"))
    for name in SERVER_HOOKS:
        server.register_hook(name, hook(name))
    require_oauth = protector_class(app, hook("query_client"), hook("query_token"), hook("exists_nonce"))
    (add_async_views if variant.async_views else add_plain_views)(app, server, require_oauth)
    return Ported(app, server, require_oauth, database, variant)


def add_plain_views(app: Any, server: Any, require_oauth: Any) -> None:
    """As in the documentation for Flask. On Quart the consent form's answer is in the query: its form is awaited."""
    is_flask = isinstance(app, flask.Flask)
    request = flask.request if is_flask else quart.request

    @app.route("/initiate", methods=["GET", "POST"])
    def initiate() -> Any:
        return server.create_temporary_credentials_response()

    @app.route("/authorize", methods=["GET", "POST"])
    def authorize() -> Any:
        try:
            if request.method == "GET":
                found = server.check_authorization_request()
                return {"client_id": found.credential.client_id}
            answer = request.form if is_flask else request.args
            return server.create_authorization_response(grant_user=user_of(answer))
        except OAuth1Error as error:
            return dict(error.get_body()), error.status_code

    @app.route("/token", methods=["POST"])
    def token() -> Any:
        return server.create_token_response()

    @app.route("/photos", methods=["GET", "POST"])
    @require_oauth()
    def photos() -> Any:
        return {"user": current_credential.user_id}

    @app.route("/no-parens")
    @require_oauth
    def no_parens() -> Any:
        return {"user": current_credential.user_id}


def add_async_views(app: Any, server: Any, require_oauth: Any) -> None:
    """The same with ``await``."""
    is_flask = isinstance(app, flask.Flask)
    request = flask.request if is_flask else quart.request

    @app.route("/initiate", methods=["GET", "POST"])
    async def initiate() -> Any:
        return await server.create_temporary_credentials_response()

    @app.route("/authorize", methods=["GET", "POST"])
    async def authorize() -> Any:
        try:
            if request.method == "GET":
                found = await server.check_authorization_request()
                return {"client_id": found.credential.client_id}
            answer = request.form if is_flask else await request.form
            return await server.create_authorization_response(grant_user=user_of(answer))
        except OAuth1Error as error:
            return dict(error.get_body()), error.status_code

    @app.route("/token", methods=["POST"])
    async def token() -> Any:
        return await server.create_token_response()

    @app.route("/photos", methods=["GET", "POST"])
    @require_oauth()
    async def photos() -> Any:
        await asyncio.sleep(0)
        return {"user": current_credential.user_id}

    @app.route("/no-parens")
    @require_oauth
    async def no_parens() -> Any:
        return {"user": current_credential.user_id}
