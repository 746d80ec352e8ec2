"""Finds the framework in use: that of the current request, or else that of the server's application."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FunctionType
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, cast

import flask

from async_oauth1.policy import Policy
from flask_compat.execution.flow_runner import Runtime, ThreadRuntime
from flask_compat.wrapper import OAuth1Request

from . import flask as _flask

if TYPE_CHECKING:
    import quart

#: An application of either framework.
App: TypeAlias = "flask.Flask | quart.Quart"
#: A response of either framework.
Response: TypeAlias = "flask.Response | quart.Response"

__all__ = ["App", "Framework", "adopt_app", "context_globals", "find_framework", "find_runtime"]


class Framework(Protocol):
    """The functions of an adapter, which is a module."""

    #: Whether flows with plain hooks run in worker threads of the facade's own.
    RUNS_WORKERS: bool

    async def read(self, request: Any, policy: Policy) -> OAuth1Request:
        """Read a request, the current one if none is given."""
        ...

    def respond(self, body: str, status_code: int, headers: list[tuple[str, str]]) -> Response:
        """Make a response."""
        ...

    def announce_later(self, request: OAuth1Request, /) -> None:
        """Add the header fields to the response that are found while a request is answered."""
        ...

    async def prepare(self, policy: Policy, /) -> None:
        """Read on the event loop what a thread would have to wait for."""
        ...

    def answers_preflight(self, cors: FunctionType) -> bool:
        """Whether a CORS extension's wrapper answers the current request without calling its view."""
        ...

    async def call_view(self, view: Callable[..., Any], *args: object, **kwargs: object) -> object:
        """Call a view on an event loop."""
        ...


def _quart() -> Any:
    """The adapter for Quart, if Quart has been imported."""
    if "quart" not in sys.modules:
        return None
    from . import quart as _quart

    return _quart


def adopt_app(app: object) -> None:
    """Prepare an application.

    Raises:
        TypeError: it is not an application of Flask or Quart.
    """
    adapter = _quart()  # imported before the first request, so that it sees the event loop of that request, too
    if adapter and isinstance(app, adapter.quart.Quart):  # first: quart-flask-patch makes it a subclass of Flask's, too
        adapter.adopt(app)
    elif isinstance(app, flask.Flask):
        _flask.adopt(app)
    else:
        raise TypeError(f"flask_compat needs an application of Flask or Quart, not {type(app).__name__}")


def find_framework(app: object) -> Framework:
    """The adapter of the framework in use.

    Args:
        app: the application of the server; it decides if the current context does not.
    """
    quart_module = sys.modules.get("quart")
    if quart_module is None:
        return _flask
    in_quart = quart_module.has_request_context()
    if flask.has_request_context() is not in_quart:
        return cast("Framework", _quart()) if in_quart else _flask
    return cast("Framework", _quart()) if isinstance(app, quart_module.Quart) else _flask


def find_runtime(app: object) -> Runtime:
    """The runtime of the framework in use: its event loop and threads."""
    framework = find_framework(app)
    if framework is not _flask:
        return cast("Runtime", _quart().runtime())
    current: Any = flask.current_app._get_current_object() if flask.has_app_context() else app  # type: ignore[attr-defined]  # noqa: SLF001 - the proxy's documented way to its object
    return _flask.FlaskRuntime(current) if isinstance(current, flask.Flask) else ThreadRuntime(None)


def context_globals() -> Any:
    """``g`` of the current context, or ``None`` outside of a context."""
    quart_module = sys.modules.get("quart")
    if quart_module is not None and quart_module.has_app_context():
        return quart_module.g
    return flask.g if flask.has_app_context() else None
