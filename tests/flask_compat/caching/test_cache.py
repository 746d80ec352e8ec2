"""Nonces and temporary credentials in plain and async caches, with and without ``add``."""

from __future__ import annotations

import asyncio
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import aiocache
import cachelib
import flask
import flask_caching
import pytest

from flask_compat import create_exists_nonce_func, register_nonce_hooks, register_temporary_credential_hooks
from tests.flask_compat.client import Client
from tests.flask_compat.ported import Variant, made_async, make_provider


class OldCache:
    """A cache with only the methods that Authlib uses: no ``add``, and slow enough for a race."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    def get(self, key: str) -> Any:
        return self.values.get(key)

    def has(self, key: str) -> bool:
        known = key in self.values
        time.sleep(0.001)
        return known

    def set(self, key: str, value: Any, timeout: int | None = None) -> None:
        self.values[key] = value

    def delete(self, key: str) -> None:
        self.values.pop(key, None)


class DocumentedCache:
    """What Authlib's documentation asks for: ``get``, ``set(expires=)``, ``delete``."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    def get(self, key: str) -> Any:
        return self.values.get(key)

    def set(self, key: str, value: Any, expires: int | None = None) -> None:
        self.values[key] = value

    def delete(self, key: str) -> None:
        self.values.pop(key, None)


class AsyncCache(OldCache):
    """The same, async."""

    get = made_async(OldCache.get)
    set = made_async(OldCache.set)
    delete = made_async(OldCache.delete)

    async def has(self, key: str) -> bool:  # type: ignore[override]
        known = key in self.values
        await asyncio.sleep(0.001)
        return known


class AwaitableCache(OldCache):
    """Plain methods that return awaitables, as clients of networks often have."""

    def get(self, key: str) -> Any:
        return made_async(OldCache.get)(self, key)

    def set(self, key: str, value: Any, timeout: int | None = None) -> Any:
        return made_async(OldCache.set)(self, key, value, timeout)


def flask_cache() -> Any:
    app = flask.Flask(__name__)
    cache = flask_caching.Cache(app, config={"CACHE_TYPE": "SimpleCache"})
    return cache.cache


def make_cache(kind: str, folder: Path) -> Any:
    made: Any = {
        "old": OldCache,
        "documented": DocumentedCache,
        "async": AsyncCache,
        "awaitable": AwaitableCache,
        "cachelib": cachelib.SimpleCache,
        "files": lambda: cachelib.FileSystemCache(str(folder)),
        "flask-caching": flask_cache,
        "aiocache": aiocache.SimpleMemoryCache,
    }[kind]()
    return made


PLAIN = ["old", "documented", "cachelib", "files", "flask-caching"]
ALL = [*PLAIN, "async", "awaitable", "aiocache"]


@pytest.fixture(params=ALL)
def cache(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    return make_cache(request.param, tmp_path)


@pytest.fixture(
    params=[Variant(framework, is_async, False) for framework in ("flask", "quart") for is_async in (False, True)],
    ids=str,
)
def variant(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.mark.filterwarnings("ignore:.*has no add")
async def test_a_cache_keeps_nonces_and_temporary_credentials(cache: Any, variant: Variant) -> None:
    """A nonce is accepted once; a temporary credential is approved once and exchanged once."""
    ported = make_provider(variant)
    register_nonce_hooks(ported.server, cache)
    register_temporary_credential_hooks(ported.server, cache)
    ported.server.register_hook("create_token_credential", lambda token, temporary: _keep(ported, token, temporary))
    client = Client(ported.app)
    signed = client.sign("POST", "/initiate", client.parameters(callback="https://client.test/ready"))
    initiated = await client.send("POST", "/initiate", signed=signed)
    assert initiated.status == 200, initiated.body
    assert (await client.send("POST", "/initiate", signed=signed)).form["error"] == "invalid_nonce"
    client.token, client.token_secret = initiated.form["oauth_token"], initiated.form["oauth_token_secret"]
    verifier = (await client.approve()).location["oauth_verifier"]
    assert (await client.approve()).status == 409
    assert (await client.send("POST", "/token", verifier="wrong")).form["error"] == "invalid_request"
    answers = await asyncio.gather(*(client.send("POST", "/token", verifier=verifier) for _ in range(5)))
    assert sorted(answer.status for answer in answers) == [200, 401, 401, 401, 401]
    assert ported.database.tokens[next(iter(ported.database.tokens))].user_id == "7"


def _keep(ported: Any, token: dict[str, str], temporary: Any) -> Any:
    from tests.flask_compat.ported import Token

    made = Token(temporary.get_client_id(), token["oauth_token"], token["oauth_token_secret"], temporary.get_user_id())
    ported.database.tokens[token["oauth_token"]] = made
    return made


@pytest.mark.filterwarnings("ignore:.*has no add")
@pytest.mark.parametrize("kind", PLAIN)
def test_one_of_twenty_concurrent_replays_is_accepted_in_threads(kind: str, tmp_path: Path) -> None:
    """One of twenty threads succeeds, also with a cache that has only ``has`` and ``set``."""
    exists_nonce = create_exists_nonce_func(make_cache(kind, tmp_path))
    barrier = threading.Barrier(20)

    def replay(_: int) -> bool:
        barrier.wait()
        return bool(exists_nonce("n", "1", "client", None))

    with ThreadPoolExecutor(20) as threads:
        assert sorted(threads.map(replay, range(20))) == [False] + [True] * 19


@pytest.mark.filterwarnings("ignore:.*has no add")
@pytest.mark.parametrize("kind", ["async", "aiocache"])
async def test_one_of_twenty_concurrent_replays_is_accepted_on_a_loop(kind: str, tmp_path: Path) -> None:
    """One of twenty tasks succeeds on an event loop."""
    exists_nonce = create_exists_nonce_func(make_cache(kind, tmp_path))
    answers = await asyncio.gather(*(exists_nonce("n", "1", "client", "token") for _ in range(20)))
    assert sorted(answers) == [False] + [True] * 19


def test_a_cache_without_add_causes_one_warning() -> None:
    """The warning names the cache and the race between processes."""
    cache = OldCache()
    with pytest.warns(RuntimeWarning, match=r"OldCache has no add\(\).*race"):
        create_exists_nonce_func(cache)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        create_exists_nonce_func(cache)
        create_exists_nonce_func(cachelib.SimpleCache())


@pytest.mark.filterwarnings("ignore:.*has no add")
def test_keys_are_unique_and_valid_for_memcached() -> None:
    """Tokens get Authlib's keys, different nonces get different keys, and Memcached accepts every key."""
    cache = OldCache()
    server = make_provider(Variant("flask", False, False)).server
    register_temporary_credential_hooks(server, cache)
    hook = server._hooks["create_temporary_credential"]
    hook({"oauth_token": "abc", "oauth_token_secret": "s"}, "client", "oob")
    assert cache.values["temporary_credential:abc"]["client_id"] == "client"
    exists_nonce = create_exists_nonce_func(cache)
    assert not exists_nonce("N", "1", "client", "tok")
    assert not exists_nonce("N", "1", "client-tok", None)
    assert not exists_nonce("N-1", "1", "client", "tok")
    assert not exists_nonce("ü " * 100, "1", "client", None)
    get = server._hooks["get_temporary_credential"]
    assert get("x y\u2603" * 60) is None
    assert get(None) is None
    assert server._hooks["delete_temporary_credential"](None) is None
    assert all(len(key) <= 250 and key.isascii() and " " not in key for key in cache.values)


def test_a_short_nonce_lifetime_is_raised_to_the_timestamp_window() -> None:
    """A shorter lifetime would allow replays."""
    lifetimes = []

    class Cache(OldCache):
        def add(self, key: str, value: Any, timeout: int) -> bool:
            if "proof" not in key:
                lifetimes.append(timeout)
            return self.values.setdefault(key, value) is value and self.adds(key)

        def adds(self, key: str) -> bool:
            known = key in added
            added.add(key)
            return not known

    for expires in (86400, 60, 0, None):
        added: set[str] = set()
        create_exists_nonce_func(Cache(), expires=expires)("n", "1", "c", None)
    assert lifetimes == [86400, 660, 0, 86400]
