"""What each application has configured of a server that several share."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeVar
from weakref import WeakKeyDictionary

import flask

from async_oauth1.policy import Policy

T = TypeVar("T")


class Configuration(NamedTuple):
    """What one application has configured.

    Attributes:
        policy: the rules, apart from the following.
        settings: what counts in place of attributes of the server, by their names.
    """

    policy: Policy
    settings: dict[str, Any]


class Configurations:
    """Configurations by application."""

    def __init__(self) -> None:
        """Start empty."""
        self.only: Configuration | None = None
        self._by_application: WeakKeyDictionary[Any, Configuration] = WeakKeyDictionary()

    def add(self, app: Any, configuration: Configuration) -> None:
        """Keep an application's configuration in place of its former one."""
        self._by_application[app] = configuration
        self.only = configuration if len(self._by_application) == 1 else None

    def find(self) -> Configuration | None:
        """That of the application at work; ``None`` if there is no application at all.

        Raises:
            RuntimeError: several applications differ, and none of them is at work.
        """
        if self.only is not None:
            return self.only
        if (found := of_application_at_work(self._by_application)) is not None:
            return found
        configurations = list(self._by_application.values())
        if any(other != configurations[0] for other in configurations):
            raise RuntimeError(
                "Several applications configure this server differently, and none of them is at work. Call init_app() "
                "with the application that handles the request, or push its application context."
            )
        return configurations[0] if configurations else None


def of_application_at_work(values: WeakKeyDictionary[Any, T]) -> T | None:
    """What is kept for the application that handles the request; ``None`` outside of all of them."""
    return next((values[app] for app in _applications_at_work() if app in values), None)


def _applications_at_work() -> Iterator[Any]:
    for module in (flask, sys.modules.get("quart")):
        if module is not None and module.has_app_context():
            yield module.current_app._get_current_object()  # noqa: SLF001 - the documented way to a proxy's object
