"""Authlib as its documentation shows it: on Flask for gunicorn, and on Quart by way of quart-flask-patch.

psycopg and redis-py, without an ORM. Connections commit by themselves, so that a look-up is one round trip.
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

#: As many as there are threads that ask.
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
        """One statement."""
        return self._find(SELECT_CLIENT.format("%s"), client_id)

    def query_token(self, client_id: str, oauth_token: str) -> Any:
        """One statement."""
        return self._find(SELECT_TOKEN.format("%s", "%s"), oauth_token, client_id)

    def exists_nonce(self, nonce: str, timestamp: str, client_id: str, oauth_token: str) -> bool:
        """One command; Authlib's own helper takes two."""
        key = f"nonce:{nonce}-{timestamp}-{client_id}-{oauth_token}"
        return not self.redis.set(key, 1, nx=True, ex=NONCE_LIFETIME)


def _protect(app: Any, settings: Settings) -> None:
    """Authlib's protector in front of a view."""
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
    """The same as an ASGI application. Changes Flask and asyncio for the whole process."""
    import quart_flask_patch  # noqa: F401 - must come before Flask
    from quart import Quart

    app = Quart(__name__)
    _protect(app, settings)
    return app
