"""Misuse raises errors that name the mistake, with Authlib's messages if it has them, and configuration is used."""

from __future__ import annotations

import os
from typing import Any

import flask
import pytest
import quart
from authlib.oauth1 import OAuth1Request as AuthlibRequest

from flask_compat import AuthorizationServer, OAuth1Request, ResourceProtector, current_credential
from flask_compat.errors import InvalidTokenError, MissingRequiredParameterError
from tests.flask_compat.client import Client, fetch
from tests.flask_compat.ported import SERVER_HOOKS, Token, Variant, make_provider

FRAMEWORKS = [flask.Flask, quart.Quart]


def test_an_unknown_hook_raises_authlibs_exception() -> None:
    """The exception is Authlib's; the message begins like Authlib's, and names the nearest hook."""
    with pytest.raises(ValueError, match=r'^Invalid "name" of hook: .*Did you mean "exists_nonce"'):
        AuthorizationServer().register_hook("exist_nonces", print)


@pytest.mark.parametrize("server", [AuthorizationServer, ResourceProtector])
@pytest.mark.parametrize("app", [object(), "app", lambda: None])
def test_an_application_of_another_framework_is_refused(server: Any, app: Any) -> None:
    """The constructor raises TypeError."""
    with pytest.raises(TypeError, match="needs an application of Flask or Quart, not "):
        server(app)


@pytest.mark.parametrize("name", SERVER_HOOKS)
def test_a_missing_hook_is_named_when_it_is_needed(name: str) -> None:
    """The error names the hook."""
    server = AuthorizationServer(flask.Flask(__name__))
    request = OAuth1Request("GET", "https://a.test/", None, {})
    request.credential = Token("c", "t", "s", None)
    request.credential.get_redirect_uri = lambda: "oob"
    arguments = ("n", request) if name == "exists_nonce" else (request,)
    with pytest.raises(RuntimeError, match=rf'^"{name}" hook is required\.$'):
        getattr(server, name)(*arguments)


def test_a_missing_function_of_the_protector_is_named() -> None:
    """The error names the function."""
    request = OAuth1Request("GET", "https://a.test/", None, {})
    with pytest.raises(RuntimeError, match=r'^"exists_nonce" function is required\.$'):
        ResourceProtector().exists_nonce("n", request)


def test_current_credential_is_false_outside_of_a_request() -> None:
    """Reading it raises no error."""
    assert not current_credential
    for framework in FRAMEWORKS:
        app = framework(__name__)
        if framework is flask.Flask:
            with app.app_context():
                assert not current_credential


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_both_token_lengths_can_be_configured(framework: type) -> None:
    """Authlib uses the length of the secret for both."""
    app: Any = framework(__name__)
    generate = AuthorizationServer(app).token_generator
    assert generate is not None
    assert [len(value) for value in generate().values()] == [42, 48]
    app.config.update(OAUTH1_TOKEN_LENGTH=20, OAUTH1_TOKEN_SECRET_LENGTH=60)
    generate = AuthorizationServer(app).token_generator
    assert generate is not None
    assert [len(value) for value in generate().values()] == [20, 60]


def fixed() -> str:
    return "fixed"


async def fixed_async() -> str:
    return "fixed"


@pytest.mark.parametrize("generator", [fixed, fixed_async, "uuid.uuid4"])
async def test_token_generators_can_be_import_strings_or_callables(generator: Any) -> None:
    """Callables can be plain or async."""
    for framework in ("flask", "quart"):
        config = {"OAUTH1_TOKEN_GENERATOR": generator, "OAUTH1_TOKEN_SECRET_GENERATOR": fixed}
        ported = make_provider(Variant(framework, False, False), config=config)
        answer = await Client(ported.app).send("POST", "/initiate", callback="oob")
        assert answer.form["oauth_token_secret"] == "fixed"
        assert (answer.form["oauth_token"] == "fixed") == callable(generator)


@pytest.mark.parametrize("framework", ["flask", "quart"])
async def test_methods_accept_a_request(framework: str) -> None:
    """It can be the request of the framework, its proxy, or an OAuth1Request."""
    ported = make_provider(Variant(framework, False, False))
    module: Any = flask if framework == "flask" else quart
    given: list[Any] = [
        lambda: module.request,
        module.request._get_current_object,
        lambda: OAuth1Request(module.request.method, module.request.url, None, module.request.headers),
    ]

    @ported.app.post("/given/<int:number>")
    def answer(number: int) -> Any:
        return ported.server.create_temporary_credentials_response(given[number]())

    for number in range(len(given)):
        assert (await Client(ported.app).send("POST", f"/given/{number}", callback="oob")).status == 200


async def test_http_is_refused_except_on_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Authlib's environment variable switches the check off."""
    ported = make_provider(Variant("flask", False, False))
    form = {"Content-Type": "application/x-www-form-urlencoded", "Host": "provider.test"}
    answer = await fetch(ported.app, "POST", "/initiate", "oauth_consumer_key=x", form)
    assert answer.form["error"] == "insecure_transport"
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    answer = await fetch(ported.app, "POST", "/initiate", "oauth_consumer_key=x", form)
    assert answer.form["error"] == "missing_required_parameter"
    assert os.environ["AUTHLIB_INSECURE_TRANSPORT"]


@pytest.mark.parametrize("framework", ["flask", "quart"])
@pytest.mark.parametrize("is_async", [False, True])
async def test_an_override_can_return_authlibs_request(framework: str, is_async: bool) -> None:
    """Its parameters are used."""
    module: Any = flask if framework == "flask" else quart

    class Server(AuthorizationServer):
        def create_oauth1_request(self, request: Any) -> Any:
            current = module.request
            made = AuthlibRequest(current.method, current.url, None, current.headers)
            made.extra = "kept"
            return made

        def validate_temporary_credentials_request(self, request: Any) -> Any:
            assert request.extra == "kept"
            assert isinstance(request, AuthlibRequest)
            return super().validate_temporary_credentials_request(request)

    ported = make_provider(Variant(framework, is_async, is_async), server_class=Server)
    answer = await Client(ported.app).send("POST", "/initiate?a=b&c=%20", callback="https://client.test/%20x")
    assert answer.status == 200, answer.body


async def test_an_override_of_validate_request_gets_authlibs_arguments() -> None:
    """It can pass them to ``super()``."""
    seen: list[Any] = []

    class Protector(ResourceProtector):
        def validate_request(self, method: str, uri: str, body: Any, headers: Any) -> Any:
            seen.append((method, uri, body, headers.get("Host")))
            return super().validate_request(method, uri, body, headers)

    for framework in ("flask", "quart"):
        ported = make_provider(Variant(framework, True, True), protector_class=Protector)
        ported.database.tokens["t"] = Token("client", "t", "s", "7")
        client = Client(ported.app, token="t", token_secret="s")
        assert (await client.send("POST", "/photos?q=%2F", form="a=1&a=2")).json == {"user": "7"}
        assert seen[-1] == ("POST", "http://localhost/photos?q=%2F", {"a": "1"}, "localhost")


async def test_validate_request_works_outside_of_a_framework() -> None:
    """It can be called in a script and on an event loop."""
    protector = ResourceProtector(None, lambda _: None, lambda *_: None, lambda *_: False)
    with pytest.raises(MissingRequiredParameterError):
        await protector.validate_request("GET", "https://a.test/", None, {})

    def in_a_script() -> None:
        with pytest.raises(MissingRequiredParameterError):
            protector.validate_request("GET", "https://a.test/", None, {})

    import asyncio

    await asyncio.to_thread(in_a_script)


async def test_an_override_without_super_replaces_the_nonce_check() -> None:
    """An override that calls ``super()`` keeps it."""

    class Without(ResourceProtector):
        def validate_timestamp_and_nonce(self, request: Any) -> None:
            assert request.credential.get_oauth_token() == "t"

    class With(ResourceProtector):
        async def validate_timestamp_and_nonce(self, request: Any) -> None:
            await super().validate_timestamp_and_nonce(request)

    for protector, second in ((Without, 200), (With, 401)):
        ported = make_provider(Variant("quart", True, True), protector_class=protector)
        ported.database.tokens["t"] = Token("client", "t", "s", "7")
        client = Client(ported.app, token="t", token_secret="s")
        signed = client.sign("GET", "/photos", client.parameters())
        assert (await client.send("GET", "/photos", signed=signed)).status == 200
        assert (await client.send("GET", "/photos", signed=signed)).status == second


async def test_expiry_time_is_a_class_attribute_for_both_directions() -> None:
    """A subclass sets the window for past and future timestamps."""
    import time

    class Patient(ResourceProtector):
        EXPIRY_TIME = 10_000

    ported = make_provider(Variant("flask", False, False), protector_class=Patient)
    ported.database.tokens["t"] = Token("client", "t", "s", "7")
    client = Client(ported.app, token="t", token_secret="s")
    for seconds, status in ((9_000, 200), (-9_000, 200), (11_000, 400), (-11_000, 400)):
        answer = await client.send("GET", "/photos", timestamp=str(int(time.time()) + seconds))
        assert answer.status == status


async def test_errors_of_hooks_get_the_right_status() -> None:
    """An OAuth1Error is answered, an unavailable store gives 503, and any other error gives 500."""
    ported = make_provider(Variant("quart", True, False))
    ported.app.testing = False
    for error, status in ((InvalidTokenError(), 401), (ConnectionError(), 503), (ZeroDivisionError(), 500)):

        def query_client(_: str, error: Exception = error) -> Any:
            raise error

        ported.server.query_client = query_client
        assert (await Client(ported.app).send("POST", "/initiate", callback="oob")).status == status


@pytest.mark.parametrize("framework", ["flask", "quart"])
async def test_the_reason_of_a_503_is_logged_once(framework: str, caplog: pytest.LogCaptureFixture) -> None:
    """The log has the traceback, because a missing file looks like a store that is down."""
    ported = make_provider(Variant(framework, False, False))

    def query_client(_: str) -> Any:
        raise FileNotFoundError("clients.json")

    ported.server.query_client = query_client
    assert (await Client(ported.app).send("POST", "/initiate", callback="oob")).status == 503
    [record] = [record for record in caplog.records if record.levelname == "ERROR"]
    assert record.name == "async_oauth1"
    assert record.exc_info is not None
    assert str(record.exc_info[1]) == "clients.json"
