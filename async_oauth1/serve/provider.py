"""The throw-away provider: a Quart application with everything that a client needs to be tried."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import quote

from quart import Quart, Response, jsonify
from werkzeug.exceptions import HTTPException

from async_oauth1.provider.authorization_server import AuthorizationDecision
from async_oauth1.stores import Store

from .consent import Consent
from .echo import add_any_method, add_any_path, echo
from .explaining import Explainer
from .pages import Pages, add_security_headers
from .recorder import Faults, Recorder
from .records import RecordedRequest, Records
from .rules import Protector, Server
from .secrecy import Issued, IssuedToken
from .settings import ClientCredentials, Settings, new_client

__all__ = ["Provider"]


class Provider:
    """A provider for tests of clients.

    Attributes:
        settings: its settings.
        records: the last requests.
        faults: errors with which the next requests are refused.
        consent: what the authorization page does.
        asgi: the ASGI application to serve, within `running`.
    """

    def __init__(
        self, settings: Settings, store: Store, listener: Callable[[RecordedRequest], None] | None = None
    ) -> None:
        """Make the provider; the store must be open while it runs.

        Args:
            settings: its settings.
            store: clients, credentials and nonces.
            listener: called with each recorded request, from the event loop.
        """
        self.settings, self.store = settings, store
        self.records, self.faults, self.issued = Records(listener), Faults(), Issued()
        self.issued.note_secrets(settings.password)
        self.explainer = Explainer(store, self.issued, settings.policy, self.records)
        self.app, self.server = _create_app(settings, store)
        self.consent = Consent(settings, self.server)
        self.app.register_blueprint(self.consent.blueprint())
        self.app.register_blueprint(Pages(settings, self.records).blueprint())
        self.asgi = Recorder(
            self.app,
            preset=settings.preset,
            policy=settings.policy,
            issued=self.issued,
            records=self.records,
            explainer=self.explainer,
            faults=self.faults,
        )

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Explain the requests in the background."""
        explaining = asyncio.ensure_future(self.explainer.run())
        try:
            yield
        finally:
            explaining.cancel()
            with suppress(asyncio.CancelledError):
                await explaining

    async def add_client(self, **options: Any) -> ClientCredentials:
        """Register a client with random credentials.

        Args:
            options: those of `async_oauth1.serve.settings.new_client`.

        Raises:
            ValueError: an option cannot be used, or there is such a client.
        """
        client, credentials = new_client(self.settings.preset, **options)
        await self.store.add_client(client)
        self.issued.note_secrets(client.client_secret)
        return credentials

    async def issue_token(self, client_id: str, user: str) -> tuple[str, str]:
        """Issue token credentials without the three legs; returns the token and its secret."""
        token = await self.store.issue_token_credential(client_id=client_id, user_id=user)
        self.issued.note_token(token.oauth_token, IssuedToken(token.oauth_token_secret, client_id, is_temporary=False))
        return token.oauth_token, token.oauth_token_secret

    async def decide(self, oauth_token: str, user: str | None) -> AuthorizationDecision:
        """Record a user's decision as the authorization page does.

        Args:
            oauth_token: the temporary token.
            user: the one that approves; ``None`` denies.

        Raises:
            OAuth1Error: the token is unknown, or was decided before.
        """
        path = f"{self.settings.preset.paths.authorize}?oauth_token={quote(oauth_token, safe='')}"
        app: Any = self.app  # Quart's own annotations are incomplete
        async with app.test_request_context(path):
            return await self.consent.record(user)

    def endpoints(self, url: str) -> dict[str, str]:
        """The URLs of this provider, by what they are for.

        Args:
            url: of the listening socket.
        """
        base = (self.settings.external_base_url or url).rstrip("/")
        preset = self.settings.preset
        legs = {"initiate": preset.paths.initiate, "authorize": preset.paths.authorize, "token": preset.paths.token}
        paths = legs if preset.three_legged else {}
        resources: Sequence[str] = [f"/{name}/..." for name in preset.resources]
        own = {"echo": "/echo", "two-legged": "/signed", "launch": "/launch?course=1"}
        named = {**paths, **own, **{f"resource {number}": path for number, path in enumerate(resources, 1)}}
        return {"requests": f"{base}/", **{name: base + path for name, path in named.items()}}


def _create_app(settings: Settings, store: Store) -> tuple[Quart, Server]:
    app = Quart(__name__, static_folder=None)
    app.url_map.merge_slashes = False
    app.url_map.strict_slashes = False
    server, require_oauth = Server(app, policy=settings.policy), Protector(app, policy=settings.policy)
    for one in (server, require_oauth):
        one.preset = settings.preset
        one.register_hooks(store)
    _add_routes(app, settings, server, require_oauth)
    app.register_error_handler(HTTPException, _http_error)
    app.after_request(add_security_headers)
    return app, server


def _add_routes(app: Quart, settings: Settings, server: Server, require_oauth: Protector) -> None:
    preset = settings.preset
    if preset.three_legged:
        add_any_method(app, preset.paths.initiate, "initiate", server.create_temporary_credentials_response)
        add_any_method(app, preset.paths.token, "token", server.create_token_response)
    for name in ("echo", *preset.resources):
        add_any_path(app, f"/{name}", require_oauth(two_legged=preset.two_legged)(echo))
    add_any_path(app, "/signed", require_oauth(two_legged=True)(echo))
    app.add_url_rule("/launch", "launch", require_oauth(two_legged=True)(echo), methods=["POST"])


async def _http_error(error: HTTPException) -> Response:
    """An error of the framework's, as JSON: clients read it."""
    code = error.name.lower().replace(" ", "_") if error.code != 500 else "server_error"
    text = "This provider has no such path; it printed those that it has." if error.code == 404 else error.description
    response = jsonify(error=code, error_description=text)
    response.status_code = error.code or 500
    if allow := dict(error.get_headers()).get("Allow"):
        response.headers["Allow"] = allow
    return response
