"""What a foreign key or another constraint of the application's refuses is an answer to the request, never a 500."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import CheckConstraint, ForeignKey, event, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from async_oauth1.errors import InvalidClientError, InvalidRequestError, TokenRejectedError
from async_oauth1.sqlalchemy import (
    OAuth1ClientMixin,
    OAuth1TemporaryCredentialMixin,
    OAuth1TimestampNonceMixin,
    OAuth1TokenCredentialMixin,
    SQLAlchemyStore,
    UnsuitableModelError,
)

from .conftest import Engines
from .provider import PlainProvider

pytestmark = pytest.mark.parametrize("driver", ["sqlite", "asyncpg", "mariadb", "psycopg"])

TOKEN = {"oauth_token": "t" * 42, "oauth_token_secret": "s" * 48}


class Base(DeclarativeBase):
    pass


class Person(Base):
    __tablename__ = "person"

    id: Mapped[int] = mapped_column(primary_key=True)


class Client(OAuth1ClientMixin, Base):
    __tablename__ = "strict_client"

    id: Mapped[int] = mapped_column(primary_key=True)


class Temporary(OAuth1TemporaryCredentialMixin, Base):
    """Refers to a client and a user, and takes callbacks over https alone."""

    __tablename__ = "strict_temporary"
    __table_args__ = (CheckConstraint("oauth_callback NOT LIKE 'ftp:%'"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    client_id: Mapped[str] = mapped_column(Client.client_id.type, ForeignKey("strict_client.client_id"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))


class Token(OAuth1TokenCredentialMixin, Base):
    __tablename__ = "strict_token"

    id: Mapped[int] = mapped_column(primary_key=True)
    client_id: Mapped[str] = mapped_column(Client.client_id.type, ForeignKey("strict_client.client_id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("person.id"))


class Device(Base):
    """A table of the application that refers to clients."""

    __tablename__ = "device"

    id: Mapped[int] = mapped_column(primary_key=True)
    client_id: Mapped[str] = mapped_column(Client.client_id.type, ForeignKey("strict_client.client_id"))


class Nonce(OAuth1TimestampNonceMixin, Base):
    __tablename__ = "strict_nonce"

    id: Mapped[int] = mapped_column(primary_key=True)


class OtherBase(DeclarativeBase):
    pass


class BoundNonce(OAuth1TimestampNonceMixin, OtherBase):
    __tablename__ = "bound_nonce"

    id: Mapped[int] = mapped_column(primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("strict_client.client_id"))


def refer(connection: Any, _: object) -> None:
    connection.execute("PRAGMA foreign_keys=ON")


@pytest_asyncio.fixture
async def strict(engines: Engines) -> AsyncIterator[AsyncEngine]:
    """An engine on tables with foreign keys, which SQLite enforces only if it is asked to; one user."""
    engine = engines()
    if engine.dialect.name == "sqlite":
        event.listen(engine.sync_engine, "connect", refer)
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
        await connection.execute(insert(Person), [{"id": 7}])
    yield engine


def new_store(engine: AsyncEngine, **options: Any) -> SQLAlchemyStore[Client, Token, Temporary]:
    given: dict[str, Any] = {"Nonce": Nonce, **options}
    return SQLAlchemyStore(
        async_sessionmaker(engine), Client=Client, TokenCredential=Token, TemporaryCredential=Temporary, **given
    )


@pytest_asyncio.fixture
async def provider(strict: AsyncEngine) -> PlainProvider:
    """A provider over these models, with one client."""
    provider = PlainProvider(new_store(strict))
    await provider.store.add_client(Client(client_id="dpf43f3p2l4k3l03", client_secret="kd94hf93k423kf44"))
    return provider


async def test_a_user_that_was_removed_after_the_approval(provider: PlainProvider, strict: AsyncEngine) -> None:
    """The exchange is refused, and no token is left; the same in two steps."""
    temporary = await provider.temporary()
    verifier = (await provider.approve(temporary.token)).verifier
    found = await provider.store.get_temporary_credential(temporary.token or "")
    async with strict.begin() as connection:
        if strict.dialect.name == "postgresql":  # as in a database whose models do not cascade
            await connection.execute(text("ALTER TABLE strict_temporary DROP CONSTRAINT strict_temporary_user_id_fkey"))
        elif strict.dialect.name == "mysql":
            await connection.execute(text("SET foreign_key_checks=0"))
        else:
            await connection.execute(text("PRAGMA defer_foreign_keys=ON"))
            await connection.execute(text("UPDATE strict_temporary SET user_id = NULL"))
        await connection.execute(text("DELETE FROM person"))
        if strict.dialect.name == "mysql":
            await connection.execute(text("SET foreign_key_checks=1"))
    response = await provider.exchange(temporary.wire("POST", b"/token", oauth_verifier=verifier))
    assert response.status_code == 401
    assert "token_rejected" in response.body
    with pytest.raises(TokenRejectedError):
        await provider.store.create_token_credential(TOKEN, found)
    async with strict.connect() as connection:
        assert await connection.scalar(select(func.count()).select_from(Token)) == 0


async def test_a_client_that_was_removed_since_the_look_up(provider: PlainProvider) -> None:
    """No temporary credentials are made for it."""
    with pytest.raises(InvalidClientError):
        await provider.store.create_temporary_credential(TOKEN, "removed", "oob")


async def test_an_approval_by_an_unknown_user(provider: PlainProvider) -> None:
    """It is refused, and the user who exists can still approve."""
    temporary = await provider.temporary()
    assert await provider.approve(temporary.token, 99) == 400
    assert (await provider.approve(temporary.token, 7)).verifier


async def test_a_token_for_an_unknown_user(provider: PlainProvider) -> None:
    """Who calls the method learns that there is no such user."""
    with pytest.raises(ValueError, match="does not exist"):
        await provider.store.issue_token_credential("dpf43f3p2l4k3l03", 99)


async def test_a_client_that_others_refer_to(provider: PlainProvider, strict: AsyncEngine) -> None:
    """It is not removed, nor are its tokens; the error says why, without values."""
    await provider.store.issue_token_credential("dpf43f3p2l4k3l03", 7)
    async with strict.begin() as connection:
        await connection.execute(insert(Device), [{"client_id": "dpf43f3p2l4k3l03"}])
    with pytest.raises(InvalidRequestError, match="others refer to it") as caught:
        await provider.store.remove_client("dpf43f3p2l4k3l03")
    assert "dpf43f3p2l4k3l03" not in str(caught.value)
    assert len(await provider.store.list_token_credentials(user_id="7")) == 1


async def test_a_check_of_the_applications(provider: PlainProvider) -> None:
    """A value that it refuses is a 400."""
    wire = provider.signer.wire("POST", b"/initiate", oauth_callback="ftp:x")
    assert (await provider.initiate(wire)).status_code == 400
    with pytest.raises(InvalidRequestError, match="refuses a row"):
        await provider.store.create_temporary_credential(TOKEN, "dpf43f3p2l4k3l03", "ftp:x")


async def test_nonces_that_refer_to_clients(strict: AsyncEngine) -> None:
    """One row of that table belongs to no client, so the model is refused."""
    with pytest.raises(UnsuitableModelError, match="remove the ForeignKey"):
        new_store(strict, Nonce=BoundNonce)
