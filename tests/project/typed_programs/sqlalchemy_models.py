"""A Quart provider whose clients and token credentials are SQLAlchemy models."""

# pyright: strict

from __future__ import annotations

from typing import reveal_type

from quart import Quart
from sqlalchemy import ForeignKey, String
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    MappedAsDataclass,
    Session,
    mapped_column,
    relationship,
    sessionmaker,
    synonym,
)

from async_oauth1.quart import AuthorizationServer, ResourceProtector
from async_oauth1.sqlalchemy import (
    OAuth1ClientMixin,
    OAuth1ClientSettingsMixin,
    OAuth1ExpiryMixin,
    OAuth1ScopeMixin,
    OAuth1TemporaryCredentialMixin,
    OAuth1TimestampNonceMixin,
    OAuth1TokenCredentialMixin,
    SQLAlchemyStore,
)


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "user"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40))


class App(OAuth1ClientSettingsMixin, OAuth1ClientMixin, Base):
    __tablename__ = "app"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(80))


class Pending(OAuth1TemporaryCredentialMixin, Base):
    __tablename__ = "pending"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))


class Grant(OAuth1ScopeMixin, OAuth1ExpiryMixin, OAuth1TokenCredentialMixin, Base):
    __tablename__ = "grant"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    user: Mapped[User] = relationship(lazy="joined")


class Nonce(OAuth1TimestampNonceMixin, Base):
    __tablename__ = "nonce"

    id: Mapped[int] = mapped_column(primary_key=True)


class Typed(MappedAsDataclass, DeclarativeBase):
    pass


class TypedApp(OAuth1ClientMixin, Typed):
    __tablename__ = "typed_app"

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    title: Mapped[str] = mapped_column(String(80), default="")


class RenamedApp(OAuth1ClientMixin, Base):
    __tablename__ = "renamed_app"

    client_id: Mapped[str] = mapped_column("consumer_key", String(48), primary_key=True)
    client_secret: Mapped[str | None] = mapped_column("consumer_secret", String(120))


class RenamedGrant(OAuth1TokenCredentialMixin, Base):
    __tablename__ = "renamed_grant"

    key: Mapped[str] = mapped_column("access_token", String(84), primary_key=True)
    oauth_token: Mapped[str] = synonym("key")
    user_id: Mapped[int] = mapped_column("owner", ForeignKey("user.id"))
    user: Mapped[User] = relationship(lazy="joined")


TypedApp(client_id="one", client_secret="secret", title="One")
TypedApp(client_secret="secret")  # refused
App(client_id="one", title="One", callbacks=["https://one.example/"])

app = Quart(__name__)
sessions = async_sessionmaker(create_async_engine("sqlite+aiosqlite://"))
store = SQLAlchemyStore(sessions, Client=App, TokenCredential=Grant, TemporaryCredential=Pending, Nonce=Nonce)
server = AuthorizationServer(app)
server.register_hooks(store)
named = ResourceProtector[App, Grant](app)
named.register_hooks(store)
inferred = ResourceProtector(app, store.query_client, store.query_token, store.exists_nonce)

reveal_type(store)  # SQLAlchemyStore[App, Grant, Pending]
reveal_type(named.current_credential)  # Grant
reveal_type(named.current_credential.user)  # User
reveal_type(named.current_credential.user.name)  # str
reveal_type(named.current_client.title)  # str
reveal_type(named.current_client.client_secret)  # str | None
reveal_type(inferred.current_credential.user.id)  # int
reveal_type(named.current_credential.expires_at)  # float | None


@app.get("/")
@named("photos.read")
async def photos() -> dict[str, str]:
    print(named.current_credential.owner)  # refused
    return {"owner": named.current_credential.user.name}


async def administer() -> None:
    client = await store.query_client("one")
    reveal_type(client)  # App | None
    pending = await store.get_temporary_credential("t")
    reveal_type(pending)  # Pending | None
    reveal_type(await store.list_token_credentials(user_id="7"))  # list[Grant]


renamed_store = SQLAlchemyStore(sessions, Client=RenamedApp, TokenCredential=RenamedGrant, Nonce=Nonce)
renamed = ResourceProtector[RenamedApp, RenamedGrant](app)
renamed.register_hooks(renamed_store)
reveal_type(renamed_store)  # SQLAlchemyStore[RenamedApp, RenamedGrant, TemporaryCredentialLike]
reveal_type(renamed.current_client.client_secret)  # str | None
reveal_type(renamed.current_credential.key)  # str
reveal_type(renamed.current_credential.oauth_token)  # str
print(renamed.current_credential.access_token)  # refused
print(renamed.current_client.consumer_key)  # refused

synchronous: sessionmaker[Session] = sessionmaker()
SQLAlchemyStore(synchronous, Client=App, TokenCredential=Grant)  # refused
SQLAlchemyStore(sessions, Client=User, TokenCredential=Grant)  # refused
