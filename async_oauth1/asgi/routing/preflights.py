"""CORS preflights: the OPTIONS requests that a browser sends, unsigned, before a page calls another origin."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from types import FunctionType
from typing import Any

# The modules that define what quart-cors's and flask-cors's decorators return.
_QUART_CORS, _FLASK_CORS = "quart_cors", "flask_cors.decorator"
_OWN_PACKAGES = ("async_oauth1", "flask_compat")


def is_preflight(method: str, names: Iterable[str]) -> bool:
    """Whether a request is a preflight (Fetch standard, section "CORS-preflight request").

    Browsers send no credentials with it, so an OPTIONS request with an Authorization field is not one.

    Args:
        method: in upper case.
        names: of the header fields.
    """
    if method != "OPTIONS":
        return False
    present = {name.lower() for name in names}
    return {"origin", "access-control-request-method"} <= present and "authorization" not in present


def find_cors_wrapper(view: Callable[..., Any]) -> FunctionType | None:
    """The wrapper of quart-cors's ``route_cors`` or flask-cors's ``cross_origin``, if the view is one.

    Protected views are looked into. Other decorators are not: they may do anything with an unverified request.
    """
    layer: Any = view
    while isinstance(layer, FunctionType):
        module = _module_of(layer)
        if module in (_QUART_CORS, _FLASK_CORS):
            return layer
        if module.partition(".")[0] not in _OWN_PACKAGES:
            return None
        layer = getattr(layer, "__wrapped__", None)
    return None


def answers_options(wrapper: FunctionType, config: Mapping[str, Any]) -> bool:
    """Whether a CORS wrapper answers OPTIONS itself; otherwise it calls the view, which must stay protected.

    Args:
        wrapper: as `find_cors_wrapper` returns it.
        config: the application's configuration.
    """
    # Attributes of the view do not tell: a view that handles OPTIONS itself may have the same ones.
    variables = inspect.getclosurevars(wrapper).nonlocals
    if _module_of(wrapper) == _QUART_CORS:
        return variables.get("provide_automatic_options") is True
    options: Mapping[str, Any] = variables.get("_options", {"automatic_options": False})
    configured = config.get("CORS_AUTOMATIC_OPTIONS")
    return bool(options.get("automatic_options", True if configured is None else configured))


def _module_of(function: FunctionType) -> str:
    """Where a function was defined; `functools.wraps` changes its ``__module__``."""
    return str(function.__globals__.get("__name__", ""))
