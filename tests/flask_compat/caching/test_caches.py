"""Every kind of cache supports the whole flow, or is refused with a message that says what to use instead."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cachelib
import flask
import flask_caching
import flask_caching.backends
import pylibmc
import pymemcache
import pytest
import quart
import redis
from pymemcache.serde import pickle_serde
from werkzeug.local import LocalProxy

from async_oauth1.errors import StoreUnavailableError
from async_oauth1.provider.hooks import resolve
from flask_compat import (
    AuthorizationServer,
    create_exists_nonce_func,
    register_nonce_hooks,
    register_temporary_credential_hooks,
)
from flask_compat.cache import UnsuitableCacheError
from tests.flask_compat.client import Client
from tests.flask_compat.ported import Token, Variant, made_async, make_provider
from tests.servers import Memcached, Valkey, memcached_binary

from .cache_backends import ASYNC, BLOCKING, WITH_SERVER, Places, flask_cache, make_cache

# How aiocache says that a key exists in Memcached, under "python -bb".
pytestmark = [
    pytest.mark.filterwarnings(r"ignore:str\(\) on a bytes instance:BytesWarning"),
    pytest.mark.filterwarnings("ignore:Call to deprecated setex:DeprecationWarning"),  # aiocache's, of redis-py
]

BOTH = [Variant(framework, is_async, False) for framework in ("flask", "quart") for is_async in (False, True)]


@pytest.fixture(scope="module")
def valkey_server() -> Iterator[Valkey]:
    """A Valkey server."""
    server = Valkey()
    yield server
    server.close()


@pytest.fixture(scope="module")
def memcached() -> Iterator[Memcached]:
    """The system's Memcached; CI installs it, and fails without."""
    if memcached_binary() is None and not os.environ.get("CI"):
        pytest.skip("memcached is no wheel and not installed here")
    assert memcached_binary() is not None, "there is no memcached"
    server = Memcached()
    yield server
    server.close()


@pytest.fixture
def places(tmp_path: Path, valkey_server: Valkey, memcached: Memcached) -> Iterator[Places]:
    """Where the caches keep their entries."""
    valkey_server.flush()
    places = Places(tmp_path / "cache", valkey_server, memcached)
    yield places
    asyncio.run(places.close())


def register(ported: Any, cache: Any) -> None:
    """Everything that a cache can keep."""
    if isinstance(cache, flask_caching.Cache) and isinstance(ported.app, flask.Flask):
        ported.app.config.update(cache.config, TESTING=True)
        cache.init_app(ported.app)
    register_nonce_hooks(ported.server, cache)
    register_temporary_credential_hooks(ported.server, cache)

    def create_token_credential(token: dict[str, str], temporary: Any) -> Token:
        user_id = temporary.get_user_id()
        made = Token(temporary.get_client_id(), token["oauth_token"], token["oauth_token_secret"], user_id)
        ported.database.tokens[token["oauth_token"]] = made
        return made

    ported.server.register_hook("create_token_credential", create_token_credential)


async def check_dance(ported: Any) -> None:
    """A nonce counts once, an approval once, an exchange once."""
    client = Client(ported.app)
    signed = client.sign("POST", "/initiate", client.parameters(callback="https://client.test/ready"))
    answers = await asyncio.gather(*(client.send("POST", "/initiate", signed=signed) for _ in range(5)))
    assert sorted(answer.status for answer in answers) == [200, 401, 401, 401, 401], [a.body for a in answers]
    initiated = next(answer.form for answer in answers if answer.status == 200)
    client.token, client.token_secret = initiated["oauth_token"], initiated["oauth_token_secret"]
    approved = await asyncio.gather(client.approve(), client.approve(), client.approve())
    assert sorted(answer.status for answer in approved) == [302, 409, 409]
    verifier = next(answer.location["oauth_verifier"] for answer in approved if answer.status == 302)
    exchanged = await asyncio.gather(*(client.send("POST", "/token", verifier=verifier) for _ in range(4)))
    assert sorted(answer.status for answer in exchanged) == [200, 401, 401, 401], [a.body for a in exchanged]
    assert [token.user_id for token in ported.database.tokens.values()] == ["7"]


@pytest.mark.parametrize("name", BLOCKING)
@pytest.mark.parametrize("variant", BOTH[1:3], ids=str)
async def test_a_blocking_cache_supports_the_whole_flow(name: str, variant: Variant, places: Places) -> None:
    """The flow and concurrent requests work on Flask and on Quart."""
    ported = make_provider(variant)
    register(ported, make_cache(name, places))
    await check_dance(ported)


@pytest.mark.parametrize("name", ASYNC)
@pytest.mark.parametrize("async_views", [False, True], ids=["plain", "async"])
async def test_an_async_cache_supports_the_whole_flow(name: str, async_views: bool, places: Places) -> None:
    """The flow and concurrent requests work on Quart, on whose loop the cache runs."""
    ported = make_provider(Variant("quart", async_views, async_views))
    register(ported, make_cache(name, places))
    try:
        await check_dance(ported)
    finally:
        await places.close()


class ForgetfulDelete:
    """A cache whose ``delete`` answers None, as that of Authlib's documentation does."""

    def __init__(self) -> None:
        self.cache = cachelib.SimpleCache(threshold=10_000)

    def get(self, key: str) -> Any:
        return self.cache.get(key)

    def set(self, key: str, value: Any, timeout: int) -> None:
        self.cache.set(key, value, timeout)

    def add(self, key: str, value: Any, timeout: int) -> bool:
        return self.cache.add(key, value, timeout)

    def delete(self, key: str) -> None:
        self.cache.delete(key)


class AsyncForgetfulDelete(ForgetfulDelete):
    get = made_async(ForgetfulDelete.get)
    set = made_async(ForgetfulDelete.set)
    add = made_async(ForgetfulDelete.add)
    delete = made_async(ForgetfulDelete.delete)


@pytest.mark.parametrize("cache_class", [ForgetfulDelete, AsyncForgetfulDelete])
async def test_concurrent_deletes_report_one_success_if_the_cache_reports_none(cache_class: Any) -> None:
    """One of eight calls that delete a temporary credential returns true."""
    server = AuthorizationServer(flask.Flask(__name__))
    register_temporary_credential_hooks(server, cache_class())
    hooks = server._hooks
    await resolve(hooks["create_temporary_credential"]({"oauth_token": "t", "oauth_token_secret": "s"}, "c", "oob"))
    if cache_class is ForgetfulDelete:
        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(hooks["delete_temporary_credential"], ["t"] * 8))
    else:
        answers = list(await asyncio.gather(*(hooks["delete_temporary_credential"]("t") for _ in range(8))))
    assert sorted(answers) == [False] * 7 + [True]


class Liar(ForgetfulDelete):
    """A cache whose ``add`` is a ``set``."""

    def add(self, key: str, value: Any, timeout: int) -> bool:
        self.set(key, value, timeout)
        return True


class Amnesiac(ForgetfulDelete):
    """A cache that says yes and keeps nothing."""

    def get(self, key: str) -> Any:
        return None


def noreply(places: Places) -> Any:
    places.made.append(pymemcache.Client(places.memcached.address, serde=pickle_serde))
    return places.made[0]


UNSUITABLE: dict[str, tuple[Any, str]] = {
    "pymemcache": (noreply, r"pymemcache\.Client.*default_noreply=False"),
    "null": (lambda _: flask_cache("NullCache"), r"flask_caching\.NullCache.*RedisCache"),
    "cachelib-null": (lambda _: flask_caching.backends.NullCache(), r"flask_caching\.NullCache.*RedisCache"),
    "liar": (lambda _: Liar(), r"tests\.Liar.*every replay.*RedisCache"),
    "amnesiac": (lambda _: Amnesiac(), r"tests\.Amnesiac.*is not found.*RedisCache"),
}


@pytest.mark.parametrize("name", UNSUITABLE)
def test_an_unsuitable_cache_is_refused(name: str, places: Places) -> None:
    """Every request that needs the cache fails; registering does not call it."""
    make, message = UNSUITABLE[name]
    exists_nonce = create_exists_nonce_func(make(places))
    for _ in range(2):
        with pytest.raises(UnsuitableCacheError, match=message):
            exists_nonce("n", "1", "client", None)


def test_a_client_that_returns_no_dicts_is_refused_for_temporary_credentials(places: Places) -> None:
    """Without a serializer pymemcache returns text for a dict. It is still accepted for nonces."""
    cache = pymemcache.Client(places.memcached.address, default_noreply=False)
    places.made.append(cache)
    server = AuthorizationServer(flask.Flask(__name__))
    register_temporary_credential_hooks(server, cache)
    with pytest.raises(UnsuitableCacheError, match=r"dict.*returned bytes.*serde"):
        server._hooks["create_temporary_credential"]({"oauth_token": "t", "oauth_token_secret": "s"}, "c", "oob")
    exists_nonce = create_exists_nonce_func(cache)
    assert [exists_nonce("n", "1", "client", None) for _ in range(2)] == [False, True]


@pytest.mark.parametrize("name", ["cachelib-simple", "cachelib-files", "flask-caching-simple", "flask-caching-files"])
def test_a_nonce_that_the_cache_dropped_is_still_refused(name: str, places: Places) -> None:
    """A cache of 500 entries gets 1,600 requests; replaying the first is refused through every hook."""
    cache = make_cache(name, places)
    exists_nonce, other = create_exists_nonce_func(cache), create_exists_nonce_func(cache)
    assert not exists_nonce("first", "1", "client", None)
    assert not any(
        exists_nonce(f"n{number}", "1", "client", None) for number in range(1_600 if "simple" in name else 510)
    )
    assert exists_nonce("first", "1", "client", None)
    assert other("first", "1", "client", None)


ADD_NONCES = """
import sys, time, cachelib
from flask_compat import create_exists_nonce_func
exists_nonce = create_exists_nonce_func(cachelib.FileSystemCache(sys.argv[1], threshold=0))
exists_nonce("ready", "1", "client", sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
print(*(number for number in range(300) if not exists_nonce(str(number), "1", "client", None)), flush=True)
"""


def test_two_processes_over_one_folder_accept_a_nonce_once(tmp_path: Path) -> None:
    """The folder is locked, because the cache's ``add`` is a look-up and then a write."""
    command = [sys.executable, "-c", ADD_NONCES, str(tmp_path)]
    processes = [
        subprocess.Popen([*command, str(number)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for number in range(2)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    accepted = [number for process in processes for number in process.communicate()[0].split()]
    assert sorted(accepted) == sorted(map(str, range(300)))


@pytest.mark.parametrize("variant", BOTH, ids=str)
@pytest.mark.parametrize("kind", ["files", "old", "async"])
@pytest.mark.filterwarnings("ignore:.*has no add")
async def test_hooks_over_one_cache_share_its_lock(variant: Variant, kind: str, tmp_path: Path) -> None:
    """One of twelve copies of a request through two servers is accepted, and one of two approvals."""
    from .test_cache import AsyncCache, OldCache

    first, second = make_provider(variant), make_provider(variant)
    shared: Any = {"old": OldCache, "async": AsyncCache, "files": lambda: None}[kind]()
    for ported in (first, second):
        # Two objects, and one folder under two names.
        cache = shared or cachelib.FileSystemCache(str(tmp_path / "." / "cache"))
        register(ported, cache)
    client, other = Client(first.app), Client(second.app)
    signed = client.sign("POST", "/initiate", client.parameters(callback="https://client.test/ready"))
    sent = [each.send("POST", "/initiate", signed=signed) for _ in range(6) for each in (client, other)]
    answers = await asyncio.gather(*sent)
    assert sorted(answer.status for answer in answers) == [200] + [401] * 11
    form = next(answer.form for answer in answers if answer.status == 200)
    client.token = other.token = form["oauth_token"]
    approvals = await asyncio.gather(*(each.approve() for _ in range(3) for each in (client, other)))
    assert sorted(answer.status for answer in approvals) == [302] + [409] * 5


class SlowFiles(cachelib.FileSystemCache):
    """A cache whose ``add`` lets others come between its look and its write, as a busy disk does."""

    def set(self, *args: Any, **kwargs: Any) -> bool:
        if not kwargs.get("mgmt_element"):
            threading.Event().wait(0.005)
        return super().set(*args, **kwargs)


@pytest.mark.parametrize("variant", BOTH, ids=str)
async def test_a_proxy_of_a_cache_per_request_is_one_cache(variant: Variant, tmp_path: Path) -> None:
    """A cache that is made for each request is not called when registered, and has one lock."""
    ported = make_provider(variant)
    g: Any = flask.g if variant.framework == "flask" else quart.g

    def of_request() -> Any:
        if "cache" not in g:
            g.cache = SlowFiles(str(tmp_path))
        return g.cache

    proxy: Any = LocalProxy(of_request)
    register(ported, proxy)
    await check_dance(ported)
    ported.require_oauth.init_app(ported.app, exists_nonce=create_exists_nonce_func(proxy))
    client = Client(ported.app)
    client.token, client.token_secret = "t", "s"
    ported.database.tokens["t"] = Token("client", "t", "s", "7")
    signed = client.sign("GET", "/photos", client.parameters())
    answers = await asyncio.gather(*(client.send("GET", "/photos", signed=signed) for _ in range(6)))
    assert sorted(answer.status for answer in answers) == [200] + [401] * 5


class Untouchable:
    """Reading any attribute raises."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError("Working outside of application context")


def test_registering_does_not_touch_the_cache() -> None:
    """Not even its attributes are read, because a proxy may not have an object yet."""

    def fail() -> Any:
        raise RuntimeError("Working outside of application context")

    server = AuthorizationServer(flask.Flask(__name__))
    for cache in (LocalProxy(fail), Untouchable(), flask_caching.Cache()):
        register_nonce_hooks(server, cache)
        register_temporary_credential_hooks(server, cache)
        create_exists_nonce_func(cache)


async def test_nonces_do_not_expire_if_timestamps_have_no_limit() -> None:
    """A lifetime of 0 is used without a limit, and twice the window plus the tolerance with one."""
    lifetimes: list[int] = []

    class Recorder(ForgetfulDelete):
        def add(self, key: str, value: Any, timeout: int) -> bool:
            if "proof" not in key:
                lifetimes.append(timeout)
            return super().add(key, value, timeout)

    ported = make_provider(Variant("flask", False, False))
    register_nonce_hooks(ported.server, Recorder())
    ported.require_oauth.init_app(ported.app, exists_nonce=create_exists_nonce_func(Recorder(), expires=60))
    ported.database.tokens["t"] = Token("client", "t", "s", "7")
    clients = {None: Client(ported.app), "t": Client(ported.app, token="t", token_secret="s")}
    # What counts is the window when the nonce is used, not the one when the hook was made.
    for server, window in ((ported.server, None), (ported.require_oauth, 0), (ported.require_oauth, 5_000)):
        server.EXPIRY_TIME = window
        if server is ported.server:
            answer = await clients[None].send("POST", "/initiate", callback="oob")
        else:
            answer = await clients["t"].send("GET", "/photos")
        assert answer.status == 200, answer.body
    assert lifetimes == [0, 0, 10_060]


@pytest.mark.parametrize("name", WITH_SERVER)
async def test_a_cache_that_is_down_gives_503(name: str, tmp_path: Path) -> None:
    """The response has Retry-After, before and after the first use of the cache."""
    places = Places(tmp_path, Valkey(), Memcached())
    ported = make_provider(Variant("quart", True, False))
    register(ported, make_cache(name, places))
    client = Client(ported.app)
    try:
        assert (await client.send("POST", "/initiate", callback="oob")).status == 200
        places.valkey.kill()
        places.memcached.kill()
        answer = await client.send("POST", "/initiate", callback="oob")
        assert answer.status == 503, answer.body
        assert answer.headers["Retry-After"]
        other = make_provider(Variant("quart", True, False))
        register(other, make_cache(name, places))
        assert (await Client(other.app).send("POST", "/initiate", callback="oob")).status == 503
    finally:
        await places.close()
        places.valkey.close()
        places.memcached.close()


def test_driver_errors_are_told_from_programming_errors() -> None:
    """Errors are recognised by module and class; an argument that cannot be sent is not an outage."""
    from flask_compat.caching.kinds import is_driver_error

    down = [redis.exceptions.ConnectionError(), redis.exceptions.ReadOnlyError(), pylibmc.ServerDown("x")]
    down += [pymemcache.exceptions.MemcacheUnexpectedCloseError()]
    assert all(map(is_driver_error, down))
    mistakes = [
        redis.exceptions.DataError(),
        pymemcache.exceptions.MemcacheIllegalInputError(),
        ValueError(),
        OSError(),
    ]
    assert not any(map(is_driver_error, mistakes))


def test_a_cache_that_cannot_write_is_unavailable(tmp_path: Path) -> None:
    """A nonce that ``add`` neither stores nor finds raises StoreUnavailableError."""

    class FullDisk(ForgetfulDelete):
        full = False

        def add(self, key: str, value: Any, timeout: int) -> bool:
            return False if self.full else super().add(key, value, timeout)

    cache = FullDisk()
    exists_nonce = create_exists_nonce_func(cache)
    assert not exists_nonce("a", "1", "client", None)
    cache.full = True
    assert exists_nonce("a", "1", "client", None)
    with pytest.raises(StoreUnavailableError):
        exists_nonce("b", "1", "client", None)


@pytest.mark.parametrize(
    ("make", "numbers"),
    [
        (lambda _: cachelib.SimpleCache(threshold=321), ["SimpleCache", "321", "one process"]),
        (lambda places: cachelib.FileSystemCache(str(places.folder), threshold=77), ["FileSystemCache", "77"]),
        (lambda places: make_cache("cachelib-redis", places), ["RedisCache", "allkeys-lru", "104857600"]),
        (lambda places: make_cache("pymemcache", places), ["16777216", "limit_maxbytes"]),
    ],
    ids=["simple", "files", "redis", "memcached"],
)
def test_the_limits_of_a_cache_are_logged_once(
    make: Any, numbers: list[str], places: Places, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One warning names the cache and its limits, at the first use."""
    monkeypatch.setattr("flask_compat.caching.suitability._logged", set())
    with places.valkey.client() as client:
        client.config_set("maxmemory", "100mb")
        client.config_set("maxmemory-policy", "allkeys-lru")
    try:
        with caplog.at_level(logging.WARNING, "flask_compat"):
            cache = make(places)
            hooks = [create_exists_nonce_func(cache) for _ in range(2)]
            assert not caplog.records
            for number, hook in enumerate(hooks):
                hook(str(number), "1", "client", None)
    finally:
        with places.valkey.client() as client:
            client.config_set("maxmemory", "0")
            client.config_set("maxmemory-policy", "noeviction")
    assert len(caplog.messages) == 1
    assert all(number in caplog.messages[0] for number in numbers), caplog.messages


def test_a_redis_without_maxmemory_is_not_warned_about(places: Places, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is logged for a cache that does not drop entries."""
    create_exists_nonce_func(make_cache("cachelib-redis", places))("n", "1", "client", None)
    assert not caplog.records
