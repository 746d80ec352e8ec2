"""Models of an application, with every optional mixin and with none."""

from __future__ import annotations

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from async_oauth1.sqlalchemy import (
    OAuth1ClientMixin,
    OAuth1ClientSettingsMixin,
    OAuth1DisablingMixin,
    OAuth1EncryptedClientMixin,
    OAuth1EncryptedTemporaryCredentialMixin,
    OAuth1EncryptedTokenCredentialMixin,
    OAuth1ExpiryMixin,
    OAuth1RequestedScopeMixin,
    OAuth1RotationMixin,
    OAuth1ScopeMixin,
    OAuth1TemporaryCredentialMixin,
    OAuth1TimestampNonceMixin,
    OAuth1TokenCredentialMixin,
)


class Base(DeclarativeBase):
    pass


class FullClient(
    OAuth1EncryptedClientMixin,
    OAuth1DisablingMixin,
    OAuth1RotationMixin,
    OAuth1ClientSettingsMixin,
    OAuth1ClientMixin,
    Base,
):
    __tablename__ = "full_client"

    id: Mapped[int] = mapped_column(primary_key=True)


class FullTemporary(
    OAuth1EncryptedTemporaryCredentialMixin, OAuth1RequestedScopeMixin, OAuth1TemporaryCredentialMixin, Base
):
    __tablename__ = "full_temporary"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[str | None] = mapped_column(String(64))


class FullToken(
    OAuth1EncryptedTokenCredentialMixin, OAuth1ScopeMixin, OAuth1ExpiryMixin, OAuth1TokenCredentialMixin, Base
):
    __tablename__ = "full_token"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(String(64), index=True)


class Nonce(OAuth1TimestampNonceMixin, Base):
    __tablename__ = "nonce"

    id: Mapped[int] = mapped_column(primary_key=True)


class PlainBase(DeclarativeBase):
    pass


class User(PlainBase):
    __tablename__ = "user"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40))


class PlainClient(OAuth1ClientMixin, PlainBase):
    """Has other names of columns, and a column of the application's."""

    __tablename__ = "client"

    id: Mapped[int] = mapped_column(primary_key=True)
    client_secret: Mapped[str | None] = mapped_column("secret", String(120))
    title: Mapped[str] = mapped_column(String(80), default="")


class PlainTemporary(OAuth1TemporaryCredentialMixin, PlainBase):
    __tablename__ = "temporary"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))


class PlainToken(OAuth1TokenCredentialMixin, PlainBase):
    __tablename__ = "token"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    user: Mapped[User] = relationship(lazy="joined")


class PlainNonce(OAuth1TimestampNonceMixin, PlainBase):
    __tablename__ = "nonce"

    id: Mapped[int] = mapped_column(primary_key=True)
