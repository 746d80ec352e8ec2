"""Error responses: JSON or OAuth 1.0 for clients, an HTML page for browsers."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from quart import Quart, Response, has_request_context, jsonify, render_template, request, websocket
from werkzeug.exceptions import HTTPException

from async_oauth1 import OAuth1Error, StoreUnavailableError
from async_oauth1.errors import (
    AlreadyDecidedError,
    InsecureTransportError,
    InvalidTokenError,
    MissingRequiredParameterError,
    TooManyRequestsError,
)
from async_oauth1.quart import ResourceProtector

from .api import is_signed_path
from .sessions import signed_in_user
from .users import Users

#: Texts of the error page for a request that an application has sent a browser here with.
_TEXTS: Mapping[type[OAuth1Error], str] = {
    MissingRequiredParameterError: "The application did not say what it asks for. Go back to it and start again.",
    InvalidTokenError: "This request has expired, or you have answered it already. Start again from the application.",
    AlreadyDecidedError: "You have answered this request already. To change that, start again from the application.",
    InsecureTransportError: "Photos are only shown over https. Put https:// in front of the address.",
    StoreUnavailableError: "Photos is not available at the moment. Try again in a few seconds.",
}
_KEPT_HEADERS = ("Allow", "Retry-After")
# Texts of the error page instead of Werkzeug's, which are written for developers.
_HTTP_TEXTS: Mapping[int, str] = {
    404: "This page does not exist. It may have moved, or the link may be incomplete.",
    405: "This address cannot be used in this way. Go back and use the buttons on the page.",
    500: "Something went wrong on our side. The error has been logged.",
}


def add_error_handlers(app: Quart, require_oauth: ResourceProtector, users: Users) -> None:
    """Answer every error in the format that the client or the browser expects.

    Args:
        app: the application.
        require_oauth: answers clients.
        users: tell who is signed in, for the page.
    """

    @app.errorhandler(HTTPException)
    async def http_error(error: HTTPException) -> Response:
        status = error.code or 500
        code = "server_error" if status == 500 else error.name.lower().replace(" ", "_")
        description = error.description or error.name
        text = description if _is_from_client() else _HTTP_TEXTS.get(status, description)
        response = await _answer(status, code, text, users)
        response.headers.extend({name: value for name, value in error.get_headers() if name in _KEPT_HEADERS})
        return response

    @app.errorhandler(OAuth1Error)
    async def oauth1_error(error: OAuth1Error) -> Response:
        if _is_from_client():
            return require_oauth.error_response(error)
        # Not 401: it asks for an Authorization header, which a browser cannot send for OAuth 1.0.
        status = 400 if error.status_code == 401 else error.status_code
        text = _TEXTS.get(type(error)) or error.description or "This request is not valid."
        # A store that does not answer would be waited for once more.
        known = None if isinstance(error, StoreUnavailableError) else users
        response = await _answer(status, error.error or "invalid_request", str(text), known)
        if isinstance(error, StoreUnavailableError | TooManyRequestsError):
            response.headers["Retry-After"] = str(error.retry_after)
        return response


async def _answer(status: int, code: str, text: str, users: Users | None) -> Response:
    if _is_from_client():
        response = jsonify(error=code, error_description=text)
        response.status_code = status
        return response
    user = await _signed_in_user(users) if users and has_request_context() else None
    return Response(await render_template("error.html", status=status, text=text, user=user), status)


async def _signed_in_user(users: Users) -> str | None:
    """The user, for the page's header; the error page is shown without one if the database does not answer."""
    with suppress(StoreUnavailableError):
        return await signed_in_user(users)
    return None


def _is_from_client() -> bool:
    # The error handlers also run for WebSockets, which have no request context.
    return is_signed_path(request.path if has_request_context() else websocket.path)
