"""``request.user`` and ``request.auth``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from litestar.connection import ASGIConnection
from litestar.utils import ensure_async_callable

from async_oauth1.asgi.requests import Scope
from async_oauth1.asgi.users import with_user
from async_oauth1.asgi.verifying.announcing import refused
from async_oauth1.asgi.verifying.demands import AnyProtector
from async_oauth1.errors import InvalidBearerTokenError, InvalidClientError, InvalidTokenError, OAuth1Error
from async_oauth1.protocol.request import OAuth1Request
from async_oauth1.provider.refusals import with_reason

__all__ = ["Users"]


class Users:
    """Finds the users of verified requests."""

    def __init__(
        self, protector: AnyProtector, retrieve: Callable[..., object] | None, *, takes_bearer: bool = False
    ) -> None:
        """Keep a function of the application; see `OAuth1Auth`."""
        self._protector = protector
        self._takes_bearer = takes_bearer
        self._retrieve: Callable[..., Any] | None = retrieve and ensure_async_callable(retrieve)

    async def add(self, scope: Scope, request: OAuth1Request | None) -> Scope:
        """Add ``user`` and ``auth`` to the scope of a verified request.

        Raises:
            OAuth1Error: the application knows no such user.
        """
        if request is None:
            return scope
        auth = request.client if request.credential is None else request.credential
        if self._retrieve is None:
            return {**await with_user(scope, request), "auth": auth}
        litestar_scope: Any = scope
        user = await self._retrieve(auth, ASGIConnection[Any, Any, Any, Any](litestar_scope))
        if user is None:
            error = with_reason(_unknown(request), "retrieve_user_handler returned None.")
            self._protector.report_refusal(error, request)
            raise refused(error, self._protector, scope, takes_bearer=self._takes_bearer)
        return {**scope, "user": user, "auth": auth}


def _unknown(request: OAuth1Request) -> OAuth1Error:
    if not request.protocol_parameters:
        return InvalidBearerTokenError()
    return InvalidClientError() if request.credential is None else InvalidTokenError()
