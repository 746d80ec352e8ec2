"""The endpoints for clients: temporary credentials, token credentials, and the protected resources."""

from __future__ import annotations

import logging
from typing import Any

from quart import Quart, Response, request

from async_oauth1 import StoreUnavailableError
from async_oauth1.quart import AuthorizationServer, ResourceProtector, current_client, current_credential
from async_oauth1.serve.echo import add_any_method, add_any_path, echo

from .storage import Storage

log = logging.getLogger("photos")

#: First segments of the paths that only clients call.
SIGNED_PATHS = frozenset({"initiate", "token", "photos", "albums", "echo", "signed"})


def add_endpoints(app: Quart, server: AuthorizationServer, require_oauth: ResourceProtector) -> None:
    """Add the endpoints for clients to the application."""
    add_any_method(app, "/initiate", "initiate", server.create_temporary_credentials_response)
    add_any_method(app, "/token", "token", server.create_token_response)
    app.add_url_rule("/photos", "photos", require_oauth()(photos), methods=["GET"])
    app.add_url_rule("/albums", "albums", require_oauth("photos.read")(albums), methods=["GET"])
    app.add_url_rule("/albums", "add_photo", require_oauth("photos.write")(add_photo), methods=["POST"])
    add_any_path(app, "/echo", require_oauth()(echo))
    add_any_path(app, "/signed", require_oauth(two_legged=True)(echo))


async def photos() -> dict[str, Any]:
    """A photo; as JSON, since this is an example."""
    return {
        "owner": current_credential.user_id,
        "client_id": current_client.client_id,
        "file": request.args.get("file"),
        "size": request.args.get("size"),
    }


async def albums() -> dict[str, Any]:
    """Her albums; there are none, since this is an example."""
    return {"owner": current_credential.user_id, "albums": []}


async def add_photo() -> dict[str, Any]:
    """Adding a photo, which is not kept."""
    return {"owner": current_credential.user_id, "kept": False}


def add_health(app: Quart, storage: Storage) -> None:
    """Add health checks: whether the process serves requests, and whether the stores answer."""
    health = Health(storage)

    @app.get("/health/alive")
    async def alive() -> Response:
        return Response("ok", content_type="text/plain")

    @app.get("/health")
    @app.get("/health/ready")
    async def answer() -> Response:
        silent = await health.silent()
        if silent:
            headers = {"Retry-After": str(StoreUnavailableError().retry_after)}
            return Response(f"does not answer: {', '.join(silent)}", 503, headers, content_type="text/plain")
        return Response("ok", content_type="text/plain")


class Health:
    """Which stores answer. Each change is logged once."""

    def __init__(self, storage: Storage) -> None:
        """Start without a store that failed."""
        self._storage = storage
        self._silent: list[str] = []

    async def silent(self) -> list[str]:
        """Ask the stores; returns the names of those that do not answer."""
        silent = await self._storage.ping()
        before, self._silent = self._silent, silent
        for name in silent:
            if name not in before:
                log.error("health: %s does not answer", name)
        for name in before:
            if name not in silent:
                log.warning("health: %s answers again", name)
        return silent


def is_signed_path(path: str) -> bool:
    """Whether a path is for clients, rather than for browsers."""
    return path.lstrip("/").partition("/")[0] in SIGNED_PATHS
