"""Notes behind OAuth 1.0, on Quart: the port of the original."""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

from authlib.oauth1 import ClientMixin, TemporaryCredential, TokenCredentialMixin
from authlib.oauth1.errors import OAuth1Error
from quart import Quart, g, jsonify, redirect, render_template_string, request, session
from quart.utils import run_sync
from werkzeug.security import check_password_hash, generate_password_hash

from flask_compat import AuthorizationServer, ResourceProtector, current_credential

View = Callable[..., Any]

SCHEMA = """
CREATE TABLE IF NOT EXISTS user (id TEXT PRIMARY KEY, password TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS client (id TEXT PRIMARY KEY, secret TEXT NOT NULL, callback TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS temporary_credential (token TEXT PRIMARY KEY, secret TEXT NOT NULL,
    client_id TEXT NOT NULL, callback TEXT, user_id TEXT, verifier TEXT);
CREATE TABLE IF NOT EXISTS token_credential (token TEXT PRIMARY KEY, secret TEXT NOT NULL,
    client_id TEXT NOT NULL, user_id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS nonce (nonce TEXT, timestamp TEXT, client_id TEXT, token TEXT,
    PRIMARY KEY (nonce, timestamp, client_id, token));
CREATE TABLE IF NOT EXISTS note (user_id TEXT NOT NULL, text TEXT NOT NULL);
"""
LOGIN = "<form method=post>Name <input name=name> Password <input name=password type=password> <button>Log in</button>"
CONSENT = """<form method=post>Let {{ client }} read and write your notes?
<input type=hidden name=csrf value={{ csrf }}><button name=granted value=1>Yes</button> <button>No</button></form>"""


class User:
    """The owner of notes."""

    def __init__(self, user_id: str) -> None:
        """Store the user's name."""
        self.id = user_id

    def get_user_id(self) -> str:
        """The user's name."""
        return self.id


class Client(ClientMixin):
    """A registered application."""

    def __init__(self, row: sqlite3.Row) -> None:
        """Take a row."""
        self.row = row

    def get_default_redirect_uri(self) -> str:
        """The callback."""
        return str(self.row["callback"])

    def get_client_secret(self) -> str:
        """The secret."""
        return str(self.row["secret"])

    def get_rsa_public_key(self) -> None:
        """``None``: applications have no key."""
        return


class Token(TokenCredentialMixin):
    """A user's permission for an application."""

    def __init__(self, row: sqlite3.Row) -> None:
        """Take a row."""
        self.row = row

    def get_user_id(self) -> str:
        """The owner of the notes."""
        return str(self.row["user_id"])

    def get_oauth_token(self) -> str:
        """The token."""
        return str(self.row["token"])

    def get_oauth_token_secret(self) -> str:
        """Its secret."""
        return str(self.row["secret"])


def database() -> sqlite3.Connection:
    """This request's connection."""
    if "database" not in g:
        g.database = sqlite3.connect(os.environ["NOTES_DATABASE"], check_same_thread=False)
        g.database.row_factory = sqlite3.Row
    connection: sqlite3.Connection = g.database
    return connection


def execute(statement: str, *values: Any) -> int:
    """Execute a statement; returns the number of changed rows."""
    with database():
        return database().execute(statement, values).rowcount


def find(statement: str, *values: Any) -> Any:
    """One row, or ``None``."""
    return database().execute(statement, values).fetchone()


def query_client(client_id: str) -> Client | None:
    """Look up an application."""
    row = find("SELECT * FROM client WHERE id = ?", client_id)
    return Client(row) if row else None


def query_token(client_id: str, oauth_token: str) -> Token | None:
    """Look up a permission."""
    row = find("SELECT * FROM token_credential WHERE client_id = ? AND token = ?", client_id, oauth_token)
    return Token(row) if row else None


def exists_nonce(nonce: str, timestamp: str, client_id: str, oauth_token: str | None) -> bool:
    """Remember a nonce; returns whether it was known."""
    values = nonce, timestamp, client_id, oauth_token or ""
    return not execute("INSERT OR IGNORE INTO nonce VALUES (?, ?, ?, ?)", *values)


def create_temporary_credential(token: dict[str, str], client_id: str, redirect_uri: str) -> TemporaryCredential:
    """Store an application's request for permission."""
    values = token["oauth_token"], token["oauth_token_secret"], client_id, redirect_uri
    execute("INSERT INTO temporary_credential (token, secret, client_id, callback) VALUES (?, ?, ?, ?)", *values)
    return TemporaryCredential(token)


def get_temporary_credential(oauth_token: str | None) -> TemporaryCredential | None:
    """Look up an application's request for permission."""
    row = find("SELECT * FROM temporary_credential WHERE token = ?", oauth_token)
    if row is None:
        return None
    return TemporaryCredential(
        oauth_token=row["token"],
        oauth_token_secret=row["secret"],
        client_id=row["client_id"],
        oauth_callback=row["callback"],
        oauth_verifier=row["verifier"],
        user_id=row["user_id"],
    )


def delete_temporary_credential(oauth_token: str | None) -> None:
    """Delete a request for permission."""
    execute("DELETE FROM temporary_credential WHERE token = ?", oauth_token)


def create_authorization_verifier(credential: TemporaryCredential, grant_user: User, verifier: str) -> None:
    """Store the user who approved, and the verifier."""
    values = grant_user.get_user_id(), verifier, credential["oauth_token"]
    execute("UPDATE temporary_credential SET user_id = ?, verifier = ? WHERE token = ?", *values)


def create_token_credential(token: dict[str, str], temporary_credential: TemporaryCredential) -> Token | None:
    """Store a permission."""
    values = token["oauth_token"], token["oauth_token_secret"]
    client_id, user_id = str(temporary_credential["client_id"]), temporary_credential["user_id"]
    execute("INSERT INTO token_credential VALUES (?, ?, ?, ?)", *values, client_id, user_id)
    return query_token(client_id, token["oauth_token"])


def current_user_id() -> str:
    """The user whose permission the application has."""
    credential: Any = current_credential
    return str(credential.get_user_id())


app = Quart(__name__)
app.secret_key = os.environ.get("NOTES_SECRET_KEY") or secrets.token_bytes(32)
server: Any = AuthorizationServer(app, query_client=query_client)
server.register_hook("exists_nonce", exists_nonce)
server.register_hook("create_temporary_credential", create_temporary_credential)
server.register_hook("get_temporary_credential", get_temporary_credential)
server.register_hook("delete_temporary_credential", delete_temporary_credential)
server.register_hook("create_authorization_verifier", create_authorization_verifier)
server.register_hook("create_token_credential", create_token_credential)
require_oauth: Callable[..., Callable[[View], View]] = ResourceProtector(app, query_client, query_token, exists_nonce)


@app.teardown_appcontext
def close_database(_: BaseException | None) -> None:
    """Close the request's connection."""
    if "database" in g:
        g.pop("database").close()


@app.cli.command("init")
def init() -> None:
    """Create the tables, with a user and a client."""
    password, secret = generate_password_hash(os.environ["NOTES_PASSWORD"]), os.environ["NOTES_CLIENT_SECRET"]
    with closing(sqlite3.connect(os.environ["NOTES_DATABASE"])) as connection, connection:
        connection.executescript(SCHEMA)
        connection.execute("INSERT INTO user VALUES ('jane', ?)", [password])
        connection.execute("INSERT INTO client VALUES ('printer', ?, 'http://printer.example/')", [secret])


@app.route("/login", methods=["GET", "POST"])
async def login() -> Any:
    """Log a user in."""
    if request.method == "GET":
        return LOGIN
    form = await request.form
    row = await run_sync(find)("SELECT * FROM user WHERE id = ?", form["name"])
    if row is None or not await run_sync(check_password_hash)(row["password"], form["password"]):
        return LOGIN, 403
    session.clear()
    session["user"] = row["id"]
    return redirect("/notes-of-mine")


@app.post("/initiate")
async def initiate() -> Any:
    """Issue temporary credentials to an application."""
    return await server.create_temporary_credentials_response()


@app.route("/authorize", methods=["GET", "POST"])
async def authorize() -> Any:
    """Ask a user for permission."""
    if "user" not in session:
        return redirect("/login")
    try:
        if request.method == "GET":
            found: Any = await server.check_authorization_request()
            csrf = session.setdefault("csrf", secrets.token_urlsafe())
            return await render_template_string(CONSENT, client=found.credential.get_client_id(), csrf=csrf)
        form = await request.form
        if form.get("csrf") != session.get("csrf"):
            return "This form is not yours.", 403
        user = User(session["user"]) if form.get("granted") else None
        return await server.create_authorization_response(grant_user=user)
    except OAuth1Error as error:
        return f"{error.description}", error.status_code


@app.post("/token")
async def token() -> Any:
    """Exchange temporary credentials for token credentials."""
    return await server.create_token_response()


@app.get("/notes")
@require_oauth()
def notes() -> Any:
    """The notes of the user who gave the permission."""
    rows = database().execute("SELECT text FROM note WHERE user_id = ?", [current_user_id()])
    return jsonify([row["text"] for row in rows])


@app.post("/notes")
@require_oauth()
async def add_note() -> Any:
    """Add a note."""
    text = (await request.form)["text"]
    await run_sync(execute)("INSERT INTO note VALUES (?, ?)", current_user_id(), text)
    return "", 201
