"""The permission hook of the admin page: the application says who the operator is."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias, cast

from async_oauth1.asgi.requests import Scope
from async_oauth1.errors import StoreUnavailableError
from async_oauth1.provider.hooks import resolve

__all__ = ["Operator", "Permission"]

#: Returns the operator's name for an ASGI scope; ``None`` for anyone else.
Operator: TypeAlias = Callable[[Any], Awaitable[str | None]]

_log = logging.getLogger("async_oauth1.admin")

NO_HOOK = (
    "The admin page has no permission hook, so it refuses every request. Pass operator=..., an async function that "
    "returns the name of the operator who is signed in to your application, or None."
)


class Permission:
    """Asks the hook."""

    def __init__(self, hook: Operator | None) -> None:
        """Take the hook, and log an error if there is none."""
        self._hook = hook
        if hook is None:
            _log.error(NO_HOOK)

    async def operator(self, scope: Scope) -> str | None:
        """The operator's name; ``None`` if the request is not an operator's.

        Raises:
            StoreUnavailableError: the hook could not reach what it needs.
        """
        if self._hook is None:
            return None
        try:
            name = cast("object", await resolve(self._hook(scope)))
        except (OSError, TimeoutError) as error:
            raise StoreUnavailableError() from error
        if name is None:
            return None
        if not isinstance(name, str) or not name.strip():  # such as True: nobody could tell later who it was
            _log.error("The permission hook of the admin page returned %s, not a name or None.", type(name).__name__)
            return None
        return name
