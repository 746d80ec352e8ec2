"""Hooks that keep nonces and temporary credentials in a cache.

The cache is one of Flask's (Flask-Caching, cachelib), an async one (aiocache), or any object with ``get(key)``,
``set(key, value, timeout=...)`` and ``delete(key)``. Clients of redis-py, pymemcache and pylibmc can be used directly.
If the cache has ``add``, a nonce is checked and stored in one atomic step. Without it, two processes can both accept
one request, because ``has`` and ``set`` are two steps.

Registering a hook does not call the cache. The first request that needs the cache checks it, and raises
`UnsuitableCacheError` if the cache would accept replays.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import re
import warnings
import weakref
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Protocol, cast

from authlib.oauth1 import TemporaryCredential

from async_oauth1.errors import InvalidTokenError, StoreUnavailableError
from async_oauth1.protocol.encoding import as_text, escape_text

from .caching.adapter import has_no_add
from .caching.kinds import settled
from .caching.nonce_lifetime import needed_lifetime
from .caching.proved_cache import ProvedCache
from .caching.suitability import UnsuitableCacheError
from .execution.callable_kinds import non_blocking

__all__ = [
    "UnsuitableCacheError",
    "create_exists_nonce_func",
    "register_nonce_hooks",
    "register_temporary_credential_hooks",
]

#: Seconds that temporary credentials are kept.
TEMPORARY_CREDENTIAL_LIFETIME = 86400
#: Seconds that a nonce is remembered by default.
NONCE_LIFETIME = 86400

#: Seconds for which a client is told that they have ended.
ENDED_CREDENTIAL_LIFETIME = 600

_DECIDED, _ENDED = ":decided", ":ended"
# Memcached allows 250 bytes and neither spaces nor controls.
_LONGEST_KEY = 200
_READABLE = re.compile(r"[A-Za-z0-9\-._~]+")


class _TemporaryCredential(TemporaryCredential):
    """Authlib's class, plus whether it was approved, and a comparison of the verifier in constant time."""

    @non_blocking
    def is_decided(self) -> bool:
        """Whether the resource owner has approved it. A denial deletes it instead."""
        return bool(self.get("oauth_verifier"))

    @non_blocking
    def get_scope(self) -> str:
        """The scopes that were granted, separated by spaces; what the client asks for is ``requested_scope``."""
        return str(self.get("granted_scope") or "")

    @non_blocking
    def check_verifier(self, verifier: str) -> bool:
        """Whether this is the verifier that was issued at approval."""
        return self.is_decided() and hmac.compare_digest(str(self["oauth_verifier"]).encode(), verifier.encode())


class _TakesHooks(Protocol):
    """What is needed of a server to give it hooks."""

    EXPIRY_TIME: int

    def register_hook(self, name: str, func: Callable[..., Any]) -> None:
        """Set one hook."""


def register_temporary_credential_hooks(
    authorization_server: _TakesHooks, cache: object, key_prefix: str = "temporary_credential:"
) -> None:
    """Keep temporary credentials in a cache.

    Scopes are kept with them. The hook ``create_token_credential`` gets what the user granted from
    ``temporary_credential.get_scope()``.

    Args:
        authorization_server: the server that gets the hooks.
        cache: a cache as described in the module docstring.
        key_prefix: the prefix of the keys; the token follows.
    """
    hooks = _TemporaryCredentials(ProvedCache(cache, prefix=key_prefix, keeps_mappings=True), key_prefix)
    for name in (
        "create_temporary_credential",
        "get_temporary_credential",
        "delete_temporary_credential",
        "get_ended_temporary_credential",
        "create_authorization_verifier",
    ):
        authorization_server.register_hook(name, hooks.cache.suited(getattr(hooks, name)))


def create_exists_nonce_func(cache: object, key_prefix: str = "nonce:", expires: int = 86400) -> Callable[..., Any]:
    """Make an ``exists_nonce`` function over a cache.

    Args:
        cache: a cache as described in the module docstring.
        key_prefix: the prefix of the keys; the nonce follows.
        expires: seconds that a nonce is remembered; more if the timestamp window requires it.
    """
    return _create_exists_nonce(cache, key_prefix, expires, 300)


def register_nonce_hooks(
    authorization_server: _TakesHooks, cache: object, key_prefix: str = "nonce:", expires: int = 86400
) -> None:
    """Keep nonces in a cache.

    Args:
        authorization_server: the server that gets the hook.
        cache: a cache as described in the module docstring.
        key_prefix: the prefix of the keys; the nonce follows.
        expires: seconds that a nonce is remembered; more if the timestamp window requires it.
    """
    window = authorization_server.EXPIRY_TIME or 0
    authorization_server.register_hook("exists_nonce", _create_exists_nonce(cache, key_prefix, expires, window))


def _create_exists_nonce(cache: object, key_prefix: str, expires: int | None, window: int) -> Callable[..., Any]:
    nonces = ProvedCache(cache, prefix=key_prefix, keeps_mappings=False)
    if has_no_add(cache):
        _warn_of_race(cache)
    wanted = NONCE_LIFETIME if expires is None else expires

    async def exists_nonce(nonce: str, timestamp: str | int, client_id: str, oauth_token: str | None) -> bool:
        parts = (nonce, as_text(timestamp), client_id, *((oauth_token,) if oauth_token else ()))
        needed = needed_lifetime(window)
        # For most caches 0 means that an entry does not expire.
        lifetime = 0 if needed == math.inf or not wanted else max(wanted, int(needed))
        key = _key(key_prefix, "&".join(map(escape_text, parts)))
        return not await nonces.add(key, 1, lifetime, needed=needed)

    return nonces.suited(exists_nonce)


class _TemporaryCredentials:
    """The hooks over one cache."""

    def __init__(self, cache: ProvedCache, key_prefix: str) -> None:
        self.cache = cache
        self._prefix = key_prefix

    async def create_temporary_credential(
        self, token: dict[str, Any], client_id: str, redirect_uri: str | None, *, scope: str = ""
    ) -> _TemporaryCredential:
        token["client_id"] = client_id
        if scope:
            token["requested_scope"] = scope
        if redirect_uri:
            token["oauth_callback"] = redirect_uri
        await self.cache.create(self._key(token["oauth_token"]), dict(token), TEMPORARY_CREDENTIAL_LIFETIME)
        return _TemporaryCredential(token)

    async def get_temporary_credential(self, oauth_token: str | None) -> _TemporaryCredential | None:
        value = await self.cache.get(self._key(oauth_token)) if oauth_token else None
        if not value:
            return None
        credential = _TemporaryCredential(value)
        if not credential.is_decided():
            credential.update(await self._decision(str(oauth_token)))
        return credential

    async def delete_temporary_credential(self, oauth_token: str | None) -> bool | None:
        """Return whether this call deleted the credential; of concurrent calls only one returns ``True``."""
        if not oauth_token:
            return None
        key = self._key(oauth_token)
        value = await self.cache.get(key)
        deleted = await self.cache.take(key, TEMPORARY_CREDENTIAL_LIFETIME)
        await self.cache.delete(key + _DECIDED)
        if deleted and isinstance(value, Mapping):
            with suppress(StoreUnavailableError):  # logged; the client gets the answer for an unknown token
                await self.cache.set(key + _ENDED, dict(cast("Mapping[str, Any]", value)), ENDED_CREDENTIAL_LIFETIME)
        return deleted

    async def get_ended_temporary_credential(self, oauth_token: str | None) -> _TemporaryCredential | None:
        value = await self.cache.get(self._key(oauth_token) + _ENDED) if oauth_token else None
        return _TemporaryCredential(cast("Mapping[str, Any]", value)) if isinstance(value, Mapping) else None

    async def create_authorization_verifier(
        self, credential: _TemporaryCredential, grant_user: Any, verifier: str, *, scope: str = ""
    ) -> _TemporaryCredential | bool:
        """Store user, verifier and scope with the credential; return ``False`` if it was decided before."""
        token = str(credential["oauth_token"])
        user_id = await settled(grant_user.get_user_id())
        # A denial deletes the entry. Between the look-up and the write it would be undone.
        async with await self.cache.hold(self._key(token)):
            approval = {"oauth_verifier": verifier, "user_id": user_id, "granted_scope": scope}
            current = await self._decide(token, approval)
            if current is None:
                return False
            await self.cache.set(self._key(token), dict(current), TEMPORARY_CREDENTIAL_LIFETIME)
        credential.update(current)
        return credential

    async def _decide(self, token: str, decision: dict[str, Any]) -> _TemporaryCredential | None:
        """Decide in one atomic step, after which every process sees the user and the verifier."""
        if not await self.cache.add(self._key(token) + _DECIDED, decision, TEMPORARY_CREDENTIAL_LIFETIME):
            return None
        current = await self.get_temporary_credential(token)
        if current is None:
            raise InvalidTokenError()
        return current if current["oauth_verifier"] == decision["oauth_verifier"] else None

    async def _decision(self, token: str) -> Mapping[str, Any]:
        """The user and the verifier that are not stored with the credential yet."""
        decision = await self.cache.get(self._key(token) + _DECIDED)
        return cast("Mapping[str, Any]", decision) if isinstance(decision, Mapping) else {}

    def _key(self, oauth_token: str) -> str:
        return _key(self._prefix, oauth_token if _READABLE.fullmatch(oauth_token) else escape_text(oauth_token))


def _key(prefix: str, name: str) -> str:
    if len(prefix) + len(name) > _LONGEST_KEY:
        name = "sha256&" + hashlib.sha256(name.encode()).hexdigest()
    return prefix + name


_warned: weakref.WeakSet[Any] = weakref.WeakSet()


def _warn_of_race(cache: object) -> None:
    with suppress(TypeError):  # no weak reference can be made to it, so each hook warns
        if cache in _warned:
            return
        _warned.add(cache)
    warnings.warn(
        f"{type(cache).__name__} has no add(), so a nonce is looked up and then stored in two steps. Within one "
        "process a lock prevents a race; if two processes get the same request at once, both may accept it. Use a "
        "cache with an atomic add().",
        RuntimeWarning,
        stacklevel=4,
    )
