"""Applications like those in Authlib's documentation for Flask: an ORM, class-based views and `init_app`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import flask
import flask_restful
import pytest
from authlib.oauth1 import ClientMixin, TemporaryCredentialMixin, TokenCredentialMixin
from authlib.oauth1.errors import OAuth1Error
from flask.views import MethodView
from flask_sqlalchemy import SQLAlchemy

from flask_compat import AuthorizationServer, ResourceProtector, current_credential
from tests.flask_compat.client import Client, fetch

db = SQLAlchemy()


class Owner(db.Model):  # type: ignore[name-defined,misc]
    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String(40))

    def get_user_id(self) -> int:
        return int(self.id)


class Application(ClientMixin, db.Model):  # type: ignore[name-defined,misc]
    id = db.Column(db.Integer, primary_key=True)
    client_id = db.Column(db.String(48), index=True)
    client_secret = db.Column(db.String(120), nullable=False)
    default_redirect_uri = db.Column(db.Text, nullable=False, default="")

    def get_default_redirect_uri(self) -> Any:
        return self.default_redirect_uri

    def get_client_secret(self) -> Any:
        return self.client_secret

    def get_rsa_public_key(self) -> None:
        return None


class Pending(TemporaryCredentialMixin, db.Model):  # type: ignore[name-defined,misc]
    id = db.Column(db.Integer, primary_key=True)
    user_id = db.Column(db.Integer, db.ForeignKey("owner.id"))
    client_id = db.Column(db.String(48), index=True)
    oauth_token = db.Column(db.String(84), unique=True, index=True)
    oauth_token_secret = db.Column(db.String(84))
    oauth_verifier = db.Column(db.String(84))
    oauth_callback = db.Column(db.Text, default="")

    def get_client_id(self) -> Any:
        return self.client_id

    def get_redirect_uri(self) -> Any:
        return self.oauth_callback

    def check_verifier(self, verifier: str) -> Any:
        return self.oauth_verifier == verifier

    def get_oauth_token(self) -> Any:
        return self.oauth_token

    def get_oauth_token_secret(self) -> Any:
        return self.oauth_token_secret


class Grant(TokenCredentialMixin, db.Model):  # type: ignore[name-defined,misc]
    id = db.Column(db.Integer, primary_key=True)
    user_id = db.Column(db.Integer, db.ForeignKey("owner.id"))
    user = db.relationship("Owner")
    client_id = db.Column(db.String(48), index=True)
    oauth_token = db.Column(db.String(84), unique=True, index=True)
    oauth_token_secret = db.Column(db.String(84))

    def get_oauth_token(self) -> Any:
        return self.oauth_token

    def get_oauth_token_secret(self) -> Any:
        return self.oauth_token_secret


class UsedNonce(db.Model):  # type: ignore[name-defined,misc]
    __table_args__ = (db.UniqueConstraint("client_id", "timestamp", "nonce", "oauth_token"),)
    id = db.Column(db.Integer, primary_key=True)
    client_id = db.Column(db.String(48), nullable=False)
    timestamp = db.Column(db.Integer, nullable=False)
    nonce = db.Column(db.String(48), nullable=False)
    oauth_token = db.Column(db.String(84))


def query_client(client_id: str) -> Any:
    return db.session.query(Application).filter_by(client_id=client_id).first()


def query_token(client_id: str, oauth_token: str) -> Any:
    return db.session.query(Grant).filter_by(client_id=client_id, oauth_token=oauth_token).first()


def exists_nonce(nonce: str, timestamp: str, client_id: str, oauth_token: str | None) -> bool:
    row = {"nonce": nonce, "timestamp": timestamp, "client_id": client_id, "oauth_token": oauth_token}
    if db.session.query(UsedNonce).filter_by(**row).first():
        return True
    db.session.add(UsedNonce(**row))
    db.session.commit()
    return False


def create_temporary_credential(token: dict[str, str], client_id: str, redirect_uri: str) -> Any:
    item = Pending(client_id=client_id, oauth_callback=redirect_uri, **token)
    db.session.add(item)
    db.session.commit()
    return item


def get_temporary_credential(oauth_token: str | None) -> Any:
    return db.session.query(Pending).filter_by(oauth_token=oauth_token).first()


def delete_temporary_credential(oauth_token: str | None) -> None:
    db.session.query(Pending).filter_by(oauth_token=oauth_token).delete(synchronize_session=False)
    db.session.commit()


def create_authorization_verifier(credential: Any, grant_user: Any, verifier: str) -> Any:
    credential.user_id = grant_user.id
    credential.oauth_verifier = verifier
    db.session.add(credential)
    db.session.commit()
    return credential


def create_token_credential(token: dict[str, str], temporary_credential: Any) -> Any:
    item = Grant(client_id=temporary_credential.get_client_id(), user_id=temporary_credential.user_id, **token)
    db.session.add(item)
    db.session.commit()
    return item


HOOKS = (
    exists_nonce,
    create_temporary_credential,
    get_temporary_credential,
    delete_temporary_credential,
    create_authorization_verifier,
    create_token_credential,
)


@pytest.fixture
def app(tmp_path: Any) -> Iterator[flask.Flask]:
    app = flask.Flask(__name__)
    app.testing = True
    app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{tmp_path}/provider.db"
    db.init_app(app)
    server = AuthorizationServer()
    server.init_app(app, query_client=query_client)
    for hook in HOOKS:
        server.register_hook(hook.__name__, hook)
    require_oauth = ResourceProtector()
    require_oauth.init_app(app, query_client=query_client, query_token=query_token, exists_nonce=exists_nonce)
    add_views(app, server, require_oauth)
    with app.app_context():
        db.create_all()
        db.session.add_all([Owner(id=7, name="jane"), Application(client_id="client", client_secret="secret")])
        db.session.commit()
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def add_views(app: flask.Flask, server: Any, require_oauth: Any) -> None:
    @app.post("/initiate")
    def initiate() -> Any:
        return server.create_temporary_credentials_response()

    @app.route("/authorize", methods=["GET", "POST"])
    def authorize() -> Any:
        try:
            if flask.request.method == "GET":
                return flask.render_template_string(
                    "{{ req.credential.client_id }}", req=server.check_authorization_request()
                )
            user = db.session.get(Owner, 7) if flask.request.form.get("granted") else None
            return server.create_authorization_response(grant_user=user)
        except OAuth1Error as error:
            return flask.render_template_string("{{ error.description }}", error=error)

    @app.post("/token")
    def token() -> Any:
        return server.create_token_response()

    @app.get("/photos")
    @require_oauth
    def photos() -> Any:
        return flask.jsonify(user=current_credential.user.name)

    class Photos(MethodView):
        decorators = (require_oauth,)

        def get(self) -> Any:
            return flask.jsonify(user=current_credential.user.name)

    class Resource(flask_restful.Resource):  # type: ignore[misc]
        method_decorators = (require_oauth("scope"),)

        def get(self) -> Any:
            return {"user": current_credential.user.name}

    app.add_url_rule("/method-view", view_func=Photos.as_view("method_view"))
    flask_restful.Api(app).add_resource(Resource, "/restful")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_the_flask_sqlalchemy_recipe_works(app: flask.Flask) -> None:
    """Models, hooks and views work, and relationships can be read in each kind of view."""
    client = Client(app)
    initiated = await client.send("POST", "/initiate", callback="https://client.test/ready")
    page = await fetch(app, "GET", f"/authorize?oauth_token={initiated.form['oauth_token']}")
    assert page.body == "client"
    await client.dance()
    for path in ("/photos", "/method-view", "/restful"):
        signed = client.sign("GET", path, client.parameters())
        assert (await client.send("GET", path, signed=signed)).json == {"user": "jane"}
        assert (await client.send("GET", path, signed=signed)).json == {"error": "invalid_nonce"}
        assert (await fetch(app, "GET", path)).status == 400


async def test_a_failed_exchange_keeps_the_temporary_credential(app: flask.Flask) -> None:
    """It is deleted only after the token credential was created, because the hook may still read its row."""
    client = Client(app)
    initiated = await client.send("POST", "/initiate", callback="https://client.test/ready")
    client.token, client.token_secret = initiated.form["oauth_token"], initiated.form["oauth_token_secret"]
    verifier = (await client.approve()).location["oauth_verifier"]
    wrong = Client(app, token=client.token, token_secret="wrong")
    assert (await wrong.send("POST", "/token", verifier=verifier)).form == {"error": "invalid_signature"}
    assert (await client.send("POST", "/token", verifier="wrong")).form["error"] == "invalid_request"
    assert (await client.send("POST", "/token", verifier=verifier)).status == 200
    assert (await client.send("POST", "/token", verifier=verifier)).form["error"] == "invalid_token"
