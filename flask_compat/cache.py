"""Hooks over a cache: nonces and temporary credentials.

The cache is one of Flask's (Flask-Caching, cachelib), an async one (aiocache), or any object with ``get(key)``,
``set(key, value, timeout=...)`` and ``delete(key)``. Its ``add``, where it has one, is the one atomic step that keeps a
nonce from being used twice; ``has`` and then ``set`` are two, and other processes can come between them.
"""

from __future__ import annotations

import hashlib
import hmac
import inspect
import re
import warnings
import weakref
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from authlib.oauth1 import TemporaryCredential

from async_oauth1._encoding import escape_text
from async_oauth1.errors import InvalidTokenError
from async_oauth1.policy import CLOCK_TOLERANCE

from ._callables import is_async
from ._eager import eagerly
from ._locks import KeyedLocks
from ._running import settle

__all__ = ["create_exists_nonce_func", "register_nonce_hooks", "register_temporary_credential_hooks"]

#: Seconds that temporary credentials are kept.
TEMPORARY_CREDENTIAL_LIFETIME = 86400

_DECIDED = ":decided"
# Memcached allows 250 bytes and neither spaces nor controls.
_LONGEST_KEY = 200
_READABLE = re.compile(r"[A-Za-z0-9\-._~]+")


class _TemporaryCredential(TemporaryCredential):
    """Authlib's, which also knows whether it was approved, and compares the verifier in constant time."""

    def is_decided(self) -> bool:
        """Whether the resource owner has approved it; a denial deletes it."""
        return bool(self.get("oauth_verifier"))

    def check_verifier(self, verifier: str) -> bool:
        """Whether this is the verifier issued at approval."""
        return self.is_decided() and hmac.compare_digest(str(self["oauth_verifier"]).encode(), verifier.encode())


def register_temporary_credential_hooks(
    authorization_server: Any, cache: Any, key_prefix: str = "temporary_credential:"
) -> None:
    """Keep temporary credentials in a cache.

    Args:
        authorization_server: the server that gets the hooks.
        cache: see the module.
        key_prefix: before the token.
    """
    hooks = _TemporaryCredentials(_Cache(cache), key_prefix)
    for name in (
        "create_temporary_credential",
        "get_temporary_credential",
        "delete_temporary_credential",
        "create_authorization_verifier",
    ):
        authorization_server.register_hook(name, hooks.cache.suited(getattr(hooks, name)))


def create_exists_nonce_func(cache: Any, key_prefix: str = "nonce:", expires: int = 86400) -> Callable[..., Any]:
    """Make an ``exists_nonce`` function over a cache.

    Args:
        cache: see the module.
        key_prefix: before the nonce.
        expires: seconds that a nonce is remembered; longer where the window of timestamps needs it.
    """
    return _create_exists_nonce(cache, key_prefix, expires, 300)


def register_nonce_hooks(
    authorization_server: Any, cache: Any, key_prefix: str = "nonce:", expires: int = 86400
) -> None:
    """Keep nonces in a cache.

    Args:
        authorization_server: the server that gets the hook.
        cache: see the module.
        key_prefix: before the nonce.
        expires: seconds that a nonce is remembered; longer where the window of timestamps needs it.
    """
    window = authorization_server.EXPIRY_TIME or 0
    authorization_server.register_hook("exists_nonce", _create_exists_nonce(cache, key_prefix, expires, window))


def _create_exists_nonce(cache: Any, key_prefix: str, expires: int, window: int) -> Callable[..., Any]:
    nonces = _Cache(cache)
    if not nonces.can_add:
        _warn_of_race(cache)
    # Nothing, in most caches, stands for ever.
    lifetime = expires and max(expires, 2 * window + CLOCK_TOLERANCE)

    async def exists_nonce(nonce: str, timestamp: str, client_id: str, oauth_token: str | None) -> bool:
        parts = (nonce, timestamp, client_id, *((oauth_token,) if oauth_token else ()))
        return not await nonces.add(_key(key_prefix, "&".join(map(escape_text, parts))), 1, lifetime)

    return nonces.suited(exists_nonce)


class _TemporaryCredentials:
    """The hooks over one cache."""

    def __init__(self, cache: _Cache, key_prefix: str) -> None:
        self.cache = cache
        self._prefix = key_prefix

    async def create_temporary_credential(
        self, token: dict[str, Any], client_id: str, redirect_uri: str | None
    ) -> _TemporaryCredential:
        token["client_id"] = client_id
        if redirect_uri:
            token["oauth_callback"] = redirect_uri
        await self.cache.set(self._key(token["oauth_token"]), dict(token), TEMPORARY_CREDENTIAL_LIFETIME)
        return _TemporaryCredential(token)

    async def get_temporary_credential(self, oauth_token: str | None) -> _TemporaryCredential | None:
        value = await self.cache.get(self._key(oauth_token)) if oauth_token else None
        return _TemporaryCredential(value) if value else None

    async def delete_temporary_credential(self, oauth_token: str | None) -> bool | None:
        """False where the cache says that there was nothing."""
        if not oauth_token:
            return None
        key = self._key(oauth_token)
        deleted = await self.cache.delete(key)
        await self.cache.delete(key + _DECIDED)
        return deleted

    async def create_authorization_verifier(
        self, credential: _TemporaryCredential, grant_user: Any, verifier: str
    ) -> _TemporaryCredential | bool:
        """Bind both to the credential; False where somebody did before."""
        token = str(credential["oauth_token"])
        user_id = await self.cache.result(grant_user.get_user_id())
        if not await self.cache.add(self._key(token) + _DECIDED, 1, TEMPORARY_CREDENTIAL_LIFETIME):
            return False
        current = await self.get_temporary_credential(token)
        if current is None:
            raise InvalidTokenError()
        if current.is_decided():
            return False
        current.update(oauth_verifier=verifier, user_id=user_id)
        await self.cache.set(self._key(token), dict(current), TEMPORARY_CREDENTIAL_LIFETIME)
        credential.update(current)
        return credential

    def _key(self, oauth_token: str) -> str:
        return _key(self._prefix, oauth_token if _READABLE.fullmatch(oauth_token) else escape_text(oauth_token))


class _Cache:
    """A cache behind one interface, whether its methods are plain or async."""

    def __init__(self, cache: Any) -> None:
        self._cache = cache
        self._locks = KeyedLocks()
        self._lifetime_name = _lifetime_name(cache)
        self.can_add = callable(getattr(cache, "add", None))
        methods = [getattr(cache, name, None) for name in ("get", "set", "delete", "add" if self.can_add else "has")]
        self._is_async = all(is_async(method) for method in methods if method is not None)

    def suited(self, hook: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
        """The hook for an async cache; for a plain one a plain function that does the same."""
        return hook if self._is_async else eagerly(hook)

    async def get(self, key: str) -> Any:
        return await self.result(self._cache.get(key))

    async def set(self, key: str, value: Any, lifetime: int) -> None:
        await self.result(self._cache.set(key, value, **{self._lifetime_name: lifetime}))

    async def delete(self, key: str) -> bool | None:
        deleted = await self.result(self._cache.delete(key))
        return None if deleted is None else bool(deleted)

    async def add(self, key: str, value: Any, lifetime: int) -> bool:
        """Set what is not there yet, and say whether it was not."""
        # Not every cache's add is atomic: cachelib's files are looked for first and written then.
        async with self._locks.hold(key):
            if not self.can_add:
                known = await self._has(key)
                await self.set(key, value, lifetime)
                return not known
            try:
                return bool(await self.result(self._cache.add(key, value, **{self._lifetime_name: lifetime})))
            except ValueError:  # how aiocache says that the key exists
                if await self._has(key):
                    return False
                raise

    async def _has(self, key: str) -> bool:
        for name in ("has", "exists"):
            if callable(method := getattr(self._cache, name, None)):
                return bool(await self.result(method(key)))
        return await self.get(key) is not None

    @staticmethod
    async def result(value: Any) -> Any:
        """What a method returned, awaited where it must be."""
        settled = settle(value)
        return await settled if inspect.isawaitable(settled) else settled


def _lifetime_name(cache: Any) -> str:
    """What the cache calls the lifetime: ``timeout`` in Authlib's code, ``expires`` in Authlib's documentation."""
    try:
        parameters = inspect.signature(cache.set).parameters
    except (TypeError, ValueError):
        return "timeout"
    return next((name for name in ("timeout", "expires", "ttl", "expire") if name in parameters), "timeout")


def _key(prefix: str, name: str) -> str:
    if len(prefix) + len(name) > _LONGEST_KEY:
        name = "sha256&" + hashlib.sha256(name.encode()).hexdigest()
    return prefix + name


_warned: weakref.WeakSet[Any] = weakref.WeakSet()


def _warn_of_race(cache: object) -> None:
    with suppress(TypeError):  # it cannot be remembered, so it is warned of each time
        if cache in _warned:
            return
        _warned.add(cache)
    warnings.warn(
        f"{type(cache).__name__} has no add(): a nonce is looked for with has() and then stored with set(). Within "
        "this process that is one step; of two processes that get the same request at once, both could accept it: a "
        "race.",
        RuntimeWarning,
        stacklevel=4,
    )
