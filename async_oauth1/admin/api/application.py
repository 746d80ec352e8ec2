"""The JSON API as an ASGI application."""

from __future__ import annotations

from typing import Any

from async_oauth1.admin.operations import Operations
from async_oauth1.admin.permission import Operator, Permission
from async_oauth1.admin.same_origin import is_same_origin
from async_oauth1.admin.serving import serve
from async_oauth1.asgi.origin import request_origin
from async_oauth1.asgi.requests import Receive, Scope
from async_oauth1.errors import OAuth1Error
from async_oauth1.policy import Policy
from async_oauth1.provider.responses import OAuth1Response, error_headers
from async_oauth1.stores import Store

from .calls import Call, path_of
from .paths import query_of, segments_of
from .problems import ProblemError
from .routes import ID, Handler, Routes

__all__ = ["AdminAPI"]


class AdminAPI:
    """The JSON API, an ASGI application to mount: clients, their secrets, and their tokens.

    It has no sign-in of its own. The hook ``operator`` tells it who sends a request. Without the hook, an error is
    logged at once, and every request is refused.
    """

    def __init__(self, store: Store, *, operator: Operator | None = None, policy: Policy | None = None) -> None:
        """Make the API; no I/O.

        Args:
            store: the provider's, open while the API is used. With a cache, give the cached store.
            operator: takes the ASGI scope of a request, and returns the operator's name, or ``None`` for anyone else;
                async or not.
            policy: the server's, whose ``trusted_proxies`` and ``external_base_url`` count.

        Raises:
            TypeError: the store cannot be administered.
        """
        self._permission = Permission(operator, "admin API")
        self._routes = Routes(Operations(store)).by_path
        self._policy = policy or Policy()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request, or the events of a start."""
        await serve(self._answer, scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive) -> OAuth1Response:
        try:
            return await self._respond(scope, receive)
        except ProblemError as problem:
            return problem.response()
        except OAuth1Error as error:
            headers = error_headers(error, realm=self._policy.realm)
            return ProblemError(error.status_code, error.description or "", headers).response()

    async def _respond(self, scope: Scope, receive: Receive) -> OAuth1Response:
        operator = await self._permission.operator(scope)
        if operator is None:
            raise ProblemError(403, "This API is for operators only.")
        segments = segments_of(scope)
        handler, known, identifiers = self._find(segments, scope["method"])
        if scope["method"] not in ("GET", "HEAD") and not is_same_origin(scope, self._policy):
            raise ProblemError(403, "The request comes from a page of another site.")
        path = path_of(scope, request_origin(scope, self._policy)[2])
        return await handler(Call(scope, receive, operator, path, query_of(scope, known), identifiers))

    def _find(self, segments: list[str], method: str) -> tuple[Handler, tuple[str, ...], tuple[str, ...]]:
        """The handler of a path and a method, the parameters that it knows, and the identifiers in the path."""
        for pattern, handlers in self._routes.items():
            if len(pattern) == len(segments) and all(
                part in (ID, segment) for part, segment in zip(pattern, segments, strict=True)
            ):
                found = handlers.get("GET" if method == "HEAD" else method)
                if found is None:
                    allow = ", ".join([*handlers, *(["HEAD"] if "GET" in handlers else [])])
                    raise ProblemError(405, f"Use one of {allow} here.", [("Allow", allow)])
                identifiers = (segment for part, segment in zip(pattern, segments, strict=True) if part == ID)
                return *found, tuple(identifiers)
        raise ProblemError(404, "There is nothing at this path.")
