"""The exception of a refused request, and its response."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, HTTPException, Response
from starlette.exceptions import HTTPException as AnyHTTPException

from async_oauth1.asgi.requests import refuse
from async_oauth1.asgi.verifying.demands import AnyProtector
from async_oauth1.errors import OAuth1Error
from async_oauth1.policy import Policy
from async_oauth1.provider.responses import headers_by_name, resource_error_response

__all__ = ["NotInstalledError", "OAuth1HTTPError", "answer_refusals"]

log = logging.getLogger("async_oauth1")


class OAuth1HTTPError(HTTPException):
    """A request that is refused. `OAuth1.install` answers it with the body and the headers of every protected resource.

    A handler of the application's own for this class, for `HTTPException` or for the status comes first.

    Attributes:
        error: why the request is refused.
    """

    def __init__(self, error: OAuth1Error, policy: Policy) -> None:
        """Take status, detail and headers from an error.

        Args:
            error: why the request is refused.
            policy: has the realm, and says whether problems are reported.
        """
        self.error = error
        self.policy = policy
        self.response = resource_error_response(error, realm=policy.realm, problems=policy.problem_reporting)
        headers = headers_by_name(self.response)
        headers.pop("Content-Type")
        super().__init__(error.status_code, error.description or error.error, headers)


class NotInstalledError(HTTPException):
    """The application does not record what must be verified, so nothing is let in: a 500."""

    def __init__(self, text: str) -> None:
        """Log the error as well: it is the operator's."""
        log.error(text)
        super().__init__(500, text)


def answer_refusals(app: FastAPI, protector: AnyProtector) -> None:
    """Let FastAPI's own handler of HTTP exceptions answer refused requests in our form.

    An `OAuth1Error` that a route lets pass, of `read_request` or the authorization server, is answered in the same way.

    Args:
        app: the application; its own handlers stay.
        protector: its policy has the realm.
    """

    async def answer_error(_: Any, error: Any) -> Response:
        return _Refusal(OAuth1HTTPError(error, protector.policy))

    app.exception_handlers.setdefault(OAuth1Error, answer_error)
    default: Any = app.exception_handlers.get(AnyHTTPException)
    if (getattr(default, "__module__", None) or "").partition(".")[0] == "fastapi":
        app.exception_handlers[AnyHTTPException] = _answering(default)


def _answering(default: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    async def answer(connection: Any, error: Exception) -> Any:
        if isinstance(error, OAuth1HTTPError):
            return _Refusal(error)
        response = default(connection, error)
        return await response if inspect.isawaitable(response) else response

    return answer


class _Refusal(Response):
    """The response to a refused request, or to the handshake of a WebSocket."""

    def __init__(self, refused: OAuth1HTTPError) -> None:
        super().__init__(refused.response.body, refused.status_code, headers_by_name(refused.response))
        self._refused: OAuth1HTTPError | None = refused

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        # Starlette's frame keeps the response, and from Python 3.12 on the error's traceback leads to that frame.
        refused, self._refused = self._refused, None
        if refused is None:
            await super().__call__(scope, receive, send)
        else:
            await refuse(refused.error, refused.policy, scope, receive, send)
