"""The columns and methods that the models of a `SQLAlchemyStore` need.

A model derives from one of these and from the application's declarative base. It adds a primary key, ``user_id`` in its
own type, and whatever the application keeps with it. Names and lengths are those of Authlib's former
``sqla_oauth1``, so tables that are in use fit after a migration that adds the new columns.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import BigInteger, Double, Integer, String, Text, UniqueConstraint
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import Mapped, MappedAsDataclass, declared_attr, mapped_column
from sqlalchemy.types import TypeEngine

from .secrets import secret_of

if TYPE_CHECKING:
    from typing_extensions import dataclass_transform

__all__ = [
    "OAuth1ClientMixin",
    "OAuth1TemporaryCredentialMixin",
    "OAuth1TimestampNonceMixin",
    "OAuth1TokenCredentialMixin",
    "exact_string",
    "exact_text",
    "fields",
]

T = TypeVar("T")

# MySQL's default collations take "a" and "A" for the same.
_CHARSET = "utf8mb4"
_COLLATION = "utf8mb4_bin"


def exact_string(length: int) -> TypeEngine[str]:
    """Text of at most so many characters, compared exactly in every database."""
    return String(length).with_variant(
        mysql.VARCHAR(length, charset=_CHARSET, collation=_COLLATION), "mysql", "mariadb"
    )


def exact_text() -> TypeEngine[str]:
    """Text of any length."""
    return Text().with_variant(mysql.TEXT(charset=_CHARSET, collation=_COLLATION), "mysql", "mariadb")


@dataclass(init=False, repr=False, eq=False)
class _NoFields:
    """Its dataclass parameters are those of every mixin."""


if TYPE_CHECKING:

    @dataclass_transform(field_specifiers=(mapped_column,), kw_only_default=True, eq_default=False)
    def fields(*, init: bool) -> Callable[[type[T]], type[T]]:
        """Type checkers know the columns as fields of a dataclass that derives from the mixin."""
        ...

else:

    def fields(*, init: bool) -> Callable[[type[T]], type[T]]:  # noqa: ARG001 - for type checkers
        """Make a mixin's columns part of plain models, and fields of models that are dataclasses.

        SQLAlchemy takes fields of a dataclass only from dataclasses, and makes every model that derives from
        ``MappedAsDataclass`` a dataclass. So a mixin says that it is a dataclass, without fields of its own. Such
        models get constructors with keyword arguments: otherwise no field without a default could follow the mixin's.
        They get no ``repr``, which would show the secrets.

        Args:
            init: ``False``: the mixin has no constructor.
        """

        def mark(mixin: type[T]) -> type[T]:
            def init_subclass(cls: type[T], **options: object) -> None:
                if issubclass(cls, MappedAsDataclass):
                    options.setdefault("kw_only", True)
                    options.setdefault("repr", False)
                super(mixin, cls).__init_subclass__(**options)

            mixin.__dataclass_fields__ = {}
            mixin.__dataclass_params__ = _NoFields.__dataclass_params__
            mixin.__init_subclass__ = classmethod(init_subclass)
            return mixin

        return mark


@fields(init=False)
class OAuth1ClientMixin:
    """A client (RFC 5849 section 1.1).

    Without `OAuth1ClientSettingsMixin`, a client may use any well-formed callback.

    Attributes:
        client_id: what ``oauth_consumer_key`` says.
        client_secret: shared secret, ``None`` for a client that only signs with RSA.
        default_redirect_uri: for the application's own use.
    """

    client_id: Mapped[str] = mapped_column(exact_string(48), unique=True)
    client_secret: Mapped[str | None] = mapped_column(exact_string(120), default=None)
    default_redirect_uri: Mapped[str] = mapped_column(exact_text(), default="")

    def get_client_secret(self) -> str | None:
        """The current secret."""
        return secret_of(self, "client_secret")

    def get_rsa_public_key(self) -> str | None:
        """The public key in PEM; ``None`` without `OAuth1ClientSettingsMixin`."""
        key: str | None = getattr(self, "rsa_public_key", None)  # whichever of the two mixins comes first
        return key

    def get_default_redirect_uri(self) -> str | None:
        """The callback of `default_redirect_uri`."""
        return self.default_redirect_uri or None


@fields(init=False)
class OAuth1TokenCredentialMixin:
    """Token credentials (RFC 5849 section 2.3). The model adds ``user_id``.

    Attributes:
        client_id: the only client that may use it.
        oauth_token: the identifier sent with each request.
        oauth_token_secret: the second half of the signing key.
    """

    client_id: Mapped[str] = mapped_column(exact_string(48), index=True)
    oauth_token: Mapped[str] = mapped_column(exact_string(84), unique=True)
    oauth_token_secret: Mapped[str] = mapped_column(exact_string(84))

    def get_client_id(self) -> str:
        """The client that it was issued to."""
        return self.client_id

    def get_oauth_token(self) -> str:
        """The token."""
        return self.oauth_token

    def get_oauth_token_secret(self) -> str:
        """Its secret."""
        return secret_of(self, "oauth_token_secret") or ""

    def get_user_id(self) -> Any:
        """The resource owner."""
        model: Any = self
        return model.user_id


@fields(init=False)
class OAuth1TemporaryCredentialMixin:
    """Temporary credentials (RFC 5849 section 2.1). The model adds ``user_id``, which may be null.

    Attributes:
        client_id: the client that asked.
        oauth_token: the identifier that travels through the browser.
        oauth_token_secret: known to the client alone.
        oauth_callback: the URL to which the browser returns; ``oob`` for a code.
        oauth_verifier: what proves the approval; ``None`` until then.
        wrong_verifiers: how many were sent.
        expires_at: Unix time, in seconds.
    """

    client_id: Mapped[str] = mapped_column(exact_string(48), index=True)
    oauth_token: Mapped[str] = mapped_column(exact_string(84), unique=True)
    oauth_token_secret: Mapped[str] = mapped_column(exact_string(84))
    oauth_callback: Mapped[str] = mapped_column(exact_text(), default="")
    oauth_verifier: Mapped[str | None] = mapped_column(exact_string(84), default=None)
    wrong_verifiers: Mapped[int] = mapped_column(Integer, default=0)
    expires_at: Mapped[float] = mapped_column(Double, default=0.0, index=True)

    def get_client_id(self) -> str:
        """The client that it was issued to."""
        return self.client_id

    def get_redirect_uri(self) -> str:
        """The callback given at the first step."""
        return self.oauth_callback

    def get_oauth_token(self) -> str:
        """The temporary token."""
        return self.oauth_token

    def get_oauth_token_secret(self) -> str:
        """Its secret."""
        return secret_of(self, "oauth_token_secret") or ""

    def get_user_id(self) -> Any:
        """The resource owner who approved; ``None`` until then."""
        model: Any = self
        return model.user_id

    def get_verifier(self) -> str | None:
        """What proves the approval."""
        return secret_of(self, "oauth_verifier")

    def is_decided(self) -> bool:
        """Whether it was approved; a denial removes it."""
        return self.oauth_verifier is not None

    def check_verifier(self, verifier: str) -> bool:
        """Whether this is the verifier issued at approval, in constant time."""
        issued = self.get_verifier()
        return bool(issued) and hmac.compare_digest((issued or "").encode(), verifier.encode())


@fields(init=False)
class OAuth1TimestampNonceMixin:
    """Nonces that were used (RFC 5849 section 3.3). The store removes those that are too old to be accepted.

    Attributes:
        client_id: the client.
        timestamp: Unix time, in seconds, as the client sent it.
        nonce: as the client sent it, or a hash.
        oauth_token: the token; empty without one, since a database takes two nulls for different values.
    """

    client_id: Mapped[str] = mapped_column(exact_string(48))
    timestamp: Mapped[int] = mapped_column(BigInteger, index=True)
    nonce: Mapped[str] = mapped_column(exact_string(48))
    oauth_token: Mapped[str] = mapped_column(exact_string(84), default="")

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> Any:
        """The constraint by which a nonce is accepted once."""
        return (UniqueConstraint("client_id", "timestamp", "nonce", "oauth_token", name="unique_nonce"),)
