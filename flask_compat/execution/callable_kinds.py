"""What kind of callable a hook is, found out once.

A coroutine function runs none of its code when it is called, so it may be called on an event loop. A plain function may
block, and an event loop must not wait for it, unless it visibly does nothing but read attributes.
"""

from __future__ import annotations

import dis
import functools
import inspect
import weakref
from collections.abc import Callable
from itertools import pairwise
from types import FunctionType, GetSetDescriptorType, MemberDescriptorType
from typing import Any

#: Where plain functions only read what is in memory, or leave the blocking to whom they call.
_HARMLESS_MODULES = frozenset(
    {
        "async_oauth1.credentials",
        "authlib.oauth1.rfc5849.models",
        "flask_compat.server",
        "flask_compat.authorization_server",
        "flask_compat.cache",
        "flask_compat.resource_protector",
    }
)
#: Whose coroutine functions are part of a flow: they go where the flow is.
_FLOW_MODULES = frozenset(
    {
        "async_oauth1.provider.verification",
        "async_oauth1.provider.authorization_server",
        "async_oauth1.provider.hooks",
        "async_oauth1.provider.resource_protector",
        "flask_compat.flows.authorization",
        "flask_compat.flows.base",
    }
)
# What "return self.client_secret" and "return self.oauth_verifier == verifier" are made of, and no more: no call.
_READING = ("RESUME", "NOP", "LOAD_FAST", "LOAD_CONST", "LOAD_ATTR", "COMPARE_OP", "IS_OP", "UNARY_NOT", "RETURN_")
# What a plain function calls that makes its awaitable of the running loop.
_LOOP_NAMES = frozenset({"create_future", "ensure_future", "get_running_loop"})
_DESCRIPTORS = (MemberDescriptorType, GetSetDescriptorType, FunctionType)

_loop_bound: weakref.WeakSet[Callable[..., Any]] = weakref.WeakSet()
_harmless: weakref.WeakKeyDictionary[FunctionType, dict[type, tuple[str, ...] | None]] = weakref.WeakKeyDictionary()


def is_part_of_flow(func: Callable[..., Any]) -> bool:
    """Whether it is no hook, but a step of the flow itself."""
    while isinstance(func, functools.partial):
        func = func.func
    return getattr(func, "__module__", None) in _FLOW_MODULES


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
    """Whether it is a plain function that can only be called where a loop runs."""
    function = getattr(func, "__func__", func)
    if isinstance(function, FunctionType):
        names = function.__code__.co_names
        # "create_task" alone may be anybody's, such as a job queue's.
        if not _LOOP_NAMES.isdisjoint(names) or ("asyncio" in names and "create_task" in names):
            return True
    return function in _loop_bound if _can_be_referenced(func) else False


def needs_loop(func: Callable[..., Any]) -> None:
    """Remember a plain function that has failed for want of a running loop."""
    if _can_be_referenced(func):
        _loop_bound.add(getattr(func, "__func__", func))


def may_block(func: Callable[..., Any]) -> bool:
    """Whether an event loop could have to wait for a call."""
    if is_async(func):
        return False
    function = getattr(func, "__func__", func)
    if not isinstance(function, FunctionType):
        return True
    if function.__module__ in _HARMLESS_MODULES:
        return False
    owner = type(getattr(func, "__self__", None))
    known = _harmless.setdefault(function, {})
    if owner not in known:
        known[owner] = _mapped_names(function, owner) if _only_reads(function, owner) else None
    mapped = known[owner]
    # An attribute of SQLAlchemy's is read from memory where it is loaded, and from the database where it has expired.
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
    return hasattr(type(getattr(func, "__func__", func)), "__weakref__")
