"""The configuration of each application that shares a server."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeVar
from weakref import WeakKeyDictionary

import flask

from async_oauth1.policy import Policy

T = TypeVar("T")


class Configuration(NamedTuple):
    """The configuration of one application.

    Attributes:
        policy: the rules.
        settings: values that replace attributes of the server, by attribute name.
    """

    policy: Policy
    settings: dict[str, Any]


class Configurations:
    """Configurations by application."""

    def __init__(self) -> None:
        """Start empty."""
        self.only: Configuration | None = None
        self._by_application: WeakKeyDictionary[Any, Configuration] = WeakKeyDictionary()

    def add(self, app: object, configuration: Configuration) -> None:
        """Keep an application's configuration in place of its former one."""
        self._by_application[app] = configuration
        self.only = configuration if len(self._by_application) == 1 else None

    def find(self) -> Configuration | None:
        """The current application's configuration; ``None`` if no application was registered.

        Raises:
            RuntimeError: there are several different configurations and no current application.
        """
        if self.only is not None:
            return self.only
        if (found := value_for_current_app(self._by_application)) is not None:
            return found
        configurations = list(self._by_application.values())
        if any(other != configurations[0] for other in configurations):
            raise RuntimeError(
                "Several applications configure this server differently, and none of them is at work. Call init_app() "
                "with the application that handles the request, or push its application context."
            )
        return configurations[0] if configurations else None


def value_for_current_app(values: WeakKeyDictionary[Any, T]) -> T | None:
    """The value for the current application; ``None`` if it has none, or without an application context."""
    return next((values[app] for app in _current_apps() if app in values), None)


def _current_apps() -> Iterator[Any]:
    for module in (flask, sys.modules.get("quart")):
        if module is not None and module.has_app_context():
            yield module.current_app._get_current_object()  # noqa: SLF001 - the documented way to a proxy's object
