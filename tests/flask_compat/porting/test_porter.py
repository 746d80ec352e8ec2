"""Ported applications in service: slow clients, shutdown, ORM objects, verifiers that fail."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import flask
import pytest
import quart
from authlib.oauth1 import ClientMixin
from sqlalchemy import Column, Integer, String, create_engine
from sqlalchemy.orm import Session, declarative_base, scoped_session, sessionmaker

from flask_compat import AuthorizationServer, OAuth1Request, ResourceProtector, signature
from flask_compat.execution.callable_kinds import may_block
from flask_compat.execution.flow_runner import WORKER_THREADS, ThreadRuntime
from tests.flask_compat.client import FORM, Client, authorization, fetch
from tests.flask_compat.ported import Client as ClientModel
from tests.flask_compat.ported import Token, Variant, make_provider
from tests.servers.processes import PATIENCE

Base: Any = declarative_base()


class Row(Base):  # type: ignore[misc]  # SQLAlchemy makes the base
    """A model as Flask-SQLAlchemy's users have it."""

    __tablename__ = "row"
    id = Column(Integer, primary_key=True)
    secret = Column(String)

    def get_secret(self) -> Any:
        return self.secret

    def get_length(self) -> Any:
        return self.secret.real


async def unfinished_form(app: Any) -> Any:
    """A connection that has sent half a form."""
    headers = {"Content-Type": FORM, "Content-Length": "30"}
    connection = app.test_client().request("/initiate", method="POST", headers=headers)
    await connection.__aenter__()
    await connection.send(b"a=1")
    return connection


@pytest.mark.parametrize("async_hooks", [False, True])
async def test_a_disconnected_client_frees_its_thread(async_hooks: bool) -> None:
    """A plain view does not wait for the rest of a form after the client has disconnected."""
    app = make_provider(Variant("quart", False, async_hooks)).app
    for connection in [await unfinished_form(app) for _ in range(40)]:
        await connection.disconnect()
    async with asyncio.timeout(PATIENCE):
        assert (await Client(app).send("POST", "/initiate", callback="https://client.test/ready")).status == 200


async def test_slow_clients_occupy_no_thread() -> None:
    """An async view reads the form before a thread is used."""
    app = make_provider(Variant("quart", True, False)).app
    connections = [await unfinished_form(app) for _ in range(WORKER_THREADS + 1)]
    await asyncio.sleep(0.1)
    async with asyncio.timeout(PATIENCE):
        assert (await Client(app).send("POST", "/initiate", callback="https://client.test/ready")).status == 200
    for connection in connections:
        connection._task.cancel()


@pytest.mark.parametrize("async_views", [False, True])
@pytest.mark.parametrize("async_hooks", [False, True])
async def test_a_form_over_the_limit_is_not_truncated(async_views: bool, async_hooks: bool) -> None:
    """Without Content-Length the limit applies while reading, and the request is refused."""
    app = make_provider(Variant("quart", async_views, async_hooks), config={"OAUTH1_MAX_FORM_BYTES": 10}).app
    async with app.test_client().request("/initiate", method="POST", headers={"Content-Type": FORM}) as connection:
        for _ in range(5):
            await connection.send(b"a=12345&")
        await connection.send_complete()
        await connection.receive()
    assert (await connection.as_response()).status_code == 413


@pytest.mark.parametrize("async_hooks", [False, True])
@pytest.mark.parametrize("async_views", [False, True])
async def test_an_exchange_finishes_before_the_server_stops(async_views: bool, async_hooks: bool) -> None:
    """A cancelled handler still completes an exchange that has begun."""
    ported = make_provider(Variant("quart", async_views, async_hooks))
    creating = threading.Event()

    async def create_token_credential(token: dict[str, str], temporary: Any) -> Any:
        creating.set()
        await asyncio.sleep(0.1)
        return ported.database.create_token_credential(token, temporary)

    async with ported.app.test_app() as test_app:
        client = Client(test_app)
        initiated = await client.send("POST", "/initiate", callback="https://client.test/ready")
        client.token, client.token_secret = initiated.form["oauth_token"], initiated.form["oauth_token_secret"]
        verifier = (await client.approve()).location["oauth_verifier"]
        ported.server.register_hook("create_token_credential", create_token_credential)
        exchange = asyncio.create_task(client.send("POST", "/token", verifier=verifier))
        assert await asyncio.to_thread(creating.wait, PATIENCE)
        exchange.cancel()
    assert not ported.database.temporary
    assert len(ported.database.tokens) == 1


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_no_thread_waits_for_a_closed_loop() -> None:
    """Otherwise the process would never exit."""
    loop = asyncio.new_event_loop()
    started = threading.Event()
    errors: list[BaseException] = []

    async def hook() -> None:
        started.set()
        await asyncio.Event().wait()

    def flow() -> None:
        try:
            ThreadRuntime(loop).wait(hook())
        except RuntimeError as error:
            errors.append(error)

    async def serve() -> None:
        while not started.is_set():
            await asyncio.sleep(0.01)

    threads = [threading.Thread(target=flow)]
    threads[0].start()
    loop.run_until_complete(serve())
    pending = asyncio.all_tasks(loop)
    loop.close()
    threads.append(threading.Thread(target=flow))
    threads[1].start()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    assert len(errors) == 2
    for task in pending:
        task._log_destroy_pending = False  # type: ignore[attr-defined]  # it is meant to be left behind


@pytest.mark.parametrize("expiry_time", [0, None])
async def test_a_timestamp_must_be_a_number_without_expiry(expiry_time: Any) -> None:
    class Server(AuthorizationServer):
        EXPIRY_TIME = expiry_time

    client = Client(make_provider(Variant("flask", False, False), server_class=Server).app)
    for timestamp in ("abc", "1_754_000_000", "-1"):
        answer = await client.send("POST", "/initiate", callback="https://c.test/", timestamp=timestamp)
        assert answer.form["error_description"] == 'Invalid "oauth_timestamp" value'
    assert (await client.send("POST", "/initiate", callback="https://c.test/", timestamp="1000000000")).status == 200


@pytest.mark.parametrize("framework", ["flask", "quart"])
@pytest.mark.parametrize("error", [TypeError, ValueError, NotImplementedError])
async def test_an_exception_in_a_verifier_refuses_the_request(framework: str, error: type[Exception]) -> None:
    """Examples are ``hmac.compare_digest`` with non-ASCII text and ``base64.b64decode`` with invalid text."""

    def verify(_: Any) -> bool:
        raise error

    class Server(AuthorizationServer):
        """With a registry of its own."""

    Server.register_signature_method("PLAINTEXT", verify)
    client = Client(make_provider(Variant(framework, False, False), server_class=Server).app, method="PLAINTEXT")
    answer = await client.send("POST", "/initiate", callback="https://c.test/")
    assert (answer.status, answer.form["error"]) == (401, "invalid_signature")


def test_a_malformed_body_is_refused() -> None:
    """Servers raise their own errors for malformed chunks."""

    class Input:
        def read(self, *_: Any) -> bytes:
            raise LookupError("Invalid chunk size")

        readinto = readline = read

    app = make_provider(Variant("flask", False, False)).app
    environ = {"wsgi.input": Input(), "wsgi.input_terminated": True, "CONTENT_TYPE": FORM}
    assert app.test_client().post("/initiate", environ_overrides=environ).status_code == 400


def test_a_model_method_that_may_query_runs_in_a_thread() -> None:
    """An expired attribute of an ORM model causes a query."""
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        row = Row(secret="s")
        session.add(row)
        session.flush()
        assert not may_block(row.get_secret)
        session.commit()
        assert may_block(row.get_secret)
        assert row.get_secret() == "s"
        assert not may_block(row.get_secret)
        assert may_block(row.get_length)
    engine.dispose()


async def test_a_blocking_hook_with_a_name_from_asyncio_runs_in_a_thread() -> None:
    """A job queue may also have a method ``create_task``."""

    class Queue:
        def create_task(self, _: str) -> None:
            time.sleep(0.01)

    queue = Queue()

    def query_client(client_id: str) -> None:
        queue.create_task(client_id)

    assert may_block(query_client)


def test_one_server_can_serve_two_applications() -> None:
    """Tests often create one application after another with an application factory."""
    server, require_oauth = AuthorizationServer(), ResourceProtector()
    for length in (10, 20):
        app = flask.Flask(__name__)
        app.config.update(OAUTH1_MAX_FORM_BYTES=length)
        server.init_app(app)
        require_oauth.init_app(app)
    assert server._flows.policy.max_form_bytes == 20


READERS: list[Callable[[flask.Request], object]] = [
    lambda request: request.stream.read(),
    lambda request: request.stream.read(3),
    lambda request: request.get_data(cache=False),
]


@pytest.mark.parametrize("is_chunked", [False, True])
@pytest.mark.parametrize("read", READERS)
async def test_a_form_that_was_read_and_discarded_is_refused(
    read: Callable[[flask.Request], object], is_chunked: bool
) -> None:
    """Otherwise only the rest of the form would be verified."""
    ported = make_provider(Variant("flask", False, False))
    ported.database.tokens["t"] = Token("client", "t", "s", "7")
    ported.app.before_request(lambda: read(flask.request) and None)
    client = Client(ported.app, token="t", token_secret="s")
    headers = {"Authorization": authorization(client.sign("POST", "/photos", client.parameters()))}
    if is_chunked:
        headers["Transfer-Encoding"] = "chunked"

    def send() -> Any:
        environ = {"wsgi.input_terminated": is_chunked}
        return ported.app.test_client().post(
            "/photos", data=b"a=1", content_type=FORM, headers=headers, environ_overrides=environ
        )

    answer = await asyncio.to_thread(send)
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("async_hooks", [False, True])
@pytest.mark.parametrize("async_views", [False, True])
@pytest.mark.parametrize("framework", ["flask", "quart"])
async def test_stop_iteration_is_an_error_like_any_other(framework: str, async_views: bool, async_hooks: bool) -> None:
    """A ``next`` on an empty iterator in a hook raises, and no request hangs."""
    ported = make_provider(Variant(framework, async_views, async_hooks))
    ported.app.testing = False

    class Secrets(ClientModel):
        def get_client_secret(self) -> Any:
            return next(iter(()))

    ported.database.clients["client"] = Secrets("client", None)
    async with asyncio.timeout(PATIENCE):
        assert (await Client(ported.app).send("POST", "/initiate", callback="oob")).status == 500


@pytest.mark.parametrize("async_views", [False, True])
async def test_sessions_scoped_by_the_request_give_their_connections_back(async_views: bool, tmp_path: Path) -> None:
    """Sessions scoped by thread would not be removed, because hooks run in other threads than teardown functions."""
    engine = create_engine(f"sqlite:///{tmp_path}/provider.db", pool_size=20, max_overflow=0)
    Base.metadata.create_all(engine)
    session = scoped_session(sessionmaker(engine), scopefunc=quart.g._get_current_object)
    ported = make_provider(Variant("quart", async_views, False))
    query_client = ported.server.query_client

    def query_by_session(client_id: str) -> Any:
        session.query(Row).first()
        return query_client(client_id)

    ported.server.query_client = query_by_session
    ported.app.teardown_appcontext(lambda _: session.remove())
    for _ in range(3):
        await asyncio.gather(*(Client(ported.app).dance() for _ in range(20)))
    assert engine.pool.status().endswith("Current Checked out connections: 0")
    engine.dispose()


def with_octets(model: type, convert: Callable[[bytes], Any]) -> type:
    """A model whose store knows octets alone, such as Redis without ``decode_responses``, or a BYTEA column."""

    def octets(name: str) -> Callable[[Any], Any]:
        return lambda self: convert(getattr(model, name)(self).encode())

    names = ("get_client_id", "get_client_secret", "get_oauth_token", "get_oauth_token_secret")
    return type(model.__name__, (model,), {name: octets(name) for name in names if hasattr(model, name)})


@pytest.mark.parametrize("convert", [bytes, memoryview])
@pytest.mark.parametrize("method", ["HMAC-SHA1", "PLAINTEXT"])
async def test_models_can_return_bytes(method: str, convert: Callable[[bytes], Any]) -> None:
    """Authlib treats bytes as text in signatures and responses."""
    ported = make_provider(Variant("flask", False, False))
    database = ported.database
    database.make = lambda model, *args: with_octets(model, convert)(*args)  # type: ignore[method-assign]  # a fake
    database.clients["client"] = database.make(ClientModel, "client", "s\u00e9cret")
    client = Client(ported.app, secret="s\u00e9cret", method=method)
    await client.dance()
    assert client.token in database.tokens
    assert (await client.send("GET", "/photos")).json == {"user": "7"}


async def test_a_secret_can_be_an_integer() -> None:
    """A column of the type Integer returns one."""
    ported = make_provider(Variant("flask", False, False))
    ported.database.clients["client"] = ClientModel("client", 12345)  # type: ignore[arg-type]  # on purpose
    assert (await Client(ported.app, secret="12345").send("POST", "/initiate", callback="oob")).status == 200


@pytest.mark.parametrize("verify", [signature.verify_hmac_sha1, signature.verify_plaintext])
def test_the_included_verifiers_accept_bytes(verify: Callable[[Any], bool]) -> None:
    """Your own signature methods can call them."""
    name = "PLAINTEXT" if verify is signature.verify_plaintext else "HMAC-SHA1"
    parameters = Client(None, method=name).sign("GET", "/", Client(None, method=name).parameters())
    request = OAuth1Request("GET", "http://localhost/", None, {"Authorization": authorization(parameters)})
    request.client = with_octets(ClientModel, bytes)("client", "secret")
    assert verify(request)


@pytest.mark.parametrize("framework", ["flask", "quart"])
async def test_unsigned_exchanges_do_not_wait_for_each_other(framework: str) -> None:
    """Many unsigned requests with one token must not block every thread."""
    ported = make_provider(Variant(framework, framework == "quart", False))
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(40))
    inside, many = threading.Semaphore(20), threading.Event()

    def query_client(_: str) -> None:
        if not inside.acquire(blocking=False):
            many.set()
        assert many.wait(PATIENCE)

    ported.server.query_client = query_client
    body = "oauth_consumer_key=client&oauth_token=guessed"
    async with asyncio.timeout(PATIENCE):
        answers = await asyncio.gather(
            *(fetch(ported.app, "POST", "/token", body, {"Content-Type": FORM}) for _ in range(30))
        )
    assert {answer.form["error"] for answer in answers} == {"invalid_client"}


class KeyedClient(ClientMixin):
    """A model for clients that sign with RSA; it has no secret."""

    def get_rsa_public_key(self) -> str:
        return "no key at all"


class SecretClient(ClientMixin):
    """A model for clients with a secret; it has no RSA key."""

    def get_client_secret(self) -> str:
        return "secret"


@pytest.mark.parametrize("framework", ["flask", "quart"])
@pytest.mark.parametrize(
    ("model", "method"), [(KeyedClient, "HMAC-SHA1"), (KeyedClient, "PLAINTEXT"), (SecretClient, "RSA-SHA1")]
)
async def test_a_model_without_the_key_method_gets_invalid_signature(model: type, method: str, framework: str) -> None:
    """The client chooses the signature method, and so the model's method that is called."""
    ported = make_provider(Variant(framework, False, False))
    ported.database.clients["client"] = model()
    client = Client(ported.app)
    parameters = {**client.parameters(callback="oob"), "oauth_signature_method": method, "oauth_signature": "secret&"}
    answer = await client.send("POST", "/initiate", signed=parameters)
    assert (answer.status, answer.form) == (401, {"error": "invalid_signature"})
