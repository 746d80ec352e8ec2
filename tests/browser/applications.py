"""Client applications, and the web server to which the browser returns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

import requests
from requests_oauthlib import OAuth1Session

from tests.examples.running import Photos, add_client

PRINTED = "/photos?file=vacation.jpg&size=original"
#: The callback of an app on the device, and the one for a code.
APP, OUT_OF_BAND = "com.example.printer:/ready", "oob"
LANDING_PAGE = b'<!doctype html><link rel="icon" href="data:,"><title>Landed</title><h1>Back in the application</h1>'


class _Landing(BaseHTTPRequestHandler):
    """``/ready`` is a page; ``/moved`` is one that has moved to another origin."""

    server: ThreadingHTTPServer
    #: Seconds before an answer.
    delay = 0.0

    def do_GET(self) -> None:
        Event().wait(self.delay)
        path, _, query = self.path.partition("?")
        if path == "/moved":
            self.send_response(302)
            self.send_header("Location", f"http://localhost:{self.server.server_port}/ready?{query}")
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(LANDING_PAGE)))
            self.end_headers()
            with suppress(ConnectionError):  # the browser has gone elsewhere
                self.wfile.write(LANDING_PAGE)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the name is the base class's
        """Log nothing."""


class _SlowLanding(_Landing):
    """As slow as an application that exchanges the verifier first."""

    delay = 2.0


@contextmanager
def landing_server(*, is_slow: bool = False) -> Iterator[str]:
    """An application's web server; yields its URL."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _SlowLanding if is_slow else _Landing) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class Application:
    """A registered client that uses requests-oauthlib.

    Attributes:
        name: what Jane knows it by.
        callback: where she usually comes back to.
    """

    def __init__(self, photos: Photos, landing: str, name: str) -> None:
        """Register the client, with every kind of callback."""
        self.name, self.callback = name, f"{landing}/ready"
        self._url, self._landing = photos.url, landing
        options = [f"--callback={callback}" for callback in (self.callback, f"{landing}/moved", APP, OUT_OF_BAND)]
        given = add_client(photos.store, *options, name=name)
        self._keys = given["client_id"], given["client_secret"]
        self._session = OAuth1Session(*self._keys)

    def close(self) -> None:
        """Close the session."""
        self._session.close()

    def ask(self, callback: str = "/ready", scope: str = "") -> str:
        """Get temporary credentials; returns the URL of the consent page.

        Args:
            callback: a path of the landing server, `APP` or `OUT_OF_BAND`.
            scope: what it asks for.
        """
        self.close()
        callback_uri = self._landing + callback if callback.startswith("/") else callback
        self._session = OAuth1Session(*self._keys, callback_uri=callback_uri)
        self._session.fetch_request_token(f"{self._url}/initiate" + (f"?scope={scope}" if scope else ""))
        address: str = self._session.authorization_url(f"{self._url}/authorize")
        return address

    def leave_session(self) -> Callable[[], int]:
        """Forget the token credentials; returns a function that requests the photo with them."""
        session = OAuth1Session(
            *self._keys, self._session.token["oauth_token"], self._session.token["oauth_token_secret"]
        )

        def ask_for_photo() -> int:
            with session:
                return int(session.get(self._url + PRINTED).status_code)

        return ask_for_photo

    @property
    def oauth_token(self) -> str:
        """The current token."""
        token: str = self._session.token["oauth_token"]
        return token

    def finish(self, landed_on: str) -> None:
        """Exchange the verifier in a callback's URL for token credentials."""
        self._session.parse_authorization_response(landed_on)
        self._session.fetch_access_token(f"{self._url}/token")

    def finish_with_code(self, code: str) -> None:
        """Exchange a code for token credentials."""
        self._session.fetch_access_token(f"{self._url}/token", verifier=code)

    def albums(self) -> int:
        """Request the albums, which need a scope; returns the status."""
        return int(self._session.get(f"{self._url}/albums").status_code)

    def photo(self) -> requests.Response:
        """Request the photo."""
        answer: requests.Response = self._session.get(self._url + PRINTED)
        return answer


#: Registers an application with a name, once.
Register = Callable[[str], Application]
