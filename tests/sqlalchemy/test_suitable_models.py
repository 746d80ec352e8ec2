"""Models and sessions that cannot be used are refused when the store is made, with what to do."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import DateTime, String, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_scoped_session, async_sessionmaker
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, scoped_session, sessionmaker, synonym

from async_oauth1 import Policy
from async_oauth1.errors import InvalidRequestError, StoreError
from async_oauth1.sqlalchemy import (
    OAuth1ClientMixin,
    OAuth1RequestedScopeMixin,
    OAuth1TemporaryCredentialMixin,
    OAuth1TimestampNonceMixin,
    OAuth1TokenCredentialMixin,
    SQLAlchemyStore,
    UnsuitableModelError,
)

from .conftest import Engines
from .models import PlainClient, PlainNonce, PlainTemporary, PlainToken
from .provider import CALLBACK, PlainProvider, new_plain_store

MODELS: dict[str, Any] = {
    "Client": PlainClient,
    "TokenCredential": PlainToken,
    "TemporaryCredential": PlainTemporary,
    "Nonce": PlainNonce,
}


class Base(DeclarativeBase):
    pass


class Rows:
    id: Mapped[int] = mapped_column(primary_key=True)


class WithoutUser(OAuth1TokenCredentialMixin, Rows, Base):
    __tablename__ = "without_user"


class WithoutSecret(Rows, Base):
    __tablename__ = "without_secret"

    client_id: Mapped[str] = mapped_column(String(48))

    def get_client_secret(self) -> str:
        return "s"


class TooShort(OAuth1TokenCredentialMixin, Rows, Base):
    __tablename__ = "too_short"

    oauth_token: Mapped[str] = mapped_column(String(20))
    user_id: Mapped[int]


class WithDate(OAuth1TemporaryCredentialMixin, Rows, Base):
    __tablename__ = "with_date"

    expires_at: Mapped[Any] = mapped_column(DateTime)  # type: ignore[assignment]
    user_id: Mapped[int | None]


class NotUnique(OAuth1TimestampNonceMixin, Rows, Base):
    __tablename__ = "not_unique"
    __table_args__ = ()


class Scoped(OAuth1RequestedScopeMixin, OAuth1TemporaryCredentialMixin, Rows, Base):
    __tablename__ = "scoped"

    user_id: Mapped[int | None]


class NotMapped(OAuth1ClientMixin):
    pass


@pytest.mark.parametrize(
    ("argument", "model", "words"),
    [
        ("TokenCredential", WithoutUser, ["WithoutUser", "user_id", "OAuth1TokenCredentialMixin"]),
        ("Client", WithoutSecret, ["WithoutSecret", "client_secret", "get_rsa_public_key", "OAuth1ClientMixin"]),
        ("TokenCredential", TooShort, ["TooShort", "oauth_token", "20", "48", "OAuth1TokenCredentialMixin"]),
        ("TemporaryCredential", WithDate, ["WithDate", "expires_at", "Unix time"]),
        ("Nonce", NotUnique, ["NotUnique", "unique", "OAuth1TimestampNonceMixin"]),
        ("TemporaryCredential", Scoped, ["PlainToken", "scope", "OAuth1ScopeMixin"]),
        ("Client", NotMapped, ["NotMapped", "not a mapped class", "OAuth1ClientMixin"]),
        ("Client", "client", ["client", "not a mapped class"]),
    ],
)
async def test_a_model_that_lacks_something(engine: AsyncEngine, argument: str, model: Any, words: list[str]) -> None:
    """The one error names the class, what it lacks, and the mixin that has it."""
    with pytest.raises(UnsuitableModelError) as caught:
        SQLAlchemyStore(async_sessionmaker(engine), **{**MODELS, argument: model})
    assert [word for word in words if word not in str(caught.value)] == []


@pytest.mark.parametrize(
    "factory", [sessionmaker(), scoped_session(sessionmaker()), Session(), AsyncSession(), None, "sqlite://"]
)
def test_a_session_of_the_wrong_kind(factory: Any) -> None:
    """Synchronous sessions, and a session instead of a factory, are refused with what to pass."""
    with pytest.raises(TypeError, match=r"session_factory .* async_sessionmaker"):
        SQLAlchemyStore(factory, **MODELS)


async def test_a_scoped_session_is_not_shared(engine: AsyncEngine) -> None:
    """Of an `async_scoped_session`, hooks use the factory: what a view has in its session stays there."""
    scoped = async_scoped_session(async_sessionmaker(engine), scopefunc=lambda: 1)
    store: Any = SQLAlchemyStore(scoped, **MODELS)  # type: ignore[arg-type]
    waiting = PlainClient(client_id="waiting", client_secret="s" * 20)
    scoped.add(waiting)
    assert await store.query_client("waiting") is None
    assert waiting in scoped.new
    await scoped.remove()


async def test_a_lifetime_needs_its_column(engine: AsyncEngine) -> None:
    """A policy under which tokens expire is refused if their model cannot keep that."""
    with pytest.raises(UnsuitableModelError, match=r"PlainToken: .*expires_at; add OAuth1ExpiryMixin"):
        new_plain_store(engine).prepare(Policy(token_credential_lifetime=60))


async def test_keys_need_room(engine: AsyncEngine) -> None:
    """Columns in which an encrypted secret has no room are refused."""
    from async_oauth1.stores.encryption import new_key

    with pytest.raises(UnsuitableModelError, match="OAuth1EncryptedTokenCredentialMixin"):
        new_plain_store(engine, keys=[new_key()])


class Narrow(OAuth1TemporaryCredentialMixin, Rows, Base):
    __tablename__ = "narrow"

    oauth_callback: Mapped[str] = mapped_column(String(60))
    user_id: Mapped[int | None]


async def test_a_callback_that_is_too_long_is_a_4xx(engine: AsyncEngine) -> None:
    """It is refused before the database could cut it off, with the length that fits."""
    provider = await PlainProvider.over(engine, TemporaryCredential=Narrow)
    wire = provider.signer.wire("POST", b"/initiate", oauth_callback=f"{CALLBACK}/{'x' * 60}")
    response = await provider.initiate(wire)
    assert response.status_code == 400
    assert "60" in response.body


@pytest.mark.parametrize("driver", ["mariadb"])
async def test_a_table_that_is_narrower_than_its_model(engine: AsyncEngine, engines: Engines) -> None:
    """MySQL without strict mode would cut values off; the store does not open such a table."""
    loose = engines(connect_args={"init_command": "SET sql_mode = ''"})
    async with loose.begin() as connection:
        await connection.execute(text("ALTER TABLE token MODIFY oauth_token VARCHAR(20) NOT NULL"))
    with pytest.raises(StoreError, match=r"token\.oauth_token holds 20 characters, and its model 84; migrate it"):
        await new_plain_store(loose).open()


@pytest.mark.parametrize("driver", ["mariadb"])
async def test_values_are_never_cut_off(engine: AsyncEngine, engines: Engines) -> None:
    """Without strict mode, too long identifiers are unknown or refused; a long nonce is still accepted once."""
    store = new_plain_store(engines(connect_args={"init_command": "SET sql_mode = ''"}))
    async with store:
        with pytest.raises(InvalidRequestError):
            await store.add_client(PlainClient(client_id="c" * 49, client_secret="secret"))
        await store.add_client(PlainClient(client_id="c" * 48, client_secret="secret"))
        assert await store.query_client("c" * 49) is None
        assert await store.query_client("C" * 48) is None
        assert await store.query_client("c" * 48) is not None
        for nonce in ("n" * 255, "n" * 254 + "m", "n" * 48):
            assert await store.exists_nonce(nonce, "4000000000", "c" * 48, None) is False
            assert await store.exists_nonce(nonce, "4000000000", "c" * 48, None) is True


class Renamed(OAuth1ClientMixin, Rows, Base):
    """Its attributes are other names of its columns."""

    __tablename__ = "renamed"

    key: Mapped[str] = mapped_column(String(40), unique=True)
    client_id = synonym("key")


async def test_other_names(engine: AsyncEngine) -> None:
    """A column may have another name than its attribute, and an attribute may be a synonym."""
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    assert "secret" in PlainClient.__table__.columns
    models: Any = {**MODELS, "Client": Renamed}
    renamed = SQLAlchemyStore(async_sessionmaker(engine), **models)
    await renamed.add_client(Renamed(client_id="one", client_secret="secret"))
    found: Any = await renamed.query_client("one")
    assert (found.key, found.get_client_secret()) == ("one", "secret")
