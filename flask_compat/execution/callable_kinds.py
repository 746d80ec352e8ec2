"""Classify callables: part of a flow or a hook, async or plain, blocking or not.

A coroutine function runs none of its code when it is called, so it may be called on an event loop. A plain function may
block the loop, unless it is marked as non-blocking or its bytecode only reads attributes.
"""

from __future__ import annotations

import dis
import functools
import inspect
import weakref
from collections.abc import Callable
from itertools import pairwise
from types import FunctionType, GetSetDescriptorType, MemberDescriptorType
from typing import Any, TypeVar, cast

from authlib.oauth1 import ClientMixin, TemporaryCredential, TemporaryCredentialMixin, TokenCredentialMixin

from async_oauth1 import credentials
from async_oauth1.provider.hooks import call_hook

F = TypeVar("F", bound=Callable[..., Any])

# Each mark holds the code object that it was set on: `functools.wraps` copies attributes to functions with other code.
_NON_BLOCKING = "__flask_compat_non_blocking__"
_FLOW_STEP = "__flask_compat_flow_step__"
_DEFAULT = "__flask_compat_default__"
# What "return self.client_secret" and "return self.oauth_verifier == verifier" are made of, and no more: no call.
_READING = ("RESUME", "NOP", "LOAD_FAST", "LOAD_CONST", "LOAD_ATTR", "COMPARE_OP", "IS_OP", "UNARY_NOT", "RETURN_")
# Names in a plain function that creates its awaitable on the running loop.
_LOOP_NAMES = frozenset({"create_future", "ensure_future", "get_running_loop"})
_DESCRIPTORS = (MemberDescriptorType, GetSetDescriptorType, FunctionType)

_loop_bound: weakref.WeakSet[Callable[..., Any]] = weakref.WeakSet()
_harmless: weakref.WeakKeyDictionary[FunctionType, dict[type, tuple[str, ...] | None]] = weakref.WeakKeyDictionary()


def non_blocking(func: F) -> F:
    """Mark a plain function that only reads memory, or leaves what may block to the hooks that it calls."""
    setattr(func, _NON_BLOCKING, func.__code__)
    return func


def flow_step(func: F) -> F:
    """Mark a coroutine function that belongs to a flow. It runs in the thread of the flow, a hook maybe in another."""
    setattr(func, _FLOW_STEP, func.__code__)
    return func


def set_default(func: Callable[..., Any], step: Callable[..., Any]) -> None:
    """Mark a server's method as one that only runs a step of the flows.

    Args:
        func: the method, as the class defines it.
        step: what a flow may call instead, with itself and the method's arguments.
    """
    setattr(non_blocking(func), _DEFAULT, step)


def default_of(func: Callable[..., Any]) -> Callable[..., Any] | None:
    """The step that a server's method runs; ``None`` if the method is an override."""
    step: Callable[..., Any] | None = getattr(func, _DEFAULT, None)
    return step if step is not None and getattr(func, _NON_BLOCKING) is getattr(func, "__code__", None) else None


def is_marked_non_blocking(func: Callable[..., Any]) -> bool:
    """Whether `non_blocking` was applied to this very function, or to the function of this method."""
    mark = getattr(func, _NON_BLOCKING, None)
    return mark is not None and mark is getattr(func, "__code__", None)


def is_part_of_flow(func: Callable[..., Any]) -> bool:
    """Whether `flow_step` was applied to a function, or to the one inside a partial."""
    while isinstance(func, functools.partial):
        func = func.func
    mark = getattr(func, _FLOW_STEP, None)
    return mark is not None and mark is getattr(func, "__code__", None)


def is_async(func: Callable[..., Any]) -> bool:
    """Whether a call only makes an awaitable: coroutine functions, partials and objects of such, bound or not.

    A plain function that makes a task or a future of the running loop belongs on that loop as well.
    """
    while isinstance(func, functools.partial):
        func = func.func
    if inspect.iscoroutinefunction(func) or inspect.iscoroutinefunction(vars(type(func)).get("__call__")):
        return True
    return is_loop_bound(func)


def is_loop_bound(func: Callable[..., Any]) -> bool:
    """Whether it is a plain function that needs a running loop."""
    function = getattr(func, "__func__", func)
    if isinstance(function, FunctionType):
        names = function.__code__.co_names
        # "create_task" alone may belong to something else, such as a job queue.
        if not _LOOP_NAMES.isdisjoint(names) or ("asyncio" in names and "create_task" in names):
            return True
    return function in _loop_bound


def needs_loop(func: Callable[..., Any]) -> None:
    """Remember a plain function that failed without a running loop."""
    if _can_be_referenced(func):
        _loop_bound.add(getattr(func, "__func__", func))


def may_block(func: Callable[..., Any]) -> bool:
    """Whether a call may block an event loop."""
    if is_async(func):
        return False
    function = getattr(func, "__func__", func)
    if not isinstance(function, FunctionType):
        return True
    if is_marked_non_blocking(function):
        return False
    owner: type[object] = type(cast("object", getattr(func, "__self__", None)))
    known = _harmless.setdefault(function, {})
    if owner not in known:
        known[owner] = _mapped_names(function, owner) if _only_reads(function, owner) else None
    mapped = known[owner]
    # An attribute of SQLAlchemy's is read from memory if it is loaded, and from the database if it has expired.
    return mapped is None or any(name not in vars(getattr(func, "__self__", None)) for name in mapped)


def _mapped_names(function: FunctionType, owner: type) -> tuple[str, ...]:
    return tuple(name for name in function.__code__.co_names if _is_mapped(owner, name))


def _only_reads(function: FunctionType, owner: type) -> bool:
    names = function.__code__.co_names
    instructions = list(dis.get_instructions(function))
    if any(not instruction.opname.startswith(_READING) for instruction in instructions):
        return False
    # Only what belongs to the object itself: an attribute's attribute could do anything.
    if any(pair[0].opname == pair[1].opname == "LOAD_ATTR" for pair in pairwise(instructions)):
        return False
    own_access = inspect.getattr_static(owner, "__getattribute__") is not object.__getattribute__
    if own_access or hasattr(owner, "__getattr__"):
        return False
    return all(_is_mapped(owner, name) or _is_plain(inspect.getattr_static(owner, name, None)) for name in names)


def _is_plain(attribute: object) -> bool:
    """Not a property or another descriptor that could do anything."""
    return isinstance(attribute, _DESCRIPTORS) or not hasattr(type(attribute), "__get__")


def _is_mapped(owner: type, name: str) -> bool:
    return type(inspect.getattr_static(owner, name, None)).__module__.startswith("sqlalchemy.orm.")


def _can_be_referenced(func: object) -> bool:
    function: object = getattr(func, "__func__", func)
    return hasattr(type(function), "__weakref__")


# Models that only read memory, and the core's way to call a hook.
for _model in (
    ClientMixin,
    TemporaryCredential,
    TemporaryCredentialMixin,
    TokenCredentialMixin,
    credentials.Client,
    credentials.TemporaryCredential,
    credentials.TokenCredential,
):
    for _method in vars(_model).values():
        if isinstance(_method, FunctionType):
            non_blocking(_method)
flow_step(call_hook)
