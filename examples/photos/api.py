"""The endpoints for clients: temporary credentials, token credentials, and the protected resources."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from quart import Quart, Response, request
from werkzeug.routing import BaseConverter

from async_oauth1 import StoreUnavailableError
from async_oauth1.quart import (
    AuthorizationServer,
    ResourceProtector,
    current_client,
    current_credential,
    current_oauth1_request,
)

from .storage import Storage

#: First segments of the paths that only clients call.
SIGNED_PATHS = frozenset({"initiate", "token", "photos", "echo", "signed"})


class AnythingConverter(BaseConverter):
    """Matches any rest of a path: empty, with several slashes, with line breaks."""

    regex = r"[\s\S]*"
    part_isolating = False


def add_endpoints(app: Quart, server: AuthorizationServer, require_oauth: ResourceProtector) -> None:
    """Add the endpoints for clients to the application."""
    app.url_map.converters["anything"] = AnythingConverter
    any_method(app, "/initiate", "initiate", server.create_temporary_credentials_response)
    any_method(app, "/token", "token", server.create_token_response)
    app.add_url_rule("/photos", "photos", require_oauth()(photos), methods=["GET"])
    for path, view in (("echo", require_oauth()(echo)), ("signed", require_oauth(two_legged=True)(echo))):
        any_method(app, f"/{path}", path, view)
        any_method(app, f"/{path}/<anything:rest>", path, view)


async def photos() -> dict[str, Any]:
    """A photo; as JSON, since this is an example."""
    return {
        "owner": current_credential.user_id,
        "client_id": current_client.client_id,
        "file": request.args.get("file"),
        "size": request.args.get("size"),
    }


async def echo(**_rest: str) -> dict[str, Any]:
    """The request as it was received, with its parameters in their order."""
    received = current_oauth1_request
    body = await request.get_data(cache=True, as_text=False, parse_form_data=False)
    return {
        "method": received.method,
        "raw_path": received.raw_path.decode("latin-1"),
        "query": received.query_params,
        "form": received.body_params,
        "body_sha256": hashlib.sha256(body).hexdigest(),
        "client_id": current_client.client_id,
        "user": current_credential.user_id if current_credential else None,
    }


def add_health(app: Quart, storage: Storage) -> None:
    """Add a health check: 200 if the stores answer, else 503."""

    @app.get("/health")
    async def health() -> Response:
        try:
            await storage.ping()
        except StoreUnavailableError as error:
            headers = {"Retry-After": str(error.retry_after)}
            return Response("a store does not answer", 503, headers, content_type="text/plain")
        return Response("ok", content_type="text/plain")


def any_method(app: Quart, path: str, endpoint: str, view: Callable[..., Any]) -> None:
    """Route a path for every method, also for HEAD and OPTIONS, which Quart would answer itself."""
    rule = app.url_rule_class(path, endpoint=endpoint)
    rule.provide_automatic_options = False
    app.url_map.add(rule)
    app.view_functions[endpoint] = view


def is_signed_path(path: str) -> bool:
    """Whether a path is for clients, rather than for browsers."""
    return path.lstrip("/").partition("/")[0] in SIGNED_PATHS
