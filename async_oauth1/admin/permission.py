"""The permission hook: the application says who the operator is."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias, cast

from async_oauth1.asgi.requests import Scope
from async_oauth1.errors import StoreUnavailableError
from async_oauth1.provider.hooks import resolve
from async_oauth1.stores.base import is_text

__all__ = ["Operator", "Permission"]

#: Returns the operator's name for an ASGI scope; ``None`` for anyone else.
Operator: TypeAlias = Callable[[Any], Awaitable[str | None] | str | None]

_log = logging.getLogger("async_oauth1.admin")


class Permission:
    """Asks the application's hook which operator sends a request. Without the hook, it is never one."""

    def __init__(self, hook: Operator | None, what: str) -> None:
        """Take the hook, and log an error if there is none.

        Args:
            hook: the application's.
            what: is protected by it, for the log.
        """
        self._hook, self._what = hook, what
        if hook is None:
            _log.error(
                "The %s has no permission hook, so it refuses every request. Pass operator=..., a function that "
                "returns the name of the operator who is signed in to your application, or None.",
                what,
            )

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
        # Such as True, by which an operator cannot be told later, or a name that no audit trail could keep.
        if not isinstance(name, str) or not name.strip() or not is_text(name):
            _log.error(
                "The permission hook of the %s returned %s, not a name of valid text or None.",
                self._what,
                type(name).__name__,
            )
            return None
        return name
