"""Guards: what a route demands of a verified request."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from typing import Any, TypeAlias, cast

from litestar.connection import ASGIConnection
from litestar.exceptions import ImproperlyConfiguredException
from litestar.handlers import BaseRouteHandler

from async_oauth1.asgi.requests import Scope
from async_oauth1.asgi.verifying.announcing import refused
from async_oauth1.asgi.verifying.bearer import check_principal
from async_oauth1.asgi.verifying.demands import SCOPE_KEY, Demands, Verified
from async_oauth1.errors import OAuth1Error

from .refusals import RefusedError

__all__ = ["ENFORCED_KEY", "demands_of", "requires_oauth1"]

#: Litestar's type of the same name, with all its parameters.
Guard: TypeAlias = Callable[[ASGIConnection[Any, Any, Any, Any], BaseRouteHandler], Awaitable[None]]

log = logging.getLogger("async_oauth1")

#: The key of the scope under which a middleware says which guards need not check anything.
ENFORCED_KEY = "async_oauth1.litestar.guards"

_UNVERIFIED = (
    "A guard of requires_oauth1() found no verified request. Give OAuth1Auth(...).on_app_init to the application or "
    "its middleware to the router, and exclude no route that has such a guard."
)


def requires_oauth1(
    scope: str | None = None, *, two_legged: bool = False, early: bool = False, body_hash_required: bool = False
) -> Guard:
    """A guard that demands something of the requests to a route, a controller or a router.

    ``OAuth1Auth`` verifies the requests. It knows the demands of the guards, and checks them before it receives a body.
    Without it, every request is refused with a 500.

    Args:
        scope: the scopes that the token credential must cover, separated by spaces.
        two_legged: accept the client's signature without a token. All guards of a route must accept it.
        early: call the handler before a body with ``oauth_body_hash`` has arrived; see `OAuth1Auth`.
        body_hash_required: refuse a request that is neither a form nor carries ``oauth_body_hash``.
    """
    return _Demanding(Demands(scope, two_legged, early, body_hash_required))


class _Demanding:
    """A guard. Litestar may copy it with its router."""

    def __init__(self, demands: Demands) -> None:
        self.demands = demands

    async def __call__(self, connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        scope = cast("Scope", connection.scope)
        if any(guard is self for guard in scope.get(ENFORCED_KEY, ())):
            return
        verified: Verified | None = scope.get(SCOPE_KEY)
        if verified is None:
            log.error(_UNVERIFIED)
            raise ImproperlyConfiguredException(_UNVERIFIED)
        try:
            await self._check(verified)
        except OAuth1Error as error:
            takes_bearer = verified.scheme == "bearer"
            raise RefusedError(
                refused(error, verified.protector, scope, takes_bearer=takes_bearer), verified.policy
            ) from error

    async def _check(self, verified: Verified) -> None:
        if verified.scheme == "bearer":
            await check_principal(verified.principal, self.demands.scope)
            return
        await verified.protector.check_verified(
            verified.request,
            scope=self.demands.scope,
            two_legged=self.demands.two_legged,
            body_hash_required=self.demands.body_hash_required,
        )


def demands_of(handler: BaseRouteHandler | None, base: Demands) -> tuple[Demands, tuple[object, ...]]:
    """What a route demands, by its guards and by default.

    Args:
        handler: of the route, if there is one.
        base: what is demanded in any case. If a route has guards, they decide about two-legged requests.

    Returns:
        The demands, and the guards that demand no more.
    """
    guards = [guard for guard in _guards_of(handler) if isinstance(guard, _Demanding)]
    if not guards:
        return base, ()
    demands = [guard.demands for guard in guards]
    scopes = " ".join(filter(None, [base.scope, *[each.scope for each in demands]]))
    merged = replace(
        base,
        scope=scopes or None,
        two_legged=all(each.two_legged for each in demands),
        early=base.early or any(each.early for each in demands),
        body_hash_required=base.body_hash_required or any(each.body_hash_required for each in demands),
    )
    return merged, tuple(guards)


def _guards_of(handler: Any) -> Iterable[object]:
    guards: Iterable[object] = handler.resolve_guards() if handler is not None else ()
    return guards
