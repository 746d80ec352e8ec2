"""The application's own tables. The mixins bring the columns that the provider needs."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, MetaData, String, Text
from sqlalchemy.ext.asyncio import AsyncAttrs
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from async_oauth1.sqlalchemy import (
    OAuth1ClientMixin,
    OAuth1ClientSettingsMixin,
    OAuth1ExpiryMixin,
    OAuth1RequestedScopeMixin,
    OAuth1ScopeMixin,
    OAuth1TemporaryCredentialMixin,
    OAuth1TimestampNonceMixin,
    OAuth1TokenCredentialMixin,
)

# Alembic needs the names of constraints to change them later.
NAMES: dict[str, Any] = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(AsyncAttrs, DeclarativeBase):
    """The base of every model."""

    metadata = MetaData(naming_convention=NAMES)


class User(Base):
    """An owner of notes."""

    __tablename__ = "user"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40), unique=True)
    password_hash: Mapped[str] = mapped_column(String(200))


class Note(Base):
    """A note of a user."""

    __tablename__ = "note"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    text: Mapped[str] = mapped_column(Text)


class Client(OAuth1ClientSettingsMixin, OAuth1ClientMixin, Base):
    """An application that a developer has registered."""

    __tablename__ = "client"

    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))


class TemporaryCredential(OAuth1RequestedScopeMixin, OAuth1TemporaryCredentialMixin, Base):
    """An application's request for permission."""

    __tablename__ = "temporary_credential"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))


class TokenCredential(OAuth1ScopeMixin, OAuth1ExpiryMixin, OAuth1TokenCredentialMixin, Base):
    """A user's permission for an application."""

    __tablename__ = "token_credential"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    # Loaded together with the token: views read it after the session has ended.
    user: Mapped[User] = relationship(lazy="joined", innerjoin=True)


class Nonce(OAuth1TimestampNonceMixin, Base):
    """A request that was accepted, so that it is not accepted twice."""

    __tablename__ = "nonce"

    id: Mapped[int] = mapped_column(primary_key=True)
