"""What is tolerated of a client, with clients, tokens and nonces in real stores, and with a cache."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import parse_qs

import pytest
import pytest_asyncio

from async_oauth1 import Client
from async_oauth1.errors import OAuth1Error
from async_oauth1.provider.authorization_server import AuthorizationServer
from async_oauth1.provider.resource_protector import ResourceProtector
from async_oauth1.stores import Store, TransientStore, open_store
from async_oauth1.stores.caching import CachingStore, open_change_feed
from tests.protocol.wire import NOW, Signer, Wire
from tests.provider.provider import CALLBACK
from tests.provider.test_tolerances import CASES, POLICY, header_of, with_header, without
from tests.servers import Postgres, Valkey, patient

TOLERANCES = tuple(dict.fromkeys(case.tolerance for case in CASES.values()))


@dataclass
class Served:
    """Both servers over their stores.

    Attributes:
        store: clients and token credentials.
        lax: a client of which everything is tolerated, with a token.
        strict: one of which nothing is.
    """

    server: AuthorizationServer
    protector: ResourceProtector
    store: Store
    lax: Signer
    strict: Signer

    async def answer(self, wire: Wire) -> str:
        """Empty if the request is accepted, else the error."""
        try:
            await self.protector.validate_request(wire.read())
        except OAuth1Error as error:
            return error.error or ""
        return ""


async def signer(store: Store, name: str, tolerances: tuple[str, ...]) -> Signer:
    """Register a client, with a token."""
    secret = f"{name}-secret"
    await store.add_client(Client(client_id=name, client_secret=secret, callbacks=(CALLBACK,), tolerances=tolerances))
    token = await store.issue_token_credential(name, "jane")
    return Signer(name, secret).with_token(token.oauth_token, token.oauth_token_secret)


@pytest_asyncio.fixture(params=["sqlite", "postgres", "postgres with a cache", "sqlite and valkey"])
async def served(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Served]:
    """The servers over each kind of store."""
    url = f"sqlite:///{tmp_path}/store.db"
    if "postgres" in request.param:
        postgres: Postgres = request.getfixturevalue("postgres")
        postgres.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        url = postgres.url
    store = open_store(url, clock=lambda: NOW)
    if "cache" in request.param:
        store = CachingStore(store, open_change_feed(url), clock=lambda: NOW)
    nonces: TransientStore = store
    if "valkey" in request.param:
        valkey: Valkey = request.getfixturevalue("valkey")
        valkey.flush()
        nonces = open_store(patient(valkey.url), clock=lambda: NOW)
    async with AsyncExitStack() as stores:
        for one in dict.fromkeys((store, nonces)):
            await one.migrate()
            await stores.enter_async_context(one)
        server = AuthorizationServer(POLICY, clock=lambda: NOW)
        protector = ResourceProtector(POLICY, clock=lambda: NOW)
        if nonces is not store:
            server.register_hooks(nonces)
            protector.register_hooks(nonces)
        server.register_hooks(store)
        protector.register_hooks(store)
        lax, strict = await signer(store, "lax", TOLERANCES), await signer(store, "strict", ())
        yield Served(server, protector, store, lax, strict)


async def test_each_form_is_accepted_of_its_client_alone(served: Served) -> None:
    """The nonce is used by the store, so the same request is refused when it comes again."""
    for name, case in CASES.items():
        wire = case.make(served.lax)
        assert await served.answer(wire) == "", name
        assert await served.answer(wire) == "invalid_nonce", name
        assert await served.answer(case.make(served.strict)) == case.code, name
        forged = replace(served.lax, client_secret="x")
        assert await served.answer(case.make(forged)) == case.code, name


async def test_an_edit_takes_effect_at_once(served: Served) -> None:
    """Also behind a cache."""
    case = CASES["other in header"]
    assert await served.answer(case.make(served.lax)) == ""
    await served.store.update_client("lax", tolerances=())
    assert await served.answer(case.make(served.lax)) == case.code
    await served.store.update_client("strict", tolerances=("other_header_parameters",))
    assert await served.answer(case.make(served.strict)) == ""


async def test_the_dance(served: Served) -> None:
    """A client that sends its verifier in the form goes through all steps, and its ended credentials are told."""
    client = replace(served.lax, token=None, token_secret="")
    initiated = await served.server.create_temporary_credentials_response(
        client.wire("POST", b"/initiate", oauth_callback=CALLBACK).read()
    )
    given = {name: values[0] for name, values in parse_qs(initiated.body).items()}
    temporary = client.with_token(given["oauth_token"], given["oauth_token_secret"])
    query = f"oauth_token={temporary.token}".encode()
    decision = await served.server.authorize(Wire(raw_path=b"/authorize", raw_query=query).read(), "jane")
    for expected in (200, 401):
        wire, verifier = without(temporary.wire("POST", oauth_verifier=decision.verifier), b"oauth_verifier")
        wire = with_header(wire, header_of(wire)).changed(
            headers=(*wire.headers, (b"content-type", b"application/x-www-form-urlencoded")),
            body=b"oauth_verifier=" + verifier,
        )
        exchanged = await served.server.create_token_response(wire.read())
        assert exchanged.status_code == expected
    assert "error=token_rejected" in exchanged.body
