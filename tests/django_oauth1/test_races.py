"""Copies of one request at once, in threads of two processes: one is accepted, and none is an error of the server."""

from __future__ import annotations

import http.client
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from requests_oauthlib import OAuth1

from tests.servers.memcached import Memcached, memcached_binary
from tests.servers.postgres import Postgres
from tests.servers.processes import Server, wait_until
from tests.servers.valkey import Valkey
from tests.stress import STRESS, sample

from .serving import CALLBACK, Provider, serving

COPIES = 12
STORAGES = ("models", "postgres", "redis", "memcached", "table")
CASES = [(storage, server) for storage in STORAGES for server in ("gunicorn", "uvicorn")]
WORKERS = "gunicorn with 2 workers"


@pytest.fixture
def storage(request: pytest.FixtureRequest) -> Iterator[str]:
    """Start what a kind of storage needs; its name and address."""
    kind = request.param
    if kind == "memcached" and memcached_binary() is None and not os.environ.get("CI"):
        pytest.skip("no memcached on this machine")
    starters: dict[str, Callable[[], Server]] = {"postgres": Postgres, "redis": Valkey, "memcached": Memcached}
    if kind not in starters:
        yield kind
        return
    server = starters[kind]()
    try:
        yield f"{kind} {address_of(server)}"
    finally:
        server.close()


def address_of(server: Server) -> str:
    if isinstance(server, Postgres):
        return str(server.folder)
    return server.url if isinstance(server, Valkey) else server.address  # type: ignore[attr-defined]


def send(provider: Provider, signed: requests.PreparedRequest, process: int) -> int:
    """Send a copy to one of the processes, as if a balancer stood in front of both."""
    target = urlsplit(str(signed.url))
    connection = http.client.HTTPConnection("127.0.0.1", provider.ports[process % len(provider.ports)], timeout=60)
    headers = {name: value.decode() if isinstance(value, bytes) else value for name, value in signed.headers.items()}
    connection.request(str(signed.method), target.path, signed.body, {**headers, "Host": target.netloc})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def race(provider: Provider, method: str, path: str, **credentials: str) -> list[int]:
    """Send copies of one signed request to both processes at once."""
    auth = OAuth1("printer", client_secret=provider.secret, **credentials)
    signed = requests.Request(method, provider.url(path), auth=auth).prepare()
    with ThreadPoolExecutor(COPIES) as threads:
        return sorted(threads.map(lambda number: send(provider, signed, number % 2), range(COPIES)))


ONE = [200] + [401] * (COPIES - 1)


def check_all(provider: Provider, rounds: int) -> None:
    browser = provider.signed_in()
    for _ in range(rounds):
        assert race(provider, "POST", "/oauth/initiate", callback_uri=CALLBACK) == ONE
        pending = provider.pending()
        with ThreadPoolExecutor(2) as threads:
            answers = list(threads.map(provider.decide, [browser] * 2, [pending["oauth_token"]] * 2))
        assert [answer.status_code for answer in answers] == [302, 302]
        callbacks = {answer.headers["Location"] for answer in answers}
        assert len(callbacks) == 1  # two clicks of one user are one approval
        with ThreadPoolExecutor(2) as threads:
            callback = callbacks.pop()
            exchanges = [threads.submit(provider.exchanged, pending, callback) for _ in range(2)]
        tokens = [exchange.result() for exchange in exchanges if exchange.exception() is None]
        refusals = [str(exchange.exception()) for exchange in exchanges if exchange.exception() is not None]
        assert len(tokens) == 1, refusals
        assert "token_rejected" in refusals[0] or "invalid_token" in refusals[0]
        owner = {
            "resource_owner_key": tokens[0]["oauth_token"],
            "resource_owner_secret": tokens[0]["oauth_token_secret"],
        }
        assert race(provider, "GET", "/photos", **owner) == ONE
        assert race(provider, "GET", "/photos/async", **owner) == ONE


@pytest.mark.stress
@pytest.mark.parametrize(("storage", "server"), sample(CASES, 2), indirect=["storage"])
def test_one_copy_is_accepted(storage: str, server: str, tmp_path: Path, repository: Path) -> None:
    """In each round: 12 copies with and without a token, two approvals, and two exchanges, at two processes."""
    with serving(server, tmp_path, repository, processes=2, PROVIDER_STORAGE=storage) as provider:
        check_all(provider, 50 if STRESS else 1)


@pytest.mark.stress
@pytest.mark.parametrize("storage", ["redis"], indirect=True)
def test_one_copy_is_accepted_by_two_workers(storage: str, tmp_path: Path, repository: Path) -> None:
    """The same behind one address, where the kernel chooses one of gunicorn's workers; both take part."""
    with serving(WORKERS, tmp_path, repository, PROVIDER_STORAGE=storage) as provider:
        wait_until(lambda: len(workers_that_answer(provider)) == 2, "both workers answer")
        check_all(provider, 50 if STRESS else 1)


def workers_that_answer(provider: Provider) -> set[str]:
    """The process IDs of the workers that answer some requests at once."""
    with ThreadPoolExecutor(COPIES) as threads:
        return set(threads.map(lambda _: requests.get(provider.url("/worker"), timeout=60).text, range(COPIES)))


@pytest.mark.stress
@pytest.mark.parametrize(("storage", "again"), sample([("models", True), ("redis", False)], 1), indirect=["storage"])
def test_a_process_dies_in_an_exchange(storage: str, again: bool, tmp_path: Path, repository: Path) -> None:
    """In models the exchange can be repeated; in a cache the client starts again. There are never two tokens."""
    dies = tmp_path / "dies"
    with serving(
        "uvicorn", tmp_path, repository, processes=2, PROVIDER_STORAGE=storage, PROVIDER_DIES=str(dies)
    ) as provider:
        pending = provider.pending()
        callback = provider.decide(provider.signed_in(), pending["oauth_token"]).headers["Location"]
        dies.touch()
        with pytest.raises(requests.ConnectionError):
            provider.exchanged(pending, callback)
        dies.unlink()
        provider.ports.reverse()
        if again:
            assert provider.exchanged(pending, callback)["oauth_token"]
        with pytest.raises(Exception, match=r"token_rejected|invalid_token"):
            provider.exchanged(pending, callback)


def test_nonces_are_stored_outside_of_the_transactions_of_views(tmp_path: Path, repository: Path) -> None:
    """With ATOMIC_REQUESTS, too, one of 12 copies is accepted, and none is an error."""
    with serving("gunicorn", tmp_path, repository, PROVIDER_ATOMIC="1") as provider:
        assert race(provider, "POST", "/oauth/initiate", callback_uri=CALLBACK) == ONE
        token = provider.token()
        owner = {"resource_owner_key": token["oauth_token"], "resource_owner_secret": token["oauth_token_secret"]}
        assert race(provider, "GET", "/photos", **owner) == ONE
