"""Applications of `flask_compat` on Flask and on Quart with a form view and the endpoints, and a way to call them."""

from __future__ import annotations

from io import BytesIO
from typing import Any
from urllib.parse import unquote_to_bytes

import flask
import quart
from werkzeug.test import run_wsgi_app

from flask_compat import AuthorizationServer, ResourceProtector

from .signer import Message
from .wire import Answer, call


class Model:
    """A client, a temporary credential and a token credential in one object, with Authlib's methods."""

    client_id = "client"

    def get_client_id(self) -> str:
        """Return the client identifier."""
        return "client"

    def get_client_secret(self) -> str:
        """Return the client's secret."""
        return "secret"

    def get_oauth_token(self) -> str:
        """Return the token."""
        return "tok"

    def get_oauth_token_secret(self) -> str:
        """Return the token's secret."""
        return "toksecret"

    def get_redirect_uri(self) -> str:
        """Return the callback from the first step."""
        return "https://client.example/ready"

    def check_verifier(self, verifier: str) -> bool:
        """Accept every verifier."""
        return True


def make_compat_app(framework: str, **config: Any) -> Any:
    """Create an application of Flask or Quart with a protected ``/form`` and both endpoints.

    Args:
        framework: ``"flask"`` or ``"quart"``.
        config: The application's configuration.
    """
    app: Any = flask.Flask("compat") if framework == "flask" else quart.Quart("compat")
    app.config.update(config)
    server = AuthorizationServer(app, query_client=lambda _: Model())
    for hook in ("create_temporary_credential", "create_token_credential"):
        server.register_hook(hook, lambda *_: Model())
    server.register_hook("get_temporary_credential", lambda _: Model())
    server.register_hook("delete_temporary_credential", lambda _: True)
    server.register_hook("exists_nonce", lambda *_: False)
    require_oauth = ResourceProtector(app, lambda _: Model(), lambda *_: Model(), lambda *_: False)
    app.post("/initiate", endpoint="initiate")(server.create_temporary_credentials_response)
    app.post("/token", endpoint="token")(server.create_token_response)

    if framework == "flask":

        @app.route("/form", methods=["GET", "POST"])
        @require_oauth()
        def form() -> Any:
            return {"form": list(flask.request.form.items(multi=True))}

    else:

        @app.route("/form", methods=["GET", "POST"])
        @require_oauth()
        async def form() -> Any:
            return {"form": list((await quart.request.form).items(multi=True))}

    return app


async def send_to(app: Any, message: Message) -> Answer:
    """Send a message to a Flask or Quart application."""
    return _call_wsgi(app, message) if isinstance(app, flask.Flask) else await call(app, message)


def _call_wsgi(app: flask.Flask, message: Message) -> Answer:
    path, _, query = message.target.partition(b"?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": message.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "REQUEST_URI": message.target.decode("latin-1"),
        "QUERY_STRING": query.decode("latin-1"),
        "SERVER_NAME": "provider.example",
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "203.0.113.7",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https",
        "wsgi.input": BytesIO(message.body),
        "wsgi.errors": BytesIO(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in message.headers:
        key = name.decode().upper().replace("-", "_")
        key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
        # WSGI servers join repeated headers with a comma.
        environ[key] = f"{environ[key]},{value.decode('latin-1')}" if key in environ else value.decode("latin-1")
    body, status, headers = run_wsgi_app(app.wsgi_app, environ, buffered=True)
    found = [(name.lower(), value) for name, value in headers.items()]
    return Answer(int(status.split()[0]), found, b"".join(body))
