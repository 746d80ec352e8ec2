"""The registry that holds the hooks of a server, and the call of a hook.

A hook is a coroutine function, or a plain function that does not block. A *store* is any object with methods of these
names; `Hooks.register_store` registers all of them at once.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from inspect import CO_ITERABLE_COROUTINE
from time import monotonic
from types import CoroutineType, GeneratorType
from typing import Any, Protocol, TypeVar, cast

from async_oauth1.credentials import MaybeAwaitable
from async_oauth1.errors import MissingHookError, StoreUnavailableError
from async_oauth1.policy import Policy

from .problems import BLOCKING_SECONDS, TimedHook, report_blocking, untimed_until
from .protocols import HookStore
from .signatures import check_signature, unknown_hook

__all__ = [
    "AUTHORIZATION_SERVER_HOOKS",
    "RESOURCE_PROTECTOR_HOOKS",
    "HookCaller",
    "Hooks",
    "call_hook",
    "hook_caller",
    "is_awaitable",
    "optional",
    "require_hooks",
    "resolve",
]

log = logging.getLogger("async_oauth1")

T = TypeVar("T")


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
    "get_ended_temporary_credential",
    "exchange",
    "requested_scope",
    "token_response_parameters",
    "audit",
    "on_refusal",
)
RESOURCE_PROTECTOR_HOOKS = ("query_client", "query_token", "exists_nonce", "query_credentials", "on_refusal")

# A shortcut is taken from a store only together with the hooks that it replaces or complements: a store's
# query_credentials must not replace a query_client that was registered separately.
_REPLACES = {
    "query_credentials": ("query_client", "query_token"),
    "exchange": ("delete_temporary_credential", "create_token_credential"),
    "deny_temporary_credential": ("get_temporary_credential",),
    "count_wrong_verifier": ("get_temporary_credential", "delete_temporary_credential"),
    "get_ended_temporary_credential": ("get_temporary_credential", "delete_temporary_credential"),
}


class Hooks:
    """The hooks of one server, registered one by one or from a store.

    Attributes:
        get: returns the hook of a name, or ``None`` if it is not registered.
        version: a number that grows with each registration.
    """

    __slots__ = ("_from_store", "_names", "_policies", "_registered", "_wrap", "get", "version")

    get: Callable[[str], Callable[..., Any] | None]

    def __init__(self, names: Iterable[str], policy: Policy) -> None:
        """Start empty.

        Args:
            names: the hooks that this server uses.
            policy: passed to the ``prepare`` method of each store that is registered.
        """
        self._names = tuple(names)
        self._policies = [policy]
        self._registered: dict[str, Callable[..., Any]] = {}
        self.get = self._registered.get  # the dictionary's own method: every request asks twice
        self._from_store: set[str] = set()
        self.version = 0
        self._wrap: Callable[[str, Callable[..., Any]], Callable[..., Any]] | None = None

    def wrap(self, wrap: Callable[[str, Callable[..., Any]], Callable[..., Any]]) -> None:
        """Replace every hook, also those that are registered later, by what a function makes of its name and itself."""
        self._wrap = wrap
        for name, func in self._registered.items():
            self._registered[name] = wrap(name, func)
        self.version += 1

    def register(self, name: str, func: Callable[..., Any]) -> None:
        """Set one hook. It replaces an earlier one, and the shortcuts of a store that would bypass it.

        Raises:
            ValueError: the server uses no hook of that name, or ``func`` is the method of a store that keeps nonces for
                less time than the policy needs.
            TypeError: ``func`` is not callable, or does not take the arguments of this hook.
        """
        if name not in self._names:
            raise ValueError(unknown_hook(name, self._names))
        if not callable(func):
            raise TypeError(f'the hook "{name}" must be a function, not {type(func).__name__}')
        check_signature(name, func)
        self._prepare(getattr(func, "__self__", None))
        self._registered[name] = func if self._wrap is None else self._wrap(name, func)
        self.version += 1
        self._from_store.discard(name)
        for shortcut, others in _REPLACES.items():
            if name in others and shortcut in self._from_store:
                self._from_store.discard(shortcut)
                del self._registered[shortcut]

    def register_store(self, store: HookStore) -> None:
        """Register the store's methods as hooks, except for hooks that are registered already.

        Raises:
            ValueError: the store has none of the hooks, or keeps nonces for less time than the policy needs.
            TypeError: a method does not take the arguments of its hook.
        """
        offered = {name: func for name in self._names if callable(func := getattr(store, name, None))}
        if not offered:
            raise ValueError(f"{type(store).__name__} has none of the hooks {', '.join(self._names)}")
        for name, func in offered.items():
            check_signature(name, func)
        self._prepare(store)
        taken = offered.keys() - self._registered.keys()
        self.version += 1
        for name in taken:
            if all(other in taken for other in _REPLACES.get(name, ()) if other in self._names):
                self._registered[name] = offered[name] if self._wrap is None else self._wrap(name, offered[name])
                self._from_store.add(name)

    def adopt(self, policies: Sequence[Policy]) -> None:
        """Prepare every store for these policies instead, those registered later included."""
        self._policies = list(policies)
        for func in tuple(self._registered.values()):
            self._prepare(getattr(func, "__self__", None))

    def _prepare(self, store: object) -> None:
        prepare = getattr(store, "prepare", None)
        if callable(prepare):
            for policy in self._policies:
                prepare(policy)


def require_hooks(registered: Mapping[str, bool], owner: str) -> None:
    """Check that every hook is there; the error names all that are missing.

    Raises:
        MissingHookError: at least one is missing.
    """
    missing = [name for name, present in registered.items() if not present]
    if missing:
        names = ", ".join(f'"{name}"' for name in missing)
        plural = "hooks are" if len(missing) > 1 else "hook is"
        raise MissingHookError(f"{owner}: the {names} {plural} required.")


async def resolve(value: MaybeAwaitable[T]) -> T:
    """Await a value until it is no longer awaitable, so that a coroutine is never taken for a true value.

    A ``LocalProxy`` of Werkzeug is returned as it is: it has ``__await__`` but is not awaitable. So is a value that
    awaits to itself, as a model of Tortoise does: the loop would never end.
    """
    resolved: Any = value
    while is_awaitable(resolved):
        before, resolved = resolved, await resolved
        if resolved is before:
            break
    return cast("T", resolved)


class HookCaller(Protocol):
    """Calls a hook outside the thread of the flow, and awaits what it returns."""

    def __call__(self, func: Callable[..., Any], args: tuple[Any, ...], /) -> Awaitable[Any]:
        """Call one."""
        ...


#: Calls the hooks of the current flow, for frameworks whose hooks may block; ``None``: they are called directly.
hook_caller: ContextVar[HookCaller | None] = ContextVar("async_oauth1.hook_caller", default=None)


# Types that hooks often return and that are never awaitable; `is_awaitable` costs more than this look-up.
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
        begun = monotonic()
        value: Any = func(*args)
        if CoroutineType is type(value):  # the other way round, type checkers narrow it to a coroutine of unknown types
            value = await (value if begun < untimed_until.get(id(value.cr_code), 0.0) else TimedHook(value))
        elif (seconds := monotonic() - begun) > BLOCKING_SECONDS:
            report_blocking(func, seconds)
        if type(value) not in _PLAIN and is_awaitable(value):
            value = await resolve(value)
    except OSError as error:  # TimeoutError and ConnectionError are OSErrors
        # The client only learns that it should retry later. The log has the cause, for the operator.
        log.exception("A hook failed, and the request is answered with 503.")
        raise StoreUnavailableError() from error
    return value


async def optional(model: Any, method: str) -> Any:
    """Call an optional method of a model as a hook; ``None`` if the model does not have it."""
    func = getattr(model, method, None)
    return await call_hook(func) if callable(func) else None


def is_awaitable(value: object) -> bool:
    """Whether a result must be awaited.

    A ``LocalProxy`` of Werkzeug must not be awaited, although it has ``__await__``. The generator of a function
    decorated with ``types.coroutine`` must be, although it has no ``__await__``.
    """
    cls = type(value)
    if hasattr(cls, "__await__"):
        return not (cls.__name__ == "LocalProxy" and cls.__module__ == "werkzeug.local")
    return isinstance(value, GeneratorType) and bool(value.gi_code.co_flags & CO_ITERABLE_COROUTINE)
