"""The application: pages for users, the three endpoints of OAuth 1.0, and an API that they protect."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

from quart import Quart, abort, redirect, render_template_string, request, session, url_for
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine
from werkzeug.security import check_password_hash

from async_oauth1 import OAuth1Error
from async_oauth1.quart import AuthorizationServer, ResourceProtector
from async_oauth1.sqlalchemy import SQLAlchemyStore

from .models import Client, Nonce, Note, TemporaryCredential, TokenCredential, User

LOGIN = """<!doctype html><title>Log in</title>
<form method=post>Name <input name=name> Password <input name=password type=password> <button>Log in</button></form>"""
CONSENT = """<!doctype html><title>Permission</title>
<form method=post><p>Let {{ client.name }} read{{ " and add to" if writes }} your notes?
<input type=hidden name=oauth_token value="{{ oauth_token }}"><input type=hidden name=csrf value="{{ csrf }}">
<button name=granted value=1>Yes</button> <button>No</button></form>"""
SCOPES = frozenset({"notes.read", "notes.write"})


def create_app(database_url: str, *, secret_key: str = "") -> Quart:
    """Make the application. It connects when it is served.

    Args:
        database_url: for SQLAlchemy, such as ``postgresql+asyncpg://...``.
        secret_key: signs the session cookies; random if it is empty, so that users have to log in again after a
            restart.
    """
    app = Quart(__name__)
    app.secret_key = secret_key or secrets.token_urlsafe()
    # The log of a failed statement must not have the secrets of its rows.
    engine = create_async_engine(database_url, hide_parameters=True)
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    store = SQLAlchemyStore(
        sessions,
        Client=Client,
        TokenCredential=TokenCredential,
        TemporaryCredential=TemporaryCredential,
        Nonce=Nonce,
    )
    server = AuthorizationServer(app)
    server.register_hooks(store)
    require_oauth = ResourceProtector[Client, TokenCredential](app)
    require_oauth.register_hooks(store)
    _open_with(app, store, engine)
    _add_pages(app, sessions, server)
    _add_api(app, sessions, require_oauth)
    return app


def _open_with(app: Quart, store: SQLAlchemyStore[Any, Any, Any], engine: AsyncEngine) -> None:
    @app.before_serving
    async def open_store() -> None:
        await store.open()

    @app.after_serving
    async def close_store() -> None:
        await store.close()
        await engine.dispose()


def _add_pages(app: Quart, sessions: async_sessionmaker[Any], server: AuthorizationServer) -> None:
    @app.route("/login", methods=["GET", "POST"])
    async def login() -> Any:
        if request.method == "GET":
            return LOGIN
        form = await request.form
        async with sessions() as database:
            user = await database.scalar(select(User).where(User.name == form.get("name", "")))
        if not await asyncio.to_thread(_is_password, user, form.get("password", "")):
            return LOGIN, 403
        asked = session.get("oauth_token")
        session.clear()
        session["user_id"] = user.id
        return redirect(url_for("authorize", oauth_token=asked) if asked else url_for("login"))

    @app.post("/initiate")
    async def initiate() -> Any:
        return await server.create_temporary_credentials_response()

    @app.route("/authorize", methods=["GET", "POST"])
    async def authorize() -> Any:
        user_id = session.get("user_id")
        if user_id is None:
            session["oauth_token"] = request.args.get("oauth_token", "")
            return redirect(url_for("login"))
        try:
            if request.method == "POST":
                return await _decide(server, user_id)
            asked = await server.check_authorization_request(grant_user=user_id)
        except OAuth1Error as error:
            return error.description, error.status_code
        scope = _offered(asked.credential)
        csrf = session.setdefault("csrf", secrets.token_urlsafe())
        return await render_template_string(
            CONSENT, client=asked.client, oauth_token=asked.token, csrf=csrf, writes="notes.write" in scope
        )

    @app.post("/token")
    async def token() -> Any:
        return await server.create_token_response()


def _add_api(
    app: Quart, sessions: async_sessionmaker[Any], require_oauth: ResourceProtector[Client, TokenCredential]
) -> None:
    @app.get("/notes")
    @require_oauth("notes.read")
    async def notes() -> Any:
        credential = require_oauth.current_credential
        async with sessions() as database:
            texts = await database.scalars(
                select(Note.text).where(Note.user_id == credential.user_id).order_by(Note.id)
            )
        return {"owner": credential.user.name, "notes": list(texts)}

    @app.post("/notes")
    @require_oauth("notes.write")
    async def add_note() -> Any:
        text = (await request.form).get("text") or abort(400)
        async with sessions() as database, database.begin():
            database.add(Note(user_id=require_oauth.current_credential.user_id, text=text))
        return "", 201


async def _decide(server: AuthorizationServer, user_id: int) -> Any:
    form = await request.form
    if not secrets.compare_digest(form.get("csrf", "").encode(), session.get("csrf", "-").encode()):
        return "This form is not yours.", 403
    granted = "granted" in form
    asked = await server.check_authorization_request(grant_user=user_id)
    return await server.create_authorization_response(
        grant_user=user_id if granted else None, scope=_offered(asked.credential) if granted else None
    )


def _offered(credential: TemporaryCredential) -> str:
    """What the page asks the user for: to read, and to write if the application wants that."""
    return " ".join(sorted(SCOPES & {"notes.read", *credential.requested_scope.split()}))


def _is_password(user: User | None, password: str) -> bool:
    return user is not None and check_password_hash(user.password_hash, password)
