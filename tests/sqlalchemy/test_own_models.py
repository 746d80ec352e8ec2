"""What hooks return is the application's own model, whatever its base class, and works after the session."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from typing import Any

import pytest
from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedAsDataclass, mapped_column, relationship
from sqlalchemy.orm.exc import DetachedInstanceError

from async_oauth1 import AuthorizationServer, Policy, ResourceProtector
from async_oauth1.credentials import Client as ClientRecord
from async_oauth1.errors import MissingHookError
from async_oauth1.sqlalchemy import (
    OAuth1ClientMixin,
    OAuth1ClientSettingsMixin,
    OAuth1ExpiryMixin,
    OAuth1RotationMixin,
    OAuth1ScopeMixin,
    OAuth1TemporaryCredentialMixin,
    OAuth1TimestampNonceMixin,
    OAuth1TokenCredentialMixin,
    SQLAlchemyStore,
    UnsuitableModelError,
)
from async_oauth1.stores.encryption import new_key

from .conftest import DRIVERS
from .models import Base, PlainClient, PlainNonce, PlainToken, User
from .provider import PlainProvider, authorization, new_plain_store
from .records import new_store
from .test_races import count


class Typed(MappedAsDataclass, DeclarativeBase):
    pass


class Person(Typed):
    __tablename__ = "person"

    id: Mapped[int] = mapped_column(primary_key=True)


class TypedClient(OAuth1RotationMixin, OAuth1ClientSettingsMixin, OAuth1ClientMixin, Typed):
    __tablename__ = "typed_client"

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    title: Mapped[str] = mapped_column(String(80))  # without a default, behind fields that have one


class TypedTemporary(OAuth1TemporaryCredentialMixin, Typed):
    __tablename__ = "typed_temporary"

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), default=None)


class TypedToken(OAuth1ScopeMixin, OAuth1ExpiryMixin, OAuth1TokenCredentialMixin, Typed):
    __tablename__ = "typed_token"

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    user_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    note: Mapped[str | None] = mapped_column(String(80), default=None)
    user: Mapped[Person] = relationship(lazy="joined", init=False)
    others: Mapped[list[TypedNonce]] = relationship(
        primaryjoin="TypedToken.client_id == foreign(TypedNonce.client_id)", viewonly=True, init=False
    )


class TypedNonce(OAuth1TimestampNonceMixin, Typed):
    __tablename__ = "typed_nonce"
    __table_args__ = (UniqueConstraint("client_id", "timestamp", "nonce", "oauth_token", name="typed_nonce_once"),)

    id: Mapped[int] = mapped_column(primary_key=True, init=False)


async def typed_provider(engine: AsyncEngine) -> PlainProvider:
    """A provider over models that are dataclasses, with one client and one user."""
    sessions = async_sessionmaker(engine)
    async with engine.begin() as connection:
        await connection.run_sync(Typed.metadata.create_all)
    provider = PlainProvider(
        SQLAlchemyStore(
            sessions,
            Client=TypedClient,
            TokenCredential=TypedToken,
            TemporaryCredential=TypedTemporary,
            Nonce=TypedNonce,
        )
    )
    async with sessions() as session, session.begin():
        session.add(Person(id=7))
        session.add(
            TypedClient(
                client_id="dpf43f3p2l4k3l03",
                client_secret="kd94hf93k423kf44",
                title="Printer",
                callbacks=["http://printer.example.com/ready"],
            )
        )
    return provider


@pytest.mark.parametrize("driver", DRIVERS)
async def test_models_that_are_dataclasses(engine: AsyncEngine) -> None:
    """The mixins' columns are fields of the constructor, and the whole flow works."""
    assert {"client_id", "client_secret", "callbacks", "title"} <= {
        each.name for each in dataclasses.fields(TypedClient)
    }
    provider = await typed_provider(engine)
    verified = await provider.protect((await provider.token()).wire())
    assert isinstance(verified.credential, TypedToken)
    assert isinstance(verified.client, TypedClient)
    assert verified.credential.user == Person(id=7)
    assert verified.client.title == "Printer"


async def test_only_registered_callbacks(engine: AsyncEngine) -> None:
    """With `OAuth1ClientSettingsMixin`, a callback that is not registered is refused."""
    provider = await typed_provider(engine)
    wire = provider.signer.wire("POST", b"/initiate", oauth_callback="http://other.example/")
    assert (await provider.initiate(wire)).status_code == 400


async def test_what_is_not_loaded_says_so(engine: AsyncEngine) -> None:
    """A relationship that is not eager is an error of SQLAlchemy's that names it, not a hidden statement."""
    provider = await typed_provider(engine)
    verified = await provider.protect((await provider.token()).wire())
    with pytest.raises(DetachedInstanceError, match="others"):
        _ = verified.credential.others


async def test_a_plain_model_is_no_dataclass_with_secrets(engine: AsyncEngine) -> None:
    """`dataclasses.asdict`, by which Quart and Flask make JSON, shows no column of a plain model."""
    client: Any = PlainClient(client_id="c", client_secret="s3cret")
    assert dataclasses.asdict(client) == {}
    assert "s3cret" not in repr(client)
    typed = TypedClient(client_id="c", client_secret="s3cret", title="Printer")
    assert "s3cret" not in repr(typed)


async def test_rows_outlive_their_session(provider: PlainProvider, engine: AsyncEngine) -> None:
    """Every column can be read afterwards, and a row can be attached to a session of a view."""
    signer = await provider.token()
    verified = await provider.protect(signer.wire())
    token: PlainToken = verified.credential
    assert (token.id, token.user_id, token.user.name, token.client_id) == (1, 7, "Jane", "dpf43f3p2l4k3l03")
    async with async_sessionmaker(engine)() as session:
        session.add(token)
        assert await session.get(User, 7) is token.user


async def test_a_users_identifier_in_its_own_type(provider: PlainProvider) -> None:
    """Text becomes a number where the column holds one; what is no number has no tokens, and cannot approve."""
    await provider.token()
    store = provider.store
    assert len(await store.list_token_credentials(user_id="7")) == 1
    for other in ("8", "07", "7_", " 7", "jane"):
        assert await store.list_token_credentials(user_id=other) == []
        assert await store.revoke_token_credentials(user_id=other) == 0
    temporary = await provider.temporary()
    assert await provider.approve(temporary.token, "jane") == 400
    assert (await provider.approve(temporary.token, User(id=7, name="Jane"))).verifier


async def test_without_a_model_of_nonces(engine: AsyncEngine) -> None:
    """A part that is kept nowhere is a missing hook; another store may bring it."""
    store = new_plain_store(engine, Nonce=None, TemporaryCredential=None)
    protector = ResourceProtector()
    protector.register_hooks(store)
    with pytest.raises(MissingHookError, match="exists_nonce"):
        protector.require_hooks()
    server = AuthorizationServer(Policy())
    server.register_hooks(store)
    with pytest.raises(MissingHookError, match="create_authorization_verifier"):
        server.require_hooks()


async def test_a_scope_without_a_column_is_refused(provider: PlainProvider) -> None:
    """A model without scopes: what the client asks for is ignored, and a grant is an error, not lost."""
    temporary = await provider.temporary()
    with pytest.raises(TypeError, match="scope"):
        await provider.server.authorize(authorization(temporary.token).read(), 7, scope="photos")
    with pytest.raises(UnsuitableModelError, match="OAuth1ScopeMixin"):
        await provider.store.issue_token_credential("dpf43f3p2l4k3l03", 7, scope="photos")


async def test_a_record_that_does_not_fit_the_model(provider: PlainProvider) -> None:
    """A client record with settings that the model has no columns for is refused, not stored in part."""
    record = ClientRecord(client_id="rsa", client_secret="s", signature_methods=("HMAC-SHA256",))
    with pytest.raises(UnsuitableModelError, match="signature_methods"):
        await provider.store.add_client(record)
    assert await provider.store.query_client("rsa") is None


@pytest.mark.parametrize("driver", ["sqlite", "asyncpg"])
async def test_encryption_at_rest(engine: AsyncEngine) -> None:
    """The columns hold encrypted texts, the methods return plain ones, and `reencrypt` brings old rows up to date."""
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    old, new = new_key(), new_key()
    store: Any = new_store(engine, keys=[old])
    await store.add_client(ClientRecord(client_id="c", client_secret="s3cret", overlapping_secrets=("former",)))
    temporary = await store.create_temporary_credential(
        {"oauth_token": "t", "oauth_token_secret": "t-s3cret"}, "c", "oob"
    )
    assert await store.create_authorization_verifier(temporary, "jane", "v3rifier")
    found = await store.get_temporary_credential("t")
    assert (found.get_oauth_token_secret(), found.get_verifier()) == ("t-s3cret", "v3rifier")
    token = await store.exchange(found, {"oauth_token": "k", "oauth_token_secret": "k-s3cret"})
    client, again = await new_store(engine, keys=[new, old]).query_credentials("c", "k")
    assert client.get_client_secrets() == ("s3cret", "former")
    assert again.get_oauth_token_secret() == token.get_oauth_token_secret() == "k-s3cret"
    assert not [
        row for row in (client.client_secret, client.overlapping_secrets, again.oauth_token_secret) if "s3cret" in row
    ]
    assert await new_store(engine, keys=[new, old]).reencrypt() == 2
    async with new_store(engine, keys=[new]) as only_new:
        assert (await only_new.query_client("c")).get_client_secret() == "s3cret"
    with pytest.raises(Exception, match="key that was not given"):
        await new_store(engine, keys=[old]).open()


async def test_old_nonces_are_removed(engine: AsyncEngine) -> None:
    """What no request can use any more leaves the table, and is still refused; what can be used stays."""
    begun = int(time.time())
    now = begun - 900.0
    store: Any = new_plain_store(engine, clock=lambda: now)

    async def use(label: str, timestamp: int) -> list[bool]:
        names = [f"{label}{number}" for number in range(50)]
        return await asyncio.gather(*(store.exists_nonce(name, str(timestamp), "c", None) for name in names))

    for label, timestamp in (("old", begun - 1000), ("new", begun - 500)):
        assert not any(await use(label, timestamp))
    now = float(begun)  # more than a lifetime after the old ones
    store._purges._after_insertions = 1
    assert not any(await use("later", begun))
    await store._transactions.finish()
    assert await count(engine, PlainNonce) == 50 + 50 + 1
    assert all([*await use("old", begun - 1000), *await use("new", begun - 500)])
    store.prepare(Policy(timestamp_window=3600))
    assert all(await use("other", begun - 1000)), "their timestamp may have been used"
