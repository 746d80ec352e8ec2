"""Name the method that a view has called without ``await``, instead of a coroutine of unknown origin."""

from __future__ import annotations

import functools
from types import CoroutineType
from typing import Any

_DONE = "async_oauth1.names_unawaited"
_OWN_PACKAGES = ("async_oauth1", "flask_compat")


def name_unawaited(app: Any) -> None:
    """Let an application's ``make_response`` refuse our coroutines by name.

    Args:
        app: of Quart or Flask; called for every server, and done once.
    """
    if _DONE in app.extensions:
        return
    app.extensions[_DONE] = True
    make_response = app.make_response

    @functools.wraps(make_response)
    def checked(result: Any) -> Any:
        refuse_unawaited(result[0] if type(result) is tuple and result else result)
        return make_response(result)

    app.make_response = checked


def refuse_unawaited(value: Any) -> None:
    """Refuse a coroutine of ours as the result of a view.

    Raises:
        TypeError: names the method.
    """
    if type(value) is not CoroutineType or value.cr_frame is None:
        return
    if value.cr_frame.f_globals.get("__name__", "").partition(".")[0] not in _OWN_PACKAGES:
        return
    method = value.__qualname__
    value.close()
    raise TypeError(f'A view has returned {method}() without awaiting it: write "await" before the call.')
