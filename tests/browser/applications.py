"""The other side of the story: applications that ask Jane, and the address to which her browser comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import requests
from requests_oauthlib import OAuth1Session

from tests.examples.running import Photos, add_client

PRINTED = "/photos?file=vacation.jpg&size=original"
#: The callback of an app on her device, and what stands for none.
APP, OUT_OF_BAND = "com.example.printer:/ready", "oob"
LANDING_PAGE = b'<!doctype html><link rel="icon" href="data:,"><title>Landed</title><h1>Back in the application</h1>'


class _Landing(BaseHTTPRequestHandler):
    """``/ready`` is a page; ``/moved`` is one that has moved to another origin."""

    server: ThreadingHTTPServer

    def do_GET(self) -> None:
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
            self.wfile.write(LANDING_PAGE)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing."""


@contextmanager
def landing_server() -> Iterator[str]:
    """An application's own web server; its URL."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Landing) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class Application:
    """A client that was registered by command, and speaks through requests-oauthlib.

    Attributes:
        name: what Jane knows it by.
        callback: where she usually comes back to.
    """

    def __init__(self, photos: Photos, landing: str, name: str) -> None:
        """Register it, with every kind of callback."""
        self.name, self.callback = name, f"{landing}/ready"
        self._url, self._landing = photos.url, landing
        options = [f"--callback={callback}" for callback in (self.callback, f"{landing}/moved", APP, OUT_OF_BAND)]
        given = add_client(photos.store, *options, name=name)
        self._keys = given["client_id"], given["client_secret"]
        self._session = OAuth1Session(*self._keys)

    def close(self) -> None:
        """Hang up."""
        self._session.close()

    def ask(self, callback: str = "/ready") -> str:
        """Start anew, with temporary credentials; the address to which Jane is sent.

        Args:
            callback: a path of the landing server, `APP` or `OUT_OF_BAND`.
        """
        self.close()
        callback_uri = self._landing + callback if callback.startswith("/") else callback
        self._session = OAuth1Session(*self._keys, callback_uri=callback_uri)
        self._session.fetch_request_token(f"{self._url}/initiate")
        address: str = self._session.authorization_url(f"{self._url}/authorize")
        return address

    def leave_session(self) -> Callable[[], int]:
        """Forget the token credentials; what asks for the photo with them nevertheless, and returns the status."""
        session = OAuth1Session(
            *self._keys, self._session.token["oauth_token"], self._session.token["oauth_token_secret"]
        )

        def ask_for_photo() -> int:
            with session:
                return int(session.get(self._url + PRINTED).status_code)

        return ask_for_photo

    @property
    def oauth_token(self) -> str:
        """The token that it has at the moment."""
        token: str = self._session.token["oauth_token"]
        return token

    def finish(self, landed_on: str) -> None:
        """Exchange what came along to the callback for token credentials."""
        self._session.parse_authorization_response(landed_on)
        self._session.fetch_access_token(f"{self._url}/token")

    def finish_with_code(self, code: str) -> None:
        """Exchange the code that Jane has typed."""
        self._session.fetch_access_token(f"{self._url}/token", verifier=code)

    def photo(self) -> requests.Response:
        """Ask for the photo of the story."""
        answer: requests.Response = self._session.get(self._url + PRINTED)
        return answer


#: Registers an application by its name, once.
Register = Callable[[str], Application]
