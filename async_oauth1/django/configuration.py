"""The setting ``AUTHLIB_OAUTH1_PROVIDER``."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from typing import Any, cast

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from async_oauth1.policy import Policy

__all__ = ["SETTING", "Configuration", "known_keys", "read_configuration"]

#: Authlib's name, so that existing settings keep working.
SETTING = "AUTHLIB_OAUTH1_PROVIDER"
_POLICY_KEYS = frozenset(field.name for field in fields(Policy))
_STORES = ("cache", "models")


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """What the setting says, apart from the policy.

    Attributes:
        policy: the rules.
        nonce_expires_in: seconds that a cache keeps a nonce; more if the policy's window requires it.
        temporary_credential_expires_in: seconds between the first step and the exchange.
        temporary_credential_key_prefix: the prefix of keys in the cache.
        cache: the alias in ``CACHES``.
        nonces: ``cache`` or ``models``.
    """

    policy: Policy
    nonce_expires_in: int = 86_400
    temporary_credential_expires_in: int = 86_400
    temporary_credential_key_prefix: str = "temporary_credential:"
    cache: str = "default"
    nonces: str = "cache"

    @property
    def nonce_lifetime(self) -> int:
        """Seconds that a nonce is remembered: never less than its timestamp is accepted."""
        return max(self.nonce_expires_in, self.policy.nonce_lifetime)


def read_configuration(signature_methods: Collection[str]) -> Configuration:
    """Read the setting.

    Args:
        signature_methods: the methods that are accepted if the setting names none.

    Raises:
        ImproperlyConfigured: a value is of the wrong type or out of range. Unknown keys are for the system checks.
    """
    given: Any = getattr(settings, SETTING, {})
    if not isinstance(given, Mapping):
        raise ImproperlyConfigured(f"{SETTING} is a dict, not {type(given).__name__}.")
    said = {name: value for name, value in cast("Mapping[str, Any]", given).items() if value is not None}
    rules: dict[str, Any] = {
        "uniform_errors": False,
        **{name: value for name, value in said.items() if name in _POLICY_KEYS},
    }
    rules["signature_methods"] = rules.get("signature_methods") or tuple(signature_methods)
    try:
        policy = Policy(**rules)
    except (TypeError, ValueError) as error:
        raise ImproperlyConfigured(f"{SETTING}: {error}") from error
    own = {name: said[name] for name in _own_keys() if name in said}
    _check(own)
    return Configuration(policy=policy, **own)


def known_keys() -> frozenset[str]:
    """The keys that the setting may have."""
    return _POLICY_KEYS.union(_own_keys())


def _own_keys() -> list[str]:
    return [field.name for field in fields(Configuration) if field.name != "policy"]


def _check(own: Mapping[str, Any]) -> None:
    for name in ("nonce_expires_in", "temporary_credential_expires_in"):
        value: Any = own.get(name, 1)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ImproperlyConfigured(f"{SETTING}[{name!r}] is a whole number of seconds above 0, not {value!r}.")
    for name in ("temporary_credential_key_prefix", "cache", "nonces"):
        if not isinstance(own.get(name, ""), str):
            raise ImproperlyConfigured(f"{SETTING}[{name!r}] is a string, not {type(own[name]).__name__}.")
    if own.get("nonces", "cache") not in _STORES:
        raise ImproperlyConfigured(f'{SETTING}["nonces"] is "cache" or "models", not {own["nonces"]!r}.')
