"""What holds for every framework under every server."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from tests.attacks.provider import CLIENT, JANE
from tests.attacks.signer import Message, body_hash
from tests.frameworks.site import Site

__all__ = ["SCENARIOS"]

#: A token for a second scope.
WIDE = replace(JANE, token="wide")
BODY = bytes(range(256)) * 200
JSON = json.dumps({"title": "Größe", "tags": ["a", "b"]}).encode()

Scenario = Callable[[Site], Awaitable[None]]
#: All of them, by name.
SCENARIOS: dict[str, Scenario] = {}


def scenario(name: str) -> Callable[[Scenario], Scenario]:
    """Add a scenario to the list."""

    def add(function: Scenario) -> Scenario:
        SCENARIOS[name] = function
        return function

    return add


async def is_refused(site: Site, message: Message, status: int = 401, error: str | None = None) -> None:
    """The answer is the same as on Quart, and no handler is called."""
    before = await site.calls()
    answer = await site.send(message)
    assert answer.status == status, answer
    assert answer.header("content-type") == "application/json"
    assert answer.header("cache-control") == "no-store"
    assert (answer.header("www-authenticate") == 'OAuth realm=""') is (status == 401)
    assert set(answer.json) == {"error", "error_description"}
    assert error in (None, answer.error), answer
    assert await site.calls() == before


@scenario("accept")
async def accept(site: Site) -> None:
    """The handler, its helpers and threads know the client and the user."""
    for path in ("/photos", "/thread"):
        answer = await site.send(site.signed(JANE, "GET", f"{path}?size=large&size=%7Esmall&a=%C3%BC+b"))
        query = [["size", "large"], ["size", "~small"], ["a", "ü b"]]
        assert answer.status == 200, answer
        assert answer.json == {"client": "client", "user": "jane", "query": query}


@scenario("refuse")
async def refuse(site: Site) -> None:
    """What is unsigned, forged or changed is refused before the handler runs."""
    await is_refused(site, site.unsigned("GET", "/photos"), error="unsigned_request")
    await is_refused(site, site.unsigned("PUT", "/json", JSON))
    await is_refused(site, site.signed(JANE, "GET", "/photos", signature=b"x"), error="invalid_signature")
    await is_refused(site, site.signed(JANE, "GET", "/photos?a=2", signed_target="/photos?a=1"))
    await is_refused(site, site.signed(JANE, "GET", "/photos", signed_origin="http://other.example"))
    await is_refused(site, site.signed(replace(JANE, token="no"), "GET", "/photos"), error="invalid_signature")


@scenario("replay")
async def replay(site: Site) -> None:
    """A request is accepted once."""
    message = site.signed(JANE, "GET", "/photos")
    assert (await site.send(message)).status == 200
    await is_refused(site, message, error="invalid_nonce")


@scenario("scope")
async def scope(site: Site) -> None:
    """A token must cover the scope."""
    assert (await site.send(site.signed(WIDE, "GET", "/albums"))).json["user"] == "jane"
    await is_refused(site, site.signed(JANE, "GET", "/albums"), 403, "insufficient_scope")


@scenario("two-legged")
async def two_legged(site: Site) -> None:
    """A client without a token is accepted where that is said, and nowhere else."""
    assert (await site.send(site.signed(CLIENT, "GET", "/signed"))).json == {
        "client": "client", "user": None, "query": []
    }  # fmt: skip
    assert (await site.send(site.signed(JANE, "GET", "/signed"))).json["user"] == "jane"
    await is_refused(site, site.signed(CLIENT, "GET", "/photos"), 400, "missing_required_parameter")


@scenario("form")
async def form(site: Site) -> None:
    """The framework reads the form that was signed, wherever the signature is."""
    body = b"title=Gr%C3%B6%C3%9Fe&tag=a+b&tag=c&empty="
    expected = [["title", "Größe"], ["tag", "a b"], ["tag", "c"], ["empty", ""]]
    answer = await site.send(site.signed(JANE, "POST", "/form", body=body))
    assert answer.json == expected
    answer = await site.send(site.signed(JANE, "POST", "/form", body=body, place="body"))
    assert answer.json[:4] == expected
    await is_refused(site, site.signed(JANE, "POST", "/form", body=body, signed_body=b"title=a"))
    await is_refused(site, site.unsigned("POST", "/form", body))


def hashed(site: Site, target: str, body: bytes, claimed: bytes | None = None, **how: Any) -> Message:
    """A PUT with a hash, by default of this body."""
    oauth = {"body_hash": body_hash(body if claimed is None else claimed), **how}
    return site.signed(JANE, "PUT", target, body=body, content_type=b"application/json", oauth=oauth)


@scenario("JSON with a body hash")
async def read_json(site: Site) -> None:
    """The framework reads the JSON that was hashed, and a wrong hash burns no nonce."""
    assert (await site.send(hashed(site, "/json", JSON))).json == json.loads(JSON)
    good = hashed(site, "/json", JSON)
    await is_refused(site, replace(good, body=JSON.replace(b"a", b"x")))
    assert (await site.send(good)).status == 200
    await is_refused(site, good, error="invalid_nonce")


@scenario("streaming")
async def stream(site: Site) -> None:
    """A body that is hashed before the call arrives whole, and a wrong one does not arrive."""
    expected = {"length": len(BODY), "sha256": hashlib.sha256(BODY).hexdigest()}
    assert (await site.send(hashed(site, "/stream", BODY))).json == expected
    await is_refused(site, hashed(site, "/stream", BODY, b"another"))


@scenario("early delivery")
async def early(site: Site) -> None:
    """A body that is hashed during the call arrives whole, and the end of a wrong one is withheld."""
    expected = {"length": len(BODY), "sha256": hashlib.sha256(BODY).hexdigest()}
    assert (await site.send(hashed(site, "/early", BODY))).json == expected
    answer = await site.send(hashed(site, "/early", BODY, b"another"))
    assert (answer.status, answer.error) == (401, "invalid_signature"), answer
    await is_refused(site, site.unsigned("PUT", "/early", JSON))


@scenario("WebSocket")
async def websocket(site: Site) -> None:
    """The handshake is verified as a GET, over http or ws, and a refusal is the 401 of any request."""
    for origin in (site.origin, site.origin.replace("http", "ws")):
        message = site.signed(JANE, "GET", "/socket?a=b", signed_origin=origin)
        expected = {"client": "client", "user": "jane", "query": [["a", "b"]]}
        assert await site.connect(message) == (101, expected)
        status, body = await site.connect(message)
        assert (status, body["error"]) == (401, "invalid_nonce")
    for message in (site.unsigned("GET", "/socket"), site.signed(JANE, "GET", "/socket", signature=b"x")):
        status, body = await site.connect(message)
        assert (status, set(body)) == (401, {"error", "error_description"})


@scenario("prefix")
async def prefix(site: Site) -> None:
    """In a mounted application, the whole path is signed."""
    assert (await site.send(site.signed(JANE, "GET", "/mounted/photos"))).json["user"] == "jane"
    await is_refused(site, site.signed(JANE, "GET", "/mounted/photos", signed_target="/photos"))
    await is_refused(site, site.unsigned("GET", "/mounted/photos"))


@scenario("HEAD and OPTIONS")
async def other_methods(site: Site) -> None:
    """They want a signature of their own."""
    for method in ("HEAD", "OPTIONS"):
        assert (await site.send(site.unsigned(method, "/photos"))).status == 401
        assert (await site.send(site.signed(JANE, method, "/photos", signed_method="GET"))).status == 401
        assert (await site.send(site.signed(JANE, method, "/photos"))).status == 200


@scenario("hooks that fail")
async def failing_hooks(site: Site) -> None:
    """A store that is down is a 503, and a hook that raises is a 500: nothing is open."""
    before = await site.calls()
    answer = await site.send(site.signed(JANE, "GET", "/down"))
    assert (answer.status, answer.error, answer.header("retry-after")) == (503, "temporarily_unavailable", "1")
    assert (await site.send(site.signed(JANE, "GET", "/broken"))).status == 500
    assert (await site.send(site.unsigned("GET", "/broken"))).status == 401
    assert await site.calls() == before


@scenario("client that hangs up")
async def hanging_up(site: Site) -> None:
    """Half a body burns no nonce, and calls nothing."""
    before = await site.calls()
    for target, body in (("/stream", BODY), ("/json", JSON)):
        message = hashed(site, target, body)
        await site.hang_up(message, 10)
        assert await site.calls() == before
        assert (await site.send(message)).status == 200
        before += 1
