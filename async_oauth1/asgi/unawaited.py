"""Name the method that a view has called without ``await``, instead of a coroutine of unknown origin."""

from __future__ import annotations

import functools
import operator
import weakref
from collections.abc import Callable
from types import CoroutineType
from typing import Any, cast

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
    kind = cast("Any", type(app))
    make_response = cast("Callable[[Any, Any], Any]", kind.make_response)
    if "make_response" in vars(app):
        return  # the application's own
    # A closure over the application itself would keep it alive until a garbage collection.
    reference: Callable[[], Any] = weakref.ref(app)

    @functools.wraps(make_response)
    def checked(result: Any) -> Any:
        is_pair = type(result) is tuple and bool(cast("object", result))
        value = cast("Any", _first_of(cast("tuple[Any, ...]", result)) if is_pair else result)
        if CoroutineType is type(value):
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
