"""Mixins for what a provider may do without. Put them before the mixin of the model.

The store looks for the columns, so a model may also declare them itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import JSON, Boolean, Double, String
from sqlalchemy.orm import Mapped, mapped_column

from async_oauth1.credentials import Client, NoncePolicy

from .mixins import exact_string, exact_text, fields
from .secrets import former_secrets_of, secret_of

__all__ = [
    "OAuth1ClientSettingsMixin",
    "OAuth1DisablingMixin",
    "OAuth1EncryptedClientMixin",
    "OAuth1EncryptedTemporaryCredentialMixin",
    "OAuth1EncryptedTokenCredentialMixin",
    "OAuth1ExpiryMixin",
    "OAuth1RequestedScopeMixin",
    "OAuth1RotationMixin",
    "OAuth1ScopeMixin",
]

# An encrypted secret of 120 characters has 215.
_SEALED = 255


@fields(init=False)
class OAuth1ClientSettingsMixin:
    """Registered callbacks, signature methods, an RSA key and tolerances of a client, as the record `Client` has them.

    With it, a client may use no callback but those that are registered.

    Attributes:
        name: what the resource owner reads on the consent page.
        callbacks: registered callbacks; ``oob`` among them allows codes.
        signature_methods: the methods enabled for this client; empty: all of the server's, or those of RSA if it has a
            key.
        rsa_public_key: PEM, a public key or an X.509 certificate.
        nonce_policy: ``strict`` or ``log-only``.
        callback_query_may_differ: let the query of a callback differ from the registered one.
        tolerances: names of rules to relax for this client.
    """

    name: Mapped[str] = mapped_column(exact_text(), default="")
    callbacks: Mapped[Sequence[str]] = mapped_column(JSON, default=())
    signature_methods: Mapped[Sequence[str]] = mapped_column(JSON, default=())
    rsa_public_key: Mapped[str | None] = mapped_column(exact_text(), default=None)
    nonce_policy: Mapped[NoncePolicy] = mapped_column(String(10), default="strict")
    callback_query_may_differ: Mapped[bool] = mapped_column(Boolean, default=False)
    tolerances: Mapped[Sequence[str]] = mapped_column(JSON, default=())

    if TYPE_CHECKING:

        def get_default_redirect_uri(self) -> str | None:
            """The first registered callback that is a URI."""

        def get_rsa_public_key(self) -> str | None:
            """The public key in PEM."""

        def get_signature_methods(self) -> Sequence[str] | None:
            """The methods enabled for this client, or ``None`` for all of the server's."""

        def get_nonce_policy(self) -> NoncePolicy:
            """What a repeated nonce means."""
            ...

        def get_tolerances(self) -> Sequence[str]:
            """The names of the rules that are relaxed for this client."""
            ...

        def check_callback(self, uri: str) -> bool:
            """Whether the callback is registered; a loopback one with any port."""
            ...

    else:  # the record's methods read only attributes that are columns here
        get_default_redirect_uri = Client.get_default_redirect_uri
        get_rsa_public_key = Client.get_rsa_public_key
        get_signature_methods = Client.get_signature_methods
        get_nonce_policy = Client.get_nonce_policy
        get_tolerances = Client.get_tolerances
        check_callback = Client.check_callback


@fields(init=False)
class OAuth1DisablingMixin:
    """Whether a client is disabled, which keeps its row and refuses its requests.

    Attributes:
        disabled: every request of the client is refused as if it were unknown.
    """

    disabled: Mapped[bool] = mapped_column(Boolean, default=False)


@fields(init=False)
class OAuth1RotationMixin:
    """Former secrets of a client, which verify until their overlap with the current one ends.

    Attributes:
        overlapping_secrets: a JSON list of secrets and ends; use `get_client_secrets`.
    """

    overlapping_secrets: Mapped[str] = mapped_column(exact_text(), default="[]")

    def get_client_secrets(self) -> tuple[str, ...]:
        """Every secret that verifies now, current first."""
        current = secret_of(self, "client_secret")
        former = tuple(secret for secret, _ in former_secrets_of(self))
        return (current, *former) if current else former


@fields(init=False)
class OAuth1ScopeMixin:
    """The scope that was granted, of temporary or of token credentials.

    Attributes:
        scope: space-separated; empty covers no named scope.
    """

    scope: Mapped[str] = mapped_column(exact_text(), default="")

    def get_scope(self) -> str:
        """The scopes that were granted, separated by spaces."""
        return self.scope


@fields(init=False)
class OAuth1RequestedScopeMixin(OAuth1ScopeMixin):
    """The scope that was granted, and the one that the client asks for, of temporary credentials.

    Attributes:
        requested_scope: what the client asked for, space-separated.
    """

    requested_scope: Mapped[str] = mapped_column(exact_text(), default="")


@fields(init=False)
class OAuth1ExpiryMixin:
    """When token credentials were created, and when they expire.

    Attributes:
        created_at: Unix time, in seconds.
        expires_at: Unix time from which the store knows it no more; ``None`` for never.
    """

    created_at: Mapped[float] = mapped_column(Double, default=0.0)
    expires_at: Mapped[float | None] = mapped_column(Double, default=None, index=True)


@fields(init=False)
class OAuth1EncryptedClientMixin:
    """A column that is wide enough for an encrypted client secret."""

    client_secret: Mapped[str | None] = mapped_column(exact_string(_SEALED), default=None)


@fields(init=False)
class OAuth1EncryptedTokenCredentialMixin:
    """A column that is wide enough for the encrypted secret of token credentials."""

    oauth_token_secret: Mapped[str] = mapped_column(exact_string(_SEALED))


@fields(init=False)
class OAuth1EncryptedTemporaryCredentialMixin(OAuth1EncryptedTokenCredentialMixin):
    """Columns that are wide enough for the encrypted secret and verifier of temporary credentials."""

    oauth_verifier: Mapped[str | None] = mapped_column(exact_string(_SEALED), default=None)
