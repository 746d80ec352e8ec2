"""An application in the shape of those on Authlib 0.15: its own models, hooks registered at import, `MethodView`s."""

from __future__ import annotations

from typing import Any

import flask
from flask.views import MethodView
from sqlalchemy import ForeignKey, Integer, String, create_engine, insert
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, scoped_session, sessionmaker

from flask_compat import AuthorizationServer, OAuth1Error, ResourceProtector, current_credential
from flask_compat.sqla import (
    OAuth1ClientMixin,
    OAuth1TemporaryCredentialMixin,
    OAuth1TimestampNonceMixin,
    OAuth1TokenCredentialMixin,
    create_exists_nonce_func,
    create_query_client_func,
    create_query_token_func,
    register_authorization_hooks,
)


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "user"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40))

    def get_user_id(self) -> int:
        return self.id


class Client(Base, OAuth1ClientMixin):
    __tablename__ = "client"
    id: Mapped[int] = mapped_column(primary_key=True)


class TemporaryCredential(Base, OAuth1TemporaryCredentialMixin):
    __tablename__ = "temporary_credential"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    user: Mapped[User | None] = relationship()


class TokenCredential(Base, OAuth1TokenCredentialMixin):
    __tablename__ = "token_credential"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    user: Mapped[User] = relationship()


class Nonce(Base, OAuth1TimestampNonceMixin):
    __tablename__ = "nonce"
    id: Mapped[int] = mapped_column(primary_key=True)


class TextNonce(Base, OAuth1TemporaryCredentialMixin):
    """A nonce that took the mixin of another table, and keeps the timestamp as text."""

    __tablename__ = "text_nonce"
    id: Mapped[int] = mapped_column(primary_key=True)
    nonce: Mapped[str] = mapped_column(String(64))
    timestamp: Mapped[str] = mapped_column(String(16))


class MigratedBase(DeclarativeBase):
    pass


class MigratedNonce(MigratedBase, OAuth1TimestampNonceMixin):
    """A nonce after the recommended migration."""

    __tablename__ = "nonce"
    id: Mapped[int] = mapped_column(primary_key=True)
    oauth_token: Mapped[str | None] = mapped_column(String(84), nullable=False, default="")


class Note(Base):
    """What a view writes."""

    __tablename__ = "note"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)


def make_app(url: str, nonce_model: type[Any] = Nonce, **options: Any) -> flask.Flask:
    """Make the application; its session is a plain `scoped_session`, and its engine in ``app.extensions``."""
    app = flask.Flask("photos")
    engine = create_engine(url, **options)
    session = scoped_session(sessionmaker(engine))
    query_client = create_query_client_func(session, Client)
    server = AuthorizationServer(query_client=query_client)
    register_authorization_hooks(server, session, TokenCredential, TemporaryCredential, nonce_model)
    server.init_app(app)
    require_oauth = ResourceProtector(
        app,
        query_client=query_client,
        query_token=create_query_token_func(session, TokenCredential),
        exists_nonce=create_exists_nonce_func(session, nonce_model),
    )
    app.extensions.update(engine=engine, session=session, server=server)

    @app.teardown_appcontext
    def remove_session(_: object) -> None:
        session.remove()

    class Initiate(MethodView):
        def post(self) -> Any:
            return server.create_temporary_credentials_response(flask.request)

    class Authorize(MethodView):
        def post(self) -> Any:
            user = session.get(User, flask.request.args.get("granted") or 0)
            session.add(Note())
            session.flush()
            try:
                response = server.create_authorization_response(flask.request, user)
            except OAuth1Error as error:
                return str(error), error.status_code
            if "keep_open" not in flask.request.args:
                session.commit()
            return response

    class Token(MethodView):
        def post(self) -> Any:
            return server.create_token_response(flask.request)

    class Photos(MethodView):
        @require_oauth()
        def get(self) -> Any:
            return {"owner": current_credential.user.name}

    for path, view in {"initiate": Initiate, "authorize": Authorize, "token": Token, "photos": Photos}.items():
        app.add_url_rule(f"/{path}", view_func=view.as_view(path))
    return app


def fill(app: Any) -> None:
    """Create the tables, a client, two users and a token."""
    engine = app.extensions["engine"]
    Base.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(insert(User), [{"id": 1, "name": "jane"}, {"id": 2, "name": "john"}])
        connection.execute(
            insert(Client), [{"client_id": "client", "client_secret": "secret", "default_redirect_uri": ""}]
        )
        token = {"client_id": "client", "oauth_token": "t", "oauth_token_secret": "s", "user_id": 1}
        connection.execute(insert(TokenCredential), [token])
