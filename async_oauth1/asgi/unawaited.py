"""Name the method that a view has called without ``await``, instead of a coroutine of unknown origin."""

from __future__ import annotations

import functools
import operator
import weakref
from collections.abc import Callable
from types import CoroutineType
from typing import Any

_DONE = "async_oauth1.names_unawaited"
_first_of: Callable[[Any], Any] = operator.itemgetter(0)
_OWN_PACKAGES = ("async_oauth1", "flask_compat")


def name_unawaited(app: Any) -> None:
    """Let an application's ``make_response`` refuse our coroutines by name.

    Args:
        app: of Quart or Flask; called for every server, and done once.
    """
    if _DONE in app.extensions:
        return
    app.extensions[_DONE] = True
    make_response: Callable[[Any, Any], Any] = type(app).make_response
    if "make_response" in vars(app):
        return  # the application's own
    reference: Callable[[], Any] = weakref.ref(
        app
    )  # a closure over the application would keep it alive until a garbage collection

    @functools.wraps(make_response)
    def checked(result: Any) -> Any:
        value = _first_of(result) if type(result) is tuple and result else result
        if type(value) is CoroutineType:
            refuse_unawaited(value)
        return make_response(reference(), result)

    app.make_response = checked


def refuse_unawaited(value: CoroutineType[Any, Any, Any]) -> None:
    """Refuse a coroutine as the result of a view, if it is one of ours.

    Raises:
        TypeError: names the method.
    """
    if value.cr_frame is None or value.cr_frame.f_globals.get("__name__", "").partition(".")[0] not in _OWN_PACKAGES:
        return
    method = value.__qualname__
    value.close()
    raise TypeError(f'A view has returned {method}() without awaiting it: write "await" before the call.')
