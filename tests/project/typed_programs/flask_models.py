"""A Flask provider that keeps Authlib 0.15's tables in SQLAlchemy models of its own."""

# pyright: strict

from __future__ import annotations

from typing import reveal_type

from flask import Flask
from sqlalchemy import ForeignKey, String, create_engine
from sqlalchemy.ext.asyncio import AsyncSession, async_scoped_session
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, scoped_session, sessionmaker

from flask_compat import AuthorizationServer, ResourceProtector
from flask_compat.sqla import (
    OAuth1ClientMixin,
    OAuth1TemporaryCredentialMixin,
    OAuth1TimestampNonceMixin,
    OAuth1TokenCredentialMixin,
    create_exists_nonce_func,
    create_query_client_func,
    create_query_token_func,
    register_authorization_hooks,
)


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "user"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40))


class App(OAuth1ClientMixin, Base):
    __tablename__ = "client"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(80))


class Pending(OAuth1TemporaryCredentialMixin, Base):
    __tablename__ = "pending"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))


class Grant(OAuth1TokenCredentialMixin, Base):
    __tablename__ = "grant"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    user: Mapped[User] = relationship()


class Nonce(OAuth1TimestampNonceMixin, Base):
    __tablename__ = "nonce"

    id: Mapped[int] = mapped_column(primary_key=True)
    # As after the recommended migration.
    oauth_token: Mapped[str] = mapped_column(String(84), default="")


app = Flask(__name__)
session = scoped_session(sessionmaker(create_engine("sqlite://")))
query_client = create_query_client_func(session, App)
query_token = create_query_token_func(session, Grant)
server = AuthorizationServer(app, query_client=query_client)
register_authorization_hooks(server, session, Grant, Pending, Nonce)
require_oauth = ResourceProtector(app, query_client, query_token, create_exists_nonce_func(session, Nonce))

reveal_type(query_client("one"))  # App | None
reveal_type(query_token("one", "t"))  # Grant | None
reveal_type(require_oauth.current_credential)  # Grant
reveal_type(require_oauth.current_credential.user)  # User
reveal_type(require_oauth.current_credential.user.name)  # str
print(require_oauth.current_credential.owner)  # refused


def asynchronous(sessions: async_scoped_session[AsyncSession]) -> None:
    create_query_client_func(sessions, App)  # refused
    create_query_client_func(session, User)  # refused
    create_query_token_func(session, User)  # refused
    register_authorization_hooks(server, session, User)  # refused
