"""Authlib as in its documentation: on Flask for gunicorn, and on Quart with quart-flask-patch.

The hooks use psycopg and redis-py, without an ORM, in autocommit mode, so that a look-up is one round trip.
"""

from __future__ import annotations

from typing import Any

import redis
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool

from .collecting import collect_seldom
from .models import Credential
from .settings import ANSWER, NONCE_LIFETIME, SELECT_CLIENT, SELECT_TOKEN, Settings

__all__ = ["create_app", "create_patched_app"]

#: The size of the connection pool: one for each thread.
THREADS = 8


class BlockingHooks:
    """The three hooks, with blocking drivers."""

    def __init__(self, settings: Settings) -> None:
        """Connect."""
        kwargs = {"autocommit": True, "row_factory": dict_row}
        self.pool: Any = ConnectionPool(settings.postgres, min_size=THREADS, max_size=THREADS, kwargs=kwargs, open=True)
        self.pool.wait()
        self.redis = redis.Redis.from_url(settings.valkey)

    def _find(self, statement: str, *values: str) -> Any:
        with self.pool.connection() as connection:
            row = connection.execute(statement, values).fetchone()
        return Credential(row) if row else None

    def query_client(self, client_id: str) -> Any:
        """Look up a client, in one statement."""
        return self._find(SELECT_CLIENT.format("%s"), client_id)

    def query_token(self, client_id: str, oauth_token: str) -> Any:
        """Look up a token credential, in one statement."""
        return self._find(SELECT_TOKEN.format("%s", "%s"), oauth_token, client_id)

    def exists_nonce(self, nonce: str, timestamp: str, client_id: str, oauth_token: str) -> bool:
        """Remember a nonce, in one command (Authlib's helper needs two); whether it was known."""
        key = f"nonce:{nonce}-{timestamp}-{client_id}-{oauth_token}"
        return not self.redis.set(key, 1, nx=True, ex=NONCE_LIFETIME)


def _protect(app: Any, settings: Settings) -> None:
    """Add a view behind Authlib's protector, and an unprotected one."""
    from authlib.integrations.flask_oauth1 import ResourceProtector

    hooks = BlockingHooks(settings)
    require_oauth: Any = ResourceProtector(app, hooks.query_client, hooks.query_token, hooks.exists_nonce)

    def photos() -> dict[str, Any]:
        return ANSWER

    app.add_url_rule("/photos", "photos", require_oauth()(photos))
    app.add_url_rule("/albums", "albums", photos)


def create_app() -> Any:
    """A WSGI application, for ``gunicorn benchmarks.providers.flask_authlib:create_app()``."""
    from flask import Flask

    app = Flask(__name__)
    _protect(app, Settings.from_environment())
    collect_seldom()
    return app


def create_patched_app(settings: Settings) -> Any:
    """An ASGI application on Quart. The patch changes Flask and asyncio for the whole process."""
    import quart_flask_patch  # noqa: F401 - must come before Flask
    from quart import Quart

    app = Quart(__name__)
    _protect(app, settings)
    return app
