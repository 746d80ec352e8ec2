"""The Quart application."""

from __future__ import annotations

from typing import Any, cast

from quart import Quart, Response, g, request

from async_oauth1.asgi import LingeringMiddleware, request_from_scope
from async_oauth1.errors import InsecureTransportError
from async_oauth1.limits import Limits
from async_oauth1.quart import AuthorizationServer, ResourceProtector
from async_oauth1.stores import RecordsUses, Store

from .api import add_endpoints, add_health
from .errors import add_error_handlers
from .pages import Pages
from .passwords import Passwords
from .scopes import requested_scope
from .serving.metrics import add_metrics
from .settings import Settings
from .storage import Storage


def create_app(settings: Settings, storage: Storage) -> Quart:
    """Make the application.

    Args:
        settings: the provider's settings.
        storage: the open stores and the users.
    """
    app = Quart(__name__)
    app.secret_key = settings.session_key
    app.config.update(
        SESSION_COOKIE_NAME=settings.cookie_name,
        SESSION_COOKIE_PATH=settings.cookie_path,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.is_https,
    )
    # The signature covers the path as it was sent, so requests must not be redirected to a normalized path.
    app.url_map.merge_slashes = False
    app.url_map.strict_slashes = False

    server = AuthorizationServer(app, policy=settings.policy, requested_scope=requested_scope)
    require_oauth = ResourceProtector(app, policy=settings.policy)
    storage.register_hooks(server, require_oauth)
    add_endpoints(app, server, require_oauth)
    add_health(app, storage)
    add_metrics(app, server, require_oauth, storage)
    limits, trusted = add_limits(app, settings, server), settings.trusted_proxies
    passwords, prefix = Passwords(), settings.path_prefix
    pages = Pages(server, storage.store, storage.nonces, storage.users, passwords, prefix, trusted, limits)
    app.register_blueprint(pages.blueprint())
    add_error_handlers(app, require_oauth, storage.users)
    add_transport_check(app, settings)
    app.after_request(add_security_headers)
    record_uses(app, storage.store)
    app.asgi_app = LingeringMiddleware(app.asgi_app)  # type: ignore[method-assign]  # as in Quart's documentation
    return app


def add_limits(app: Quart, settings: Settings, server: AuthorizationServer) -> Limits | None:
    """Limit what clients and addresses may do, if the settings say where to count it."""
    if settings.limits is None:
        return None
    limits = Limits(settings.limits, trusted_proxies=settings.trusted_proxies)
    limits.limit(server)
    app.after_serving(limits.close)
    return limits


def record_uses(app: Quart, store: Store) -> None:
    """Record when a client last used a token, for the list of applications. No request waits for it."""
    if not isinstance(store, RecordsUses):
        return

    @app.after_request
    async def note(response: Response) -> Response:
        verified = g.get("async_oauth1_request")
        if verified is not None:
            store.note_use(verified.client_id, verified.token or None, request.headers.get("User-Agent", ""))
        return response


def add_transport_check(app: Quart, settings: Settings) -> None:
    """Refuse pages over plain http except on loopback, to protect passwords and cookies."""
    policy = settings.policy

    @app.before_request
    async def check() -> None:
        scope = cast("dict[str, Any]", request.scope)
        if request.blueprint == "pages" and not request_from_scope(scope, policy).is_secure:
            raise InsecureTransportError()


def add_security_headers(response: Response) -> Response:
    """Forbid framing, referrers, content from other sites, and caching."""
    policy = "default-src 'none'; style-src 'self'; img-src 'self'; frame-ancestors 'none'; base-uri 'none'"
    # Browsers apply form-action to every redirect after a form. The application may redirect the callback to another
    # site, which is not known here, so the consent page cannot have a form-action.
    if not g.get("form_leaves_site"):
        policy += "; form-action 'self'"
    response.headers.setdefault("Content-Security-Policy", policy)
    response.headers.setdefault("X-Frame-Options", "DENY")
    response.headers.setdefault("Referrer-Policy", "no-referrer")
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    if request.endpoint != "static":
        response.headers["Cache-Control"] = "no-store"
    return response
