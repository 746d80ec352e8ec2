"""What goes wrong: in JSON for programs, as a page for Jane."""

from __future__ import annotations

from collections.abc import Mapping

from quart import Quart, Response, has_request_context, jsonify, render_template, request, websocket
from werkzeug.exceptions import HTTPException

from async_oauth1 import OAuth1Error, StoreUnavailableError
from async_oauth1.errors import (
    AlreadyDecidedError,
    InsecureTransportError,
    InvalidTokenError,
    MissingRequiredParameterError,
)
from async_oauth1.quart import ResourceProtector

from .api import is_signed_path

#: What Jane reads where an application has sent her here in vain.
_TEXTS: Mapping[type[OAuth1Error], str] = {
    MissingRequiredParameterError: "The application did not say what it asks for. Go back to it and start again.",
    InvalidTokenError: "This request has expired, or was answered before. Go back to the application and start again.",
    AlreadyDecidedError: "You have answered this request before. To change it, start again from the application.",
    InsecureTransportError: "Your photos are shown over https alone. Put https:// before the address.",
    StoreUnavailableError: "Photos cannot answer at the moment. Try again in a few seconds.",
}
_KEPT_HEADERS = ("Allow", "Retry-After")
# What Jane reads of pages that do not exist and the like: Werkzeug's texts speak to whoever wrote a link or a program.
_HTTP_TEXTS: Mapping[int, str] = {
    404: "There is no such page here. It may have moved, or the link was copied in part.",
    405: "This address cannot be used in this way. Go back and use the page's own buttons.",
    500: "Something went wrong here. It has been written down, and is not your fault.",
}


def add_error_handlers(app: Quart, require_oauth: ResourceProtector) -> None:
    """Answer every error in the language of who asked."""

    @app.errorhandler(HTTPException)
    async def http_error(error: HTTPException) -> Response:
        status = error.code or 500
        code = "server_error" if status == 500 else error.name.lower().replace(" ", "_")
        description = error.description or error.name
        text = description if _asked_by_program() else _HTTP_TEXTS.get(status, description)
        response = await _answer(status, code, text)
        response.headers.extend({name: value for name, value in error.get_headers() if name in _KEPT_HEADERS})
        return response

    @app.errorhandler(OAuth1Error)
    async def oauth1_error(error: OAuth1Error) -> Response:
        if _asked_by_program():
            return require_oauth.error_response(error)
        # 401 would ask the browser for credentials that no browser has.
        status = 400 if error.status_code == 401 else error.status_code
        text = _TEXTS.get(type(error)) or error.description or "This request was not understood."
        response = await _answer(status, error.error or "invalid_request", str(text))
        if isinstance(error, StoreUnavailableError):
            response.headers["Retry-After"] = str(error.retry_after)
        return response


async def _answer(status: int, code: str, text: str) -> Response:
    if _asked_by_program():
        response = jsonify(error=code, error_description=text)
        response.status_code = status
        return response
    return Response(await render_template("error.html", status=status, text=text), status)


def _asked_by_program() -> bool:
    # A WebSocket is no request to Quart; there are none here, and who asks for one gets an error all the same.
    return is_signed_path(request.path if has_request_context() else websocket.path)
