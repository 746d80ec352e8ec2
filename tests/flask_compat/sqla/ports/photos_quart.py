"""A store of photos: models in a factory's database, nonces in a cache, and hooks registered one kind at a time."""

from authlib.oauth1.errors import OAuth1Error
from cachelib import SimpleCache
from quart import Quart, abort, g, jsonify, redirect, request, session
from sqlalchemy import Column, ForeignKey, Integer, String
from sqlalchemy.orm import DeclarativeBase, relationship, scoped_session, sessionmaker

from flask_compat import (
    AuthorizationServer,
    ResourceProtector,
    create_exists_nonce_func,
    current_credential,
    register_nonce_hooks,
)
from flask_compat.sqla import (
    OAuth1ClientMixin,
    OAuth1TemporaryCredentialMixin,
    OAuth1TokenCredentialMixin,
    create_query_client_func,
    create_query_token_func,
    register_temporary_credential_hooks,
    register_token_credential_hooks,
)


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "user"
    id = Column(Integer, primary_key=True)
    username = Column(String(40), unique=True, nullable=False)

    def get_user_id(self):
        return self.id


class Client(Base, OAuth1ClientMixin):
    __tablename__ = "client"
    id = Column(Integer, primary_key=True)
    client_name = Column(String(80), nullable=False)
    # Required, and unique; the mixin's is neither.
    client_id = Column(String(48), unique=True, nullable=False)


class TemporaryCredential(Base, OAuth1TemporaryCredentialMixin):
    __tablename__ = "temporary_credential"
    id = Column(Integer, primary_key=True)
    user_id = Column(Integer, ForeignKey("user.id", ondelete="CASCADE"))
    user = relationship("User")


class TokenCredential(Base, OAuth1TokenCredentialMixin):
    __tablename__ = "token_credential"
    id = Column(Integer, primary_key=True)
    # The resource owner, under another name.
    owner_id = Column(Integer, ForeignKey("user.id", ondelete="CASCADE"))
    owner = relationship("User")

    def get_user_id(self):
        return self.owner_id

    def set_user_id(self, user_id):
        self.owner_id = user_id


make_session = sessionmaker()
db_session = scoped_session(make_session, scopefunc=g._get_current_object)
cache = SimpleCache()
query_client = create_query_client_func(db_session, Client)
server = AuthorizationServer()
require_oauth = ResourceProtector()


def create_app(engine):
    app = Quart(__name__)
    app.secret_key = "not a secret"
    make_session.configure(bind=engine)
    server.init_app(app, query_client=query_client)
    register_nonce_hooks(server, cache)
    register_temporary_credential_hooks(server, db_session, TemporaryCredential)
    register_token_credential_hooks(server, db_session, TokenCredential)
    require_oauth.init_app(
        app,
        query_client=query_client,
        query_token=create_query_token_func(db_session, TokenCredential),
        exists_nonce=create_exists_nonce_func(cache),
    )
    app.add_url_rule("/signin", view_func=sign_in, methods=["POST"])
    app.add_url_rule("/initiate", view_func=initiate, methods=["POST"])
    app.add_url_rule("/authorize", view_func=authorize, methods=["GET", "POST"])
    app.add_url_rule("/token", view_func=token, methods=["POST"])
    app.add_url_rule("/photos", view_func=photos)
    app.teardown_appcontext(remove_session)
    return app


async def remove_session(exception):
    db_session.remove()


async def sign_in():
    form = await request.form
    session["id"] = db_session.query(User).filter_by(username=form["username"]).one().id
    return redirect("/")


def current_user():
    return db_session.get(User, session["id"]) if "id" in session else abort(403)


async def initiate():
    return await server.create_temporary_credentials_response()


async def authorize():
    user = current_user()
    if request.method == "GET":
        try:
            asked = await server.check_authorization_request()
        except OAuth1Error as error:
            return str(error), 400
        return f"Allow {asked.credential.get_client_id()}?"
    form = await request.form
    try:
        return await server.create_authorization_response(grant_user=user if form.get("granted") else None)
    except OAuth1Error as error:
        return str(error), 400


async def token():
    return await server.create_token_response()


@require_oauth()
async def photos():
    return jsonify(owner=current_credential.owner.username)
