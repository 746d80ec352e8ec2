"""Questions that arrive while a statement runs share the next one, and a bad one fails alone."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import Text, insert, text, type_coerce, update
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from async_oauth1.credentials import Client
from async_oauth1.errors import StoreUnavailableError
from tests.servers import Postgres
from tests.stress import sample

from .conftest import DRIVERS
from .models import FullClient, PlainBase, PlainClient, PlainToken
from .provider import PlainProvider
from .records import RecordStore
from .test_statements import counted

everywhere = pytest.mark.parametrize("driver", sample(DRIVERS, 2))


@everywhere
async def test_requests_at_once_share_statements(provider: PlainProvider, engine: AsyncEngine) -> None:
    """Forty requests with two tokens and some unknown ones get their own answers with a few statements."""
    signers = [await provider.token(), await provider.token()]
    wires = [signers[number % 2].wire() for number in range(36)]
    unknown = [provider.signer.with_token(f"unknown{number}", "s").wire() for number in range(4)]
    sent = counted(engine)
    answers = await asyncio.gather(*(provider.protect(wire) for wire in (*unknown, *wires)))
    assert answers[:4] == [401] * 4
    tokens = [answer.credential.oauth_token for answer in answers[4:]]
    assert tokens == [signer.token for signer in signers] * 18
    assert len(sent) < 20


@everywhere
async def test_known_nonces_beside_new_ones(provider: PlainProvider) -> None:
    """A batch with nonces that were used before accepts the new ones once, and refuses the others."""
    signer = await provider.token()
    used = [signer.wire() for _ in range(3)]
    for wire in used:
        assert not isinstance(await provider.protect(wire), int)
    new = [signer.wire() for _ in range(20)]
    answers = await asyncio.gather(*(provider.protect(wire) for wire in (*new[:10], *used, *new)))
    assert answers[10:13] == [401] * 3
    assert answers[13:23] == [401] * 10
    assert not [answer for answer in (*answers[:10], *answers[23:]) if isinstance(answer, int)]


@everywhere
async def test_names_that_differ_in_case(provider: PlainProvider, engine: AsyncEngine) -> None:
    """In one batch, too, each name finds its own row."""
    names = ["printer", "Printer", "PRINTER "]
    for name in names:
        await provider.store.add_client(PlainClient(client_id=name, client_secret=name))
    found = await asyncio.gather(*(provider.store.query_client(name) for name in (*names, "pRINTER", "printer ")))
    assert [client and client.client_secret for client in found] == [*names, None, None]


async def test_a_token_of_another_client(provider: PlainProvider) -> None:
    """In a batch, a token is found with its own client alone."""
    signer = await provider.token()
    await provider.store.add_client(PlainClient(client_id="other", client_secret="s"))
    store, token, own = provider.store, signer.token or "", signer.client_id
    pairs = [("other", token), (own, token), ("unknown", token), (own, "unknown")]
    found = await asyncio.gather(*(store.query_credentials(*pair) for pair in pairs))
    assert [(client and client.client_id, credential is not None) for client, credential in found] == [
        ("other", False),
        (own, True),
        (None, False),
        (own, False),
    ]
    assert [each is not None for each in await asyncio.gather(*(store.query_token(*pair) for pair in pairs))] == [
        False,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
async def test_a_name_that_the_database_refuses(driver: str, postgres: Postgres) -> None:
    """In a database without the character, that look-up is a 503, and its neighbours are answered."""
    postgres.sql("DROP DATABASE IF EXISTS latin1 WITH (FORCE)")
    postgres.sql("CREATE DATABASE latin1 TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
    engine = create_async_engine(postgres.sqlalchemy_url("latin1", f"postgresql+{driver}"))
    try:
        async with engine.begin() as connection:
            await connection.run_sync(PlainBase.metadata.create_all)
        provider = await PlainProvider.over(engine)
        names = ["dpf43f3p2l4k3l03", "€", *(f"unknown{number}" for number in range(30)), "€2"]
        questions = (provider.store.query_client(name) for name in names)
        answers = await asyncio.gather(*questions, return_exceptions=True)
    finally:
        await engine.dispose()
    assert isinstance(answers[0], PlainClient)
    assert [isinstance(answer, StoreUnavailableError) for answer in answers] == ["€" in name for name in names]


async def test_a_row_that_cannot_be_read(engine: AsyncEngine, caplog: pytest.LogCaptureFixture) -> None:
    """A row whose secret is not a text is a 503 for its own request; the log names the row and not the value."""
    provider = await PlainProvider.over(engine)
    signer = await provider.token()
    async with engine.begin() as connection:
        values = {"client_id": signer.client_id, "oauth_token": "bad", "oauth_token_secret": "hidden-secret"}
        await connection.execute(insert(PlainToken), [{**values, "user_id": 7}])
        await connection.execute(text("UPDATE token SET oauth_token_secret = x'ff00' WHERE oauth_token = 'bad'"))
        await connection.execute(text("UPDATE token SET user_id = 'seven' WHERE oauth_token = 'bad'"))
    bad = provider.signer.with_token("bad", "hidden-secret")
    answers = await asyncio.gather(*(provider.protect(each.wire()) for each in (signer, bad, signer, signer)))
    assert answers[1] == 503
    assert not [answer for answer in (answers[0], *answers[2:]) if isinstance(answer, int)]
    assert "a secret of the PlainToken 'bad'... is damaged" in caplog.text
    assert "hidden-secret" not in caplog.text


async def test_a_column_that_cannot_be_read(database_url: str, caplog: pytest.LogCaptureFixture) -> None:
    """A row that a column's type refuses is a 503 for its own client. The log names the error and no value.

    The other databases store no text in the column.
    """
    store = RecordStore(database_url)
    await store.migrate()
    async with store:
        names = [f"client{number}" for number in range(6)]
        for name in names:
            await store.add_client(Client(client_id=name, client_secret="hidden-secret"))
        async with store.engine.begin() as connection:
            await connection.execute(
                update(FullClient)
                .where(FullClient.client_id == "client3")
                .values(callbacks=type_coerce('"no list', Text))
            )
        answers = await asyncio.gather(*map(store.query_client, [*names, "client3"]), return_exceptions=True)
    refused = [isinstance(answer, StoreUnavailableError) for answer in answers]
    assert refused == [name == "client3" for name in [*names, "client3"]]
    assert "a row cannot be read (JSONDecodeError)" in caplog.text
    assert "hidden-secret" not in caplog.text


async def test_a_closed_store_has_answered(provider: PlainProvider) -> None:
    """Closing waits for look-ups that are under way."""
    async with provider.store as store:
        asked = [asyncio.ensure_future(store.query_client("dpf43f3p2l4k3l03")) for _ in range(5)]
        await asyncio.sleep(0)
    assert all(client is not None for client in await asyncio.gather(*asked))
