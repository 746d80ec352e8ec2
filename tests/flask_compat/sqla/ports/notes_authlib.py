"""A server of notes for a desktop client: `MethodView`s, Flask-Login, and a scoped session without an extension."""

import os
from datetime import datetime

from authlib.oauth1.errors import OAuth1Error
from flask import Flask, jsonify, redirect, request
from flask.views import MethodView
from flask_login import LoginManager, UserMixin, current_user, login_required, login_user
from sqlalchemy import Column, DateTime, ForeignKey, Integer, String, Text, create_engine
from sqlalchemy.orm import declarative_base, relationship, scoped_session, sessionmaker

from authlib.integrations.flask_oauth1 import AuthorizationServer, ResourceProtector, current_credential
from authlib.integrations.sqla_oauth1 import (
    OAuth1ClientMixin,
    OAuth1TemporaryCredentialMixin,
    OAuth1TokenCredentialMixin,
    create_exists_nonce_func,
    create_query_client_func,
    create_query_token_func,
    register_authorization_hooks,
)

engine = create_engine(os.environ["NOTES_DATABASE"])
db_session = scoped_session(sessionmaker(bind=engine, autoflush=False))
Base = declarative_base()
Base.query = db_session.query_property()


class User(UserMixin, Base):
    __tablename__ = "notes_user"
    id = Column(Integer, primary_key=True)
    name = Column(String(100), unique=True)
    last_seen = Column(DateTime)

    def get_user_id(self):
        return self.id

    def get_id(self):
        return self.name


class Client(Base, OAuth1ClientMixin):
    __tablename__ = "client"
    id = Column(Integer, primary_key=True)
    user_id = Column(Integer, ForeignKey("notes_user.id", ondelete="CASCADE"))
    user = relationship("User")


class TemporaryCredential(Base, OAuth1TemporaryCredentialMixin):
    __tablename__ = "temporary_credential"
    id = Column(Integer, primary_key=True)
    user_id = Column(Integer, ForeignKey("notes_user.id", ondelete="CASCADE"))
    user = relationship("User")


class TokenCredential(Base, OAuth1TokenCredentialMixin):
    __tablename__ = "token_credential"
    id = Column(Integer, primary_key=True)
    user_id = Column(Integer, ForeignKey("notes_user.id", ondelete="CASCADE"))
    user = relationship("User")


class TimestampNonce(Base, OAuth1TokenCredentialMixin):
    __tablename__ = "timestamp_nonce"
    id = Column(Integer, primary_key=True)
    nonce = Column(String(50))
    timestamp = Column(String(100))


class Note(Base):
    __tablename__ = "note"
    id = Column(Integer, primary_key=True)
    user_id = Column(Integer, ForeignKey("notes_user.id"))
    text = Column(Text)


app = Flask(__name__)
app.config["SECRET_KEY"] = os.urandom(30)
login_manager = LoginManager(app)
query_client = create_query_client_func(db_session, Client)
server = AuthorizationServer(query_client=query_client)
register_authorization_hooks(
    server,
    db_session,
    token_credential_model=TokenCredential,
    temporary_credential_model=TemporaryCredential,
    timestamp_nonce_model=TimestampNonce,
)
server.init_app(app)
require_oauth = ResourceProtector(
    app,
    query_client=query_client,
    query_token=create_query_token_func(db_session, TokenCredential),
    exists_nonce=create_exists_nonce_func(db_session, TimestampNonce),
)


@login_manager.user_loader
def load_user(name):
    return User.query.filter(User.name == name).first()


@app.route("/signin", methods=["POST"])
def sign_in():
    login_user(User.query.filter(User.name == request.form["name"]).first(), remember=True)
    return redirect("/")


@app.route("/oauth/request_token", methods=["GET", "POST"])
def request_token():
    return server.create_temporary_credentials_response(request)


@app.route("/oauth/authorize", methods=["GET", "POST"])
@login_required
def authorize():
    if request.method == "GET":
        try:
            return f"Allow {server.check_authorization_request().credential.get_client_id()}?"
        except OAuth1Error as error:
            return str(error), 400
    grant_user = None
    if request.form.get("granted"):
        grant_user = current_user
        grant_user.last_seen = datetime.now()
    try:
        return server.create_authorization_response(request, grant_user)
    except OAuth1Error as error:
        return str(error), 400


@app.route("/oauth/access_token", methods=["POST"])
def access_token():
    return server.create_token_response(request)


class Notes(MethodView):
    @require_oauth()
    def get(self, name):
        owned = Note.query.filter(Note.user_id == current_credential.user.id)
        return jsonify(user=current_credential.user.name, notes=[note.text for note in owned])

    @require_oauth()
    def put(self, name):
        for text in request.get_json()["notes"]:
            db_session.add(Note(user_id=current_credential.user_id, text=text))
        db_session.commit()
        return jsonify(saved=True)


app.add_url_rule("/api/<name>/notes", view_func=Notes.as_view("notes"))


@app.teardown_appcontext
def end_session(exception=None):
    if exception is None:
        db_session.commit()
    db_session.remove()
