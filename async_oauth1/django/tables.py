"""Nonces and temporary credentials in the optional models."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, cast

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, router, transaction
from django.db.models import F, Model

from async_oauth1.errors import TooManyPendingError

from .configuration import Configuration
from .driver import committed
from .pending import PendingCredential

if TYPE_CHECKING:
    from .models import Nonce, TemporaryCredential

__all__ = ["StoredCredentials", "StoredNonces", "purge"]

#: Rows that one statement deletes at most, so that purging locks no table for long.
_ROWS_AT_ONCE = 1_000


class StoredNonces:
    """Nonces in the model `Nonce`."""

    def add(self, key: str, timestamp: int, lifetime: int) -> bool:
        """Add a nonce in one statement that is committed at once, whatever becomes of the view's transaction.

        Args:
            key: of the nonce.
            timestamp: of the request.
            lifetime: seconds that it is remembered.

        Returns:
            Whether it is new.
        """
        return committed(router.db_for_write(_nonces()), _insert, key, int(time.time()) + lifetime)


class StoredCredentials:
    """Temporary credentials in the model `TemporaryCredential`. Each decision is one UPDATE or DELETE."""

    def __init__(self, configuration: Configuration) -> None:
        """Keep credentials as long, and as many of each client, as the setting says."""
        self._lifetime = configuration.temporary_credential_expires_in
        self._limit = configuration.policy.max_pending_per_client

    def create(self, values: dict[str, Any]) -> PendingCredential:
        """Store new temporary credentials.

        Raises:
            TooManyPendingError: the client has as many as it may.
        """
        pending = _credentials().objects.filter(client_id=values["client_id"], expires_at__gt=time.time(), denied=False)
        if pending[: self._limit].count() >= self._limit:
            raise TooManyPendingError()
        _credentials().objects.create(expires_at=int(time.time()) + self._lifetime, **values)
        return PendingCredential(values)

    def get(self, oauth_token: str) -> PendingCredential | None:
        """Look temporary credentials up; ``None`` once denied, exchanged or expired."""
        found = _live(oauth_token).first()
        return None if found is None or found.denied else PendingCredential(found.values())

    def decide(self, oauth_token: str, decision: dict[str, Any]) -> bool:
        """Record a decision, once; ``False`` if there was one before."""
        updated: int = _live(oauth_token).filter(oauth_verifier="", denied=False).update(**decision)
        return updated == 1

    def delete(self, oauth_token: str) -> bool:
        """Delete temporary credentials; of concurrent calls, one returns ``True``."""
        deleted: int = _live(oauth_token).filter(denied=False).delete()[0]
        return deleted == 1

    def count_wrong_verifier(self, oauth_token: str) -> int:
        """Count a wrong verifier, and return how many there have been."""
        _live(oauth_token).update(wrong_verifiers=F("wrong_verifiers") + 1)
        found = _live(oauth_token).first()
        return found.wrong_verifiers if found is not None else 1


def purge() -> tuple[int, int]:
    """Delete what has expired.

    Returns:
        How many nonces, and how many temporary credentials.
    """
    return _purge(_nonces()), _purge(_credentials())


def _purge(model: Any) -> int:
    count = 0
    while expired := list(
        model.objects.filter(expires_at__lt=time.time()).values_list("pk", flat=True)[:_ROWS_AT_ONCE]
    ):
        count += model.objects.filter(pk__in=expired).delete()[0]
    return count


def _insert(key: str, expires_at: int) -> bool:
    model = _nonces()
    try:
        with transaction.atomic(using=router.db_for_write(model)):
            model.objects.create(key=key, expires_at=expires_at)
    except IntegrityError:
        return False
    return True


def _live(oauth_token: str) -> Any:
    return _credentials().objects.filter(oauth_token=oauth_token, expires_at__gt=time.time())


def _nonces() -> type[Nonce]:
    return cast("type[Nonce]", _model("Nonce"))


def _credentials() -> type[TemporaryCredential]:
    return cast("type[TemporaryCredential]", _model("TemporaryCredential"))


def _model(name: str) -> type[Model]:
    try:
        return apps.get_model("async_oauth1", name)
    except LookupError:
        raise ImproperlyConfigured(
            'Add "async_oauth1.django" to INSTALLED_APPS, and run manage.py migrate, to use its models.'
        ) from None
