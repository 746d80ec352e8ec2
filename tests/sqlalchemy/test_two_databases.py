"""Models in two databases: each statement goes to its own, and an exchange still gives one token."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

from async_oauth1.credentials import Client
from async_oauth1.sqlalchemy import SQLAlchemyStore
from tests.sqlalchemy.provider import CALLBACK, PlainProvider

from .models import Base, FullClient, FullTemporary, FullToken, Nonce


async def test_the_whole_flow(tmp_path: Path) -> None:
    """Clients and tokens are in one, temporary credentials and nonces in the other."""
    engines = [create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/{name}.db") for name in ("lasting", "passing")]
    places = {FullClient: engines[0], FullToken: engines[0], FullTemporary: engines[1], Nonce: engines[1]}
    for engine in engines:
        async with engine.begin() as connection:
            tables: list[Any] = [model.__table__ for model, place in places.items() if place is engine]
            await connection.run_sync(lambda sync, tables=tables: Base.metadata.create_all(sync, tables=tables))
    store = SQLAlchemyStore(
        async_sessionmaker(binds=places),
        Client=FullClient,
        TokenCredential=FullToken,
        TemporaryCredential=FullTemporary,
        Nonce=Nonce,
    )
    async with store:
        await store.add_client(
            Client(client_id="dpf43f3p2l4k3l03", client_secret="kd94hf93k423kf44", callbacks=(CALLBACK,))
        )
        provider = PlainProvider(store)
        temporary = await provider.temporary()
        verifier = (await provider.approve(temporary.token)).verifier
        wires = [temporary.wire("POST", b"/token", oauth_verifier=verifier) for _ in range(6)]
        responses = await asyncio.gather(*(provider.exchange(wire) for wire in wires))
        assert sorted(response.status_code for response in responses) == [200] + [401] * 5
        (token,) = await store.list_token_credentials()
        signer = provider.signer.with_token(token.oauth_token, token.get_oauth_token_secret())
        wire = signer.wire()
        assert not isinstance(await provider.protect(wire), int)
        assert await provider.protect(wire) == 401
        assert await store.remove_client("dpf43f3p2l4k3l03")
        assert await provider.protect(signer.wire()) == 401
    for engine in engines:
        await engine.dispose()
