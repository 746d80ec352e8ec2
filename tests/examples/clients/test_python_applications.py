"""Applications that sign people in with a Python package go through the dance in a browser."""

from __future__ import annotations

from typing import Any

import flask
import httpx2
from flask_dance.consumer import OAuth1ConsumerBlueprint, oauth_error
from flask_dance.consumer.requests import OAuth1Session
from rauth import OAuth1Service
from social_core.backends.oauth import BaseOAuth1
from social_core.strategy import BaseStrategy

from ..jane import PRINTER, READY, Jane, verifier_in
from ..running import Photos

PHOTO = {"owner": "jane", "client_id": PRINTER[0], "file": "vacation.jpg", "size": "original"}


def test_rauth(provider: Photos, jane: Jane) -> None:
    """rauth's session calls the API with the token it was given."""
    service = OAuth1Service(
        consumer_key=PRINTER[0],
        consumer_secret=PRINTER[1],
        request_token_url=f"{provider.url}/initiate",
        access_token_url=f"{provider.url}/token",
        authorize_url=f"{provider.url}/authorize",
    )
    temporary = service.get_request_token(method="POST", params={"oauth_callback": READY})
    verifier = verifier_in(jane.decide(temporary[0]))
    session = service.get_auth_session(*temporary, method="POST", data={"oauth_verifier": verifier})
    answer = session.get(f"{provider.url}/photos", params={"file": "vacation.jpg", "size": "original"})
    assert (answer.status_code, answer.json()) == (200, PHOTO)
    posted = session.post(f"{provider.url}/echo/a%2Fb", data={"a": "1", "b": "x y+z", "c": "ä&="})
    assert posted.status_code == 200, posted.text


class Strategy(BaseStrategy):  # type: ignore[type-arg]
    """What social-core asks its framework for: a session, the request's data and absolute URLs."""

    def __init__(self, data: dict[str, str]) -> None:
        """Start with an empty session."""
        super().__init__()
        self.data, self.session = data, {}

    def get_setting(self, name: str) -> Any:
        """The backend's settings."""
        return {"KEY": PRINTER[0], "SECRET": PRINTER[1]}[name.removeprefix("SOCIAL_AUTH_").removeprefix("PHOTOS_")]

    def request_data(self, merge: bool = True) -> dict[str, str]:
        """The query of the callback."""
        return self.data

    def session_get(self, name: str, default: Any = None) -> Any:
        """A value of the session."""
        return self.session.get(name, default)

    def session_set(self, name: str, value: Any) -> None:
        """Keep a value in the session."""
        self.session[name] = value

    def build_absolute_uri(self, path: str | None = None) -> str:
        """A URL of the application's."""
        return path or READY


class PhotosBackend(BaseOAuth1[Any]):
    """The provider as social-core describes one."""

    name = "photos"
    REQUEST_TOKEN_METHOD = "POST"
    ACCESS_TOKEN_METHOD = "POST"


def test_social_core(provider: Photos, jane: Jane) -> None:
    """social-core, which Django's and Flask's social-auth applications are built on, gets a token for Jane."""
    strategy = Strategy({})
    backend = PhotosBackend(strategy, redirect_uri=READY)
    backend.REQUEST_TOKEN_URL = f"{provider.url}/initiate"
    backend.ACCESS_TOKEN_URL = f"{provider.url}/token"
    backend.AUTHORIZATION_URL = f"{provider.url}/authorize"
    asked = httpx2.URL(backend.auth_url())
    approved = jane.decide(asked.params["oauth_token"])
    strategy.data = backend.data = dict(httpx2.URL(approved.headers["Location"]).params)
    backend.validate_state()
    token = backend.access_token(backend.get_unauthorized_token())
    photo = backend.get_json(f"{provider.url}/photos?file=vacation.jpg&size=original", auth=backend.oauth_auth(token))
    assert photo == PHOTO


class RememberingSession(OAuth1Session):
    """Flask-Dance's session, which keeps the temporary secret in the browser's session between the two steps."""

    def fetch_request_token(self, *args: Any, **kwargs: Any) -> Any:
        """Remember the secret."""
        token = super().fetch_request_token(*args, **kwargs)
        flask.session["temporary_secret"] = token["oauth_token_secret"]
        return token

    def fetch_access_token(self, *args: Any, **kwargs: Any) -> Any:
        """Sign with the secret."""
        self._client.client.resource_owner_secret = flask.session.pop("temporary_secret")
        return super().fetch_access_token(*args, **kwargs)


def flask_dance(provider: Photos, jane: Jane, session_class: type[OAuth1Session]) -> tuple[Any, list[str]]:
    """Sign in at an application of Flask-Dance; the token that it got, and the errors that it reports."""
    app = flask.Flask(__name__)
    app.secret_key = "kept by the test"
    blueprint = OAuth1ConsumerBlueprint(
        "photos",
        __name__,
        client_key=PRINTER[0],
        client_secret=PRINTER[1],
        base_url=provider.url,
        request_token_url=f"{provider.url}/initiate",
        access_token_url=f"{provider.url}/token",
        authorization_url=f"{provider.url}/authorize",
        authorized_url="/ready",
        redirect_url="/end",
        session_class=session_class,
    )
    app.register_blueprint(blueprint)
    errors: list[str] = []

    def report(sender: object, message: str, response: object = None) -> None:
        errors.append(message)

    oauth_error.connect(report, blueprint)
    browser = app.test_client()
    asked = browser.get("/photos", base_url=READY.removesuffix("/ready"))
    approved = jane.decide(httpx2.URL(asked.headers["Location"]).params["oauth_token"])
    back = httpx2.URL(approved.headers["Location"])
    browser.get(back.raw_path.decode(), base_url=READY.removesuffix("/ready"))
    with browser.session_transaction(base_url=READY) as session:
        return session.get("photos_oauth_token"), errors


def test_flask_dance(provider: Photos, jane: Jane) -> None:
    """Flask-Dance gets a token once its session keeps the temporary secret."""
    token, errors = flask_dance(provider, jane, RememberingSession)
    assert (set(token), errors) == ({"oauth_token", "oauth_token_secret"}, [])


def test_flask_dance_forgets_the_temporary_secret(provider: Photos, jane: Jane) -> None:
    """As released, Flask-Dance signs the exchange without the temporary secret, which is refused."""
    token, errors = flask_dance(provider, jane, OAuth1Session)
    assert token is None
    assert len(errors) == 1
    assert "401" in errors[0], errors
