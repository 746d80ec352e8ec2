"""Jane's browser, and a client that signs with oauthlib."""

from __future__ import annotations

import re
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx2
from oauthlib.oauth1 import Client as Signer

PRINTER = ("dpf43f3p2l4k3l03", "kd94hf93k423kf44")
READY = "http://printer.example.com/ready"
_CSRF_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


class Jane:
    """A browser with cookies that does not follow redirects."""

    def __init__(self, url: str) -> None:
        """Open a browser without cookies."""
        self.http = httpx2.Client(base_url=url, follow_redirects=False, timeout=60)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.http.close()

    def get(self, path: str) -> httpx2.Response:
        """Open a page."""
        return self.http.get(path)

    def csrf_token(self, path: str = "/login") -> str:
        """The CSRF token in a page's form."""
        found = _CSRF_TOKEN.search(self.get(path).text)
        assert found
        return found[1]

    def post(self, path: str, page: str | None = None, **fields: str) -> httpx2.Response:
        """Send a form with the CSRF token of its page, or of the sign-in page."""
        token = fields.pop("csrf_token", None) or self.csrf_token(page or "/login")
        return self.http.post(path, data={"csrf_token": token, **fields})

    def sign_in(self, password: str = "wonderland", username: str = "jane", **more: str) -> httpx2.Response:
        """Fill in the sign-in form."""
        return self.post("/login", username=username, password=password, **more)

    def decide(self, oauth_token: str, decision: str = "approve", **more: str) -> httpx2.Response:
        """Fill in the consent form."""
        return self.post("/authorize", oauth_token=oauth_token, decision=decision, **more)

    @property
    def cookie(self) -> str:
        """The session's cookie."""
        return self.http.cookies["photos_session"]


class Printer:
    """A client of the provider."""

    def __init__(self, url: str, client_id: str = PRINTER[0], client_secret: str = PRINTER[1]) -> None:
        """Remember the provider's URL and the credentials."""
        self.url, self.client_id, self.client_secret = url, client_id, client_secret
        self.token: tuple[str, str] | None = None

    def signer(self, token: tuple[str, str] | None = None, **more: str) -> Signer:
        """The signer for the next request."""
        key, secret = token or (None, None)
        return Signer(self.client_id, self.client_secret, resource_owner_key=key, resource_owner_secret=secret, **more)

    def signed(
        self, method: str, path: str, body: str | None = None, *, token: tuple[str, str] | None = None, **more: str
    ) -> tuple[str, dict[str, str], str | None]:
        """A signed request: URL, headers, body."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if body is not None else {}
        signed: tuple[str, dict[str, str], str | None] = self.signer(token, **more).sign(
            self.url + path, method, body=body, headers=headers
        )
        return signed

    def send(
        self, method: str, path: str, body: str | None = None, *, token: tuple[str, str] | None = None, **more: str
    ) -> httpx2.Response:
        """Send one signed request."""
        url, headers, content = self.signed(method, path, body, token=token, **more)
        return httpx2.request(method, url, headers=headers, content=content, timeout=60)

    def initiate(self, callback: str = READY) -> tuple[str, str]:
        """Get temporary credentials."""
        return self._credentials(self.send("POST", "/initiate", callback_uri=callback))

    def exchange(self, temporary: tuple[str, str], verifier: str) -> tuple[str, str]:
        """Get token credentials, and keep them for the next requests."""
        self.token = self._credentials(self.send("POST", "/token", token=temporary, verifier=verifier))
        return self.token

    def let_in_by(self, jane: Jane) -> tuple[str, str]:
        """Run the whole flow, in which she approves."""
        temporary = self.initiate()
        return self.exchange(temporary, verifier_in(jane.decide(temporary[0])))

    def photo(self) -> httpx2.Response:
        """Request the photo."""
        return self.send("GET", "/photos?file=vacation.jpg&size=original", token=self.token)

    @staticmethod
    def _credentials(answer: httpx2.Response) -> tuple[str, str]:
        assert answer.status_code == 200, answer.text
        given = dict(parse_qsl(answer.text, strict_parsing=True))
        return given["oauth_token"], given["oauth_token_secret"]


def verifier_in(answer: httpx2.Response) -> str:
    """The verifier in a redirect to a callback."""
    assert answer.status_code == 302, answer.text
    return parse_qs(urlsplit(answer.headers["Location"]).query)["oauth_verifier"][0]
