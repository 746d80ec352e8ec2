"""Hooks: what a provider supplies, one Protocol each, and the registry that holds them.

A hook is a coroutine function, or a plain function that does not block. A *store* is any object with methods of these
names; `Hooks.register_store` takes them all at once.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from inspect import CO_ITERABLE_COROUTINE
from types import CoroutineType, GeneratorType
from typing import Any, Protocol, TypeAlias, TypeVar, cast

from async_oauth1.credentials import ClientLike, TemporaryCredentialLike, TokenCredentialLike
from async_oauth1.errors import MissingHookError, StoreUnavailableError
from async_oauth1.policy import Policy

__all__ = [
    "AUTHORIZATION_SERVER_HOOKS",
    "RESOURCE_PROTECTOR_HOOKS",
    "CountWrongVerifier",
    "CreateAuthorizationVerifier",
    "CreateTemporaryCredential",
    "CreateTokenCredential",
    "DeleteTemporaryCredential",
    "DenyTemporaryCredential",
    "Exchange",
    "ExistsNonce",
    "GetTemporaryCredential",
    "HookCaller",
    "Hooks",
    "MaybeAwaitable",
    "QueryClient",
    "QueryCredentials",
    "QueryToken",
    "TokenGenerator",
    "call_hook",
    "hook_caller",
    "is_awaitable",
    "require_hooks",
    "resolve",
]

log = logging.getLogger("async_oauth1")

T = TypeVar("T")
#: What a hook returns: its result, or an awaitable of it.
MaybeAwaitable: TypeAlias = Awaitable[T] | T


class QueryClient(Protocol):
    """Looks a client up by its identifier."""

    def __call__(self, client_id: str, /) -> MaybeAwaitable[ClientLike | None]: ...


class QueryToken(Protocol):
    """Looks token credentials up; both arguments must match."""

    def __call__(self, client_id: str, oauth_token: str, /) -> MaybeAwaitable[TokenCredentialLike | None]: ...


class QueryCredentials(Protocol):
    """Looks client and token credential up in one round trip."""

    def __call__(
        self, client_id: str, oauth_token: str, /
    ) -> MaybeAwaitable[tuple[ClientLike | None, TokenCredentialLike | None]]: ...


class ExistsNonce(Protocol):
    """Remembers a nonce and says whether it was known, in ONE atomic step (RFC 5849 section 3.3)."""

    def __call__(
        self, nonce: str, timestamp: str, client_id: str, oauth_token: str | None, /
    ) -> MaybeAwaitable[bool]: ...


class CreateTemporaryCredential(Protocol):
    """Keeps new temporary credentials (section 2.1)."""

    def __call__(
        self, token: dict[str, str], client_id: str, redirect_uri: str, /
    ) -> MaybeAwaitable[TemporaryCredentialLike]: ...


class GetTemporaryCredential(Protocol):
    """Looks temporary credentials up; ``None`` once expired, denied or exchanged."""

    def __call__(self, oauth_token: str, /) -> MaybeAwaitable[TemporaryCredentialLike | None]: ...


class DeleteTemporaryCredential(Protocol):
    """Takes temporary credentials away; ``False`` where they were already gone: an atomic take."""

    def __call__(self, oauth_token: str, /) -> MaybeAwaitable[bool | None]: ...


class CreateAuthorizationVerifier(Protocol):
    """Binds user and verifier to temporary credentials, once; ``False`` where they were already decided."""

    def __call__(self, credential: Any, grant_user: Any, verifier: str, /) -> MaybeAwaitable[object]: ...


class DenyTemporaryCredential(Protocol):
    """Records the resource owner's refusal; ``False`` where they were already decided."""

    def __call__(self, oauth_token: str, /) -> MaybeAwaitable[bool | None]: ...


class CountWrongVerifier(Protocol):
    """Counts a wrong verifier and returns how many there have been."""

    def __call__(self, oauth_token: str, /) -> MaybeAwaitable[int]: ...


class CreateTokenCredential(Protocol):
    """Keeps new token credentials (section 2.3)."""

    def __call__(self, token: dict[str, str], temporary_credential: Any, /) -> MaybeAwaitable[TokenCredentialLike]: ...


class Exchange(Protocol):
    """Takes temporary credentials and keeps token credentials in one transaction; ``None`` where they were gone."""

    def __call__(
        self, temporary_credential: Any, token: dict[str, str], /
    ) -> MaybeAwaitable[TokenCredentialLike | None]: ...


class TokenGenerator(Protocol):
    """Makes ``{"oauth_token": ..., "oauth_token_secret": ...}``."""

    def __call__(self) -> MaybeAwaitable[dict[str, str]]: ...


AUTHORIZATION_SERVER_HOOKS = (
    "query_client",
    "exists_nonce",
    "create_temporary_credential",
    "get_temporary_credential",
    "delete_temporary_credential",
    "create_authorization_verifier",
    "create_token_credential",
    "token_generator",
    "deny_temporary_credential",
    "count_wrong_verifier",
    "exchange",
)
RESOURCE_PROTECTOR_HOOKS = ("query_client", "query_token", "exists_nonce", "query_credentials")

# A shortcut speaks for the hooks it replaces or complements, so it is taken from a store only together with them: a
# store's query_credentials must not answer for a query_client that came from elsewhere.
_SPEAKS_FOR = {
    "query_credentials": ("query_client", "query_token"),
    "exchange": ("delete_temporary_credential", "create_token_credential"),
    "deny_temporary_credential": ("get_temporary_credential",),
    "count_wrong_verifier": ("get_temporary_credential", "delete_temporary_credential"),
}


class Hooks:
    """The hooks of one server, each given alone or by a store."""

    __slots__ = ("_from_store", "_names", "_policies", "_registered")

    def __init__(self, names: Iterable[str], policy: Policy) -> None:
        """Start empty.

        Args:
            names: the hooks this server knows.
            policy: told to each store that is registered.
        """
        self._names = tuple(names)
        self._policies = [policy]
        self._registered: dict[str, Callable[..., Any]] = {}
        self._from_store: set[str] = set()

    def register(self, name: str, func: Callable[..., Any]) -> None:
        """Set one hook, replacing what was there, and what a store answered in its place.

        Raises:
            ValueError: the server knows no hook of that name, or the store it belongs to keeps nonces too briefly.
            TypeError: ``func`` is not callable.
        """
        if name not in self._names:
            raise ValueError(f'Invalid "name" of hook: {name!r}; known are {", ".join(self._names)}')
        if not callable(func):
            raise TypeError(f'the hook "{name}" is a function, not {type(func).__name__}')
        self._prepare(getattr(func, "__self__", None))
        self._registered[name] = func
        self._from_store.discard(name)
        for shortcut, others in _SPEAKS_FOR.items():
            if name in others and shortcut in self._from_store:
                self._from_store.discard(shortcut)
                del self._registered[shortcut]

    def register_store(self, store: object) -> None:
        """Fill the hooks that nothing has filled yet with the methods that the store has.

        Raises:
            ValueError: the store has no hook at all, or keeps nonces too briefly for this server.
        """
        offered = {name: func for name in self._names if callable(func := getattr(store, name, None))}
        if not offered:
            raise ValueError(f"{type(store).__name__} has none of the hooks {', '.join(self._names)}")
        self._prepare(store)
        taken = offered.keys() - self._registered.keys()
        for name in taken:
            if all(other in taken for other in _SPEAKS_FOR.get(name, ()) if other in self._names):
                self._registered[name] = offered[name]
                self._from_store.add(name)

    def get(self, name: str) -> Callable[..., Any] | None:
        """The hook, or ``None`` where it is missing."""
        return self._registered.get(name)

    def adopt(self, policies: Sequence[Policy]) -> None:
        """Tell other policies to every store, whether it is registered already or later."""
        self._policies = list(policies)
        for func in tuple(self._registered.values()):
            self._prepare(getattr(func, "__self__", None))

    def _prepare(self, store: object) -> None:
        prepare = getattr(store, "prepare", None)
        if callable(prepare):
            for policy in self._policies:
                prepare(policy)


def require_hooks(registered: Mapping[str, bool], owner: str) -> None:
    """Name every missing hook at once.

    Raises:
        MissingHookError: at least one is missing.
    """
    missing = [name for name, present in registered.items() if not present]
    if missing:
        names = ", ".join(f'"{name}"' for name in missing)
        plural = "hooks are" if len(missing) > 1 else "hook is"
        raise MissingHookError(f"{owner}: the {names} {plural} required.")


async def resolve(value: Any) -> Any:
    """Await what can be awaited, so that a coroutine is never taken for a true value.

    Werkzeug's ``LocalProxy`` has ``__await__`` without being awaitable; it is passed through.
    """
    while is_awaitable(value):
        value = await cast("Awaitable[Any]", value)
    return value


class HookCaller(Protocol):
    """Calls a hook at another place than the flow's own thread, and awaits what it returns."""

    def __call__(self, func: Callable[..., Any], args: tuple[Any, ...], /) -> Awaitable[Any]: ...


#: How the hooks of the current flow are called; ``None``: here and now. For frameworks whose hooks may block.
hook_caller: ContextVar[HookCaller | None] = ContextVar("async_oauth1.hook_caller", default=None)


# What the stores' hooks return: not worth the question whether it can be awaited.
_PLAIN = frozenset({bool, tuple, type(None)})


async def call_hook(func: Callable[..., Any], *args: Any) -> Any:
    """Call a hook or a model's method, and await what it returns.

    Raises:
        StoreUnavailableError: the hook raised that, ``OSError`` or ``TimeoutError``.
    """
    caller = hook_caller.get()
    try:
        if caller is not None:
            return await caller(func, args)
        value = func(*args)
        if type(value) is CoroutineType:
            value = await value
        while type(value) not in _PLAIN and is_awaitable(value):
            value = await value
    except OSError as error:  # TimeoutError and ConnectionError are OSErrors
        # The client is told to come back. What it came upon, and whether that passes by itself, is for the operator.
        log.exception("A hook failed, and the request is answered with 503.")
        raise StoreUnavailableError() from error
    return value


def is_awaitable(value: object) -> bool:
    """Whether a result must be awaited.

    Werkzeug's ``LocalProxy`` must not, although it has ``__await__``; what comes from a function under
    ``types.coroutine`` must, although it has none.
    """
    cls = type(value)
    if hasattr(cls, "__await__"):
        return not (cls.__name__ == "LocalProxy" and cls.__module__ == "werkzeug.local")
    return isinstance(value, GeneratorType) and bool(value.gi_code.co_flags & CO_ITERABLE_COROUTINE)
