"""Clients, credentials and nonces in SQLAlchemy models of the application, through an `AsyncSession`.

`SQLAlchemyStore` is a store over models that derive from the mixins here. See ``docs/own-models.md``.
"""

from __future__ import annotations

from .columns import UnstorableValueError, UnsuitableModelError
from .mixins import (
    OAuth1ClientMixin,
    OAuth1TemporaryCredentialMixin,
    OAuth1TimestampNonceMixin,
    OAuth1TokenCredentialMixin,
)
from .optional_mixins import (
    OAuth1ClientSettingsMixin,
    OAuth1DisablingMixin,
    OAuth1EncryptedClientMixin,
    OAuth1EncryptedTemporaryCredentialMixin,
    OAuth1EncryptedTokenCredentialMixin,
    OAuth1ExpiryMixin,
    OAuth1RequestedScopeMixin,
    OAuth1RotationMixin,
    OAuth1ScopeMixin,
)
from .store import SQLAlchemyStore

__all__ = [
    "OAuth1ClientMixin",
    "OAuth1ClientSettingsMixin",
    "OAuth1DisablingMixin",
    "OAuth1EncryptedClientMixin",
    "OAuth1EncryptedTemporaryCredentialMixin",
    "OAuth1EncryptedTokenCredentialMixin",
    "OAuth1ExpiryMixin",
    "OAuth1RequestedScopeMixin",
    "OAuth1RotationMixin",
    "OAuth1ScopeMixin",
    "OAuth1TemporaryCredentialMixin",
    "OAuth1TimestampNonceMixin",
    "OAuth1TokenCredentialMixin",
    "SQLAlchemyStore",
    "UnstorableValueError",
    "UnsuitableModelError",
]
