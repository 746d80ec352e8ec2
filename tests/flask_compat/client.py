"""A client that signs requests and sends them to an application of either framework."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import flask

from async_oauth1.protocol.encoding import canonical_form, escape_text, split_pairs
from async_oauth1.signature import SIGNATURE_METHODS, SigningKeys, signature_base_string

HOST = "http://localhost"
FORM = "application/x-www-form-urlencoded"

_numbers = itertools.count(1)


@dataclass
class Answer:
    status: int
    headers: Any
    body: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body, keep_blank_values=True))

    @property
    def location(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.headers["Location"]).query))


@dataclass
class Client:
    """A client with its credentials."""

    app: Any
    client_id: str = "client"
    secret: str = "secret"
    token: str | None = None
    token_secret: str = ""
    method: str = "HMAC-SHA1"
    rsa_key: str | None = None
    extra: dict[str, str] = field(default_factory=dict)

    def parameters(self, **oauth: str | None) -> dict[str, str]:
        found: dict[str, str | None] = {
            "oauth_consumer_key": self.client_id,
            "oauth_token": self.token,
            "oauth_signature_method": self.method,
            "oauth_timestamp": str(int(time.time())),
            "oauth_nonce": f"nonce-{next(_numbers)}",
            **{f"oauth_{name}": value for name, value in oauth.items()},
        }
        return {name: value for name, value in found.items() if value is not None}

    def sign(self, http_method: str, path: str, parameters: dict[str, str], form: str = "") -> dict[str, str]:
        target, _, query = path.partition("?")
        octets = f"{query}&{form}".strip("&").encode()
        pairs = [(escape_text(name), escape_text(value)) for name, value in parameters.items()]
        pairs += split_pairs(canonical_form(octets, max_parameters=9999))
        base = signature_base_string(http_method, HOST + target, pairs)
        keys = SigningKeys(self.secret, self.token_secret, self.rsa_key)
        return {**parameters, "oauth_signature": SIGNATURE_METHODS[self.method].sign(base, keys)}

    async def send(
        self,
        http_method: str,
        path: str,
        *,
        form: dict[str, str] | str | None = None,
        place: str = "header",
        signed: dict[str, str] | None = None,
        **oauth: str | None,
    ) -> Answer:
        """Sign and send a request; ``signed`` are parameters that were signed before."""
        text = form if isinstance(form, str) else urlencode(form or {})
        parameters = signed or self.sign(http_method, path, self.parameters(**oauth), text)
        headers = {"Content-Type": FORM} if text or place == "form" else {}
        if place == "header":
            headers["Authorization"] = authorization(parameters)
        elif place == "query":
            path += ("&" if "?" in path else "?") + urlencode(parameters)
        else:
            text = "&".join(filter(None, [text, urlencode(parameters)]))
        return await fetch(self.app, http_method, path, text, headers)

    async def dance(self, *, callback: str = "https://client.test/ready") -> Answer:
        """Run the whole flow, and keep the token credentials."""
        initiated = await self.send("POST", "/initiate", callback=callback)
        assert initiated.status == 200, initiated.body
        self.token, self.token_secret = initiated.form["oauth_token"], initiated.form["oauth_token_secret"]
        verifier = (await self.approve()).location["oauth_verifier"]
        answer = await self.send("POST", "/token", verifier=verifier)
        assert answer.status == 200, answer.body
        self.token, self.token_secret = answer.form["oauth_token"], answer.form["oauth_token_secret"]
        return answer

    async def approve(self, *, granted: bool = True) -> Answer:
        """Send the user's decision, in the query and, for views that read forms, in the form."""
        query = f"/authorize?oauth_token={quote(self.token or '')}&granted={'1' if granted else ''}"
        form = {"granted": "1"} if granted else {"denied": "1"}
        return await fetch(self.app, "POST", query, urlencode(form), {"Content-Type": FORM})


def authorization(parameters: dict[str, str]) -> str:
    """The value of the `Authorization` header."""
    return "OAuth " + ", ".join(f'{name}="{escape_text(value)}"' for name, value in parameters.items())


async def fetch(app: Any, method: str, path: str, body: str = "", headers: dict[str, str] | None = None) -> Answer:
    """Send a request to an application of either framework. WSGI calls run in a thread, as in a server."""
    if isinstance(app, flask.Flask):
        response = await asyncio.to_thread(
            lambda: app.test_client().open(path, method=method, data=body.encode(), headers=headers)
        )
        return Answer(response.status_code, response.headers, response.get_data(as_text=True))
    response = await app.test_client().open(path, method=method, data=body.encode(), headers=headers)
    return Answer(response.status_code, response.headers, await response.get_data(as_text=True))
