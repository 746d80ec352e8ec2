"""Routes that accept a bearer token beside OAuth 1.0: ``OAuth1Middleware(..., query_bearer=look_up)``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from async_oauth1 import Policy, ResourceProtector
from async_oauth1.asgi import OAuth1Middleware, current_client, current_credential
from tests.asgi.test_cors import make_store
from tests.attacks.provider import JANE
from tests.attacks.signer import FORM, Message, sign
from tests.attacks.wire import Answer, call

HOST = (b"host", b"provider.example")


@dataclass
class Principal:
    """What a bearer token is looked up to."""

    user_id: str
    scope: str = "photos.read"


class LookUp:
    """Knows one token, and keeps the tokens that it was asked for."""

    def __init__(self, principal: object = None) -> None:
        """Start without any."""
        self.asked: list[str] = []
        self.principal = principal or Principal("jane")

    async def __call__(self, token: str) -> object | None:
        """Look a token up."""
        self.asked.append(token)
        return self.principal if token == "good" else None


async def tell(request: Request) -> JSONResponse:
    """How the request is authenticated."""
    verified = request.scope["async_oauth1.verified"]
    user = request.user
    return JSONResponse(
        {
            "scheme": verified.scheme,
            "principal": repr(verified.principal),
            "current": repr(current_credential),
            "client": bool(current_client),
            "identity": user.identity,
            "scopes": request.auth.scopes,
            "protection": verified.body_protection,
            "form": dict(await request.form()),
        }
    )


async def make_app(look_up: Any, policy: Policy | None = None, **options: Any) -> Any:
    """An application that accepts both."""
    protector = ResourceProtector(policy)
    protector.register_hooks(await make_store())
    routes = [Route("/photos", tell, methods=["GET", "POST"])]
    return OAuth1Middleware(Starlette(routes=routes), protector, ["/"], users=True, query_bearer=look_up, **options)


def bearer(
    token: bytes = b"Bearer good", method: str = "GET", target: bytes = b"/photos", body: bytes = b""
) -> Message:
    """A request with a bearer token."""
    headers = [HOST, (b"authorization", token)]
    if body:
        headers += [(b"content-type", FORM), (b"content-length", b"%d" % len(body))]
    return Message(method=method, target=target, headers=tuple(headers), body=body)


def challenges(answer: Answer) -> list[str]:
    """The values of WWW-Authenticate."""
    return [value for name, value in answer.headers if name == "www-authenticate"]


async def test_a_bearer_token() -> None:
    """The view learns the scheme and the principal, which is also the current credential; there is no client."""
    principal = Principal("jane", "photos.read photos.write")
    answer = await call(await make_app(LookUp(principal)), bearer())
    assert answer.json == {
        "scheme": "bearer",
        "principal": repr(principal),
        "current": repr(principal),
        "client": False,
        "identity": "jane",
        "scopes": ["authenticated", "photos.read", "photos.write"],
        "protection": "none",
        "form": {},
    }


async def test_a_signed_request() -> None:
    """OAuth 1.0 is accepted as before, without asking the look-up."""
    look_up = LookUp()
    answer = await call(await make_app(look_up), sign(JANE, "GET", "/photos"))
    assert (answer.json["scheme"], answer.json["identity"], answer.json["client"]) == ("oauth", "jane", True)
    assert look_up.asked == []


async def test_a_form_is_handed_on() -> None:
    """The application gets the form of a request with a bearer token; nothing of it is signed."""
    answer = await call(await make_app(LookUp()), bearer(method="POST", body=b"a=1&b=2"))
    assert (answer.json["form"], answer.json["protection"]) == ({"a": "1", "b": "2"}, "none")


@pytest.mark.parametrize("look_up", [lambda token: {"sub": "jane", "scope": "photos.read"}, lambda token: "jane"])
async def test_any_principal(look_up: Callable[[str], Any]) -> None:
    """A look-up may be a plain function, and return a mapping or a string."""
    assert (await call(await make_app(look_up), bearer())).json["identity"] == "jane"


@pytest.mark.parametrize("value", [b"Bearer bad", b"bearer bad", b"Bearer", b"Bearer \xe9", b"Bearer a b", b"BEARER ="])
async def test_a_bad_token_is_401_for_both_schemes(value: bytes) -> None:
    """RFC 6750 section 3: the code ``invalid_token``, and a challenge for each scheme."""
    app = await make_app(LookUp(), Policy(realm='the "photos"'))
    answer = await call(app, bearer(value))
    assert (answer.status, answer.json["error"]) == (401, "invalid_token")
    assert challenges(answer) == [
        r'OAuth realm="the \"photos\""',
        r'Bearer realm="the \"photos\"", error="invalid_token"',
    ]
    assert answer.header("cache-control") == "no-store"


async def test_without_credentials_both_schemes_are_offered() -> None:
    """The challenge for Bearer has no code then, and a wrong signature gets both challenges, too."""
    app = await make_app(LookUp())
    unsigned = Message(method="GET", target=b"/photos", headers=(HOST,))
    for message in (unsigned, sign(JANE, "GET", "/photos", signature=b"x")):
        answer = await call(app, message)
        assert (answer.status, challenges(answer)) == (401, ['OAuth realm=""', 'Bearer realm=""'])


SIGNED = sign(JANE, "GET", "/photos?a=1", place="query")
FORM_SIGNED = sign(JANE, "POST", "/photos", body=b"a=1", place="body")


@pytest.mark.parametrize(
    "message",
    [
        sign(JANE, "GET", "/photos").adding((b"authorization", b"Bearer good")),
        bearer(target=SIGNED.target),
        bearer(method="POST", body=FORM_SIGNED.body),
    ],
    ids=["two headers", "query", "form"],
)
async def test_both_in_one_request_are_400(message: Message) -> None:
    """A request says one way how it is authenticated."""
    look_up = LookUp()
    answer = await call(await make_app(look_up), message)
    assert (answer.status, answer.json["error"]) == (400, "invalid_request")
    assert look_up.asked == []


@pytest.mark.parametrize(
    "message",
    [
        Message(method="GET", target=b"/photos?access_token=good", headers=(HOST,)),
        bearer(b"Basic good", "POST", body=b"access_token=good"),
    ],
    ids=["query", "form"],
)
async def test_a_token_elsewhere_is_not_accepted(message: Message) -> None:
    """RFC 6750 sections 2.2 and 2.3 allow other places, which end up in logs."""
    look_up = LookUp()
    assert (await call(await make_app(look_up), message)).status == 401
    assert look_up.asked == []


async def test_false_is_not_a_principal() -> None:
    """A look-up that answers yes or no refuses with ``False``."""
    assert (await call(await make_app(lambda token: False), bearer())).status == 401


async def test_a_look_up_that_is_down_is_503() -> None:
    """As for any hook; nothing is accepted, and the client may retry."""

    def look_up(token: str) -> object:
        raise ConnectionRefusedError(token)

    answer = await call(await make_app(look_up), bearer())
    assert (answer.status, answer.header("retry-after")) == (503, "1")
    assert "good" not in answer.body.decode()


@pytest.mark.parametrize("principal", [Principal("jane", ""), {"sub": "jane", "scopes": ["x"]}, object()])
async def test_a_missing_scope_is_403(principal: object) -> None:
    """A principal without the scope is refused, and one that has no scopes at all as well."""
    app = await make_app(LookUp(principal), scope="photos.read")
    answer = await call(app, bearer())
    assert answer.status == 403
    assert challenges(answer) == ['Bearer realm="", error="insufficient_scope", scope="photos.read"']


async def test_plain_http_is_refused() -> None:
    """A bearer token must not be sent without TLS (RFC 6750 section 5.2): the policy counts for it, too."""
    look_up = LookUp()
    answer = await call(await make_app(look_up), bearer(), scheme="http")
    assert answer.json["error"] == "insecure_transport"
    assert look_up.asked == []


async def test_without_a_look_up_bearer_is_not_accepted() -> None:
    """As before: the request is not signed."""
    answer = await call(await make_app(None), bearer())
    assert (answer.json["error"], challenges(answer)) == ("unsigned_request", ['OAuth realm=""'])


async def test_an_inner_layer_decides_for_itself() -> None:
    """A bearer token that an outer layer accepts opens no inner layer that takes none, or looks tokens up elsewhere."""
    protector = ResourceProtector()
    protector.register_hooks(await make_store())
    inner_only, shared = LookUp(), LookUp()

    def none(token: str) -> None:
        return None

    app = Starlette(routes=[Route("/photos", lambda request: JSONResponse({}))])

    async def status(inner: Any, scope: str | None = None) -> int:
        layers = OAuth1Middleware(app, protector, ["/"], query_bearer=inner, scope=scope)
        outer = OAuth1Middleware(layers, protector, ["/"], query_bearer=shared)
        assert (await call(outer, sign(JANE, "GET", "/photos"))).status == (403 if scope else 200)
        return (await call(outer, bearer())).status

    assert await status(None) == 401
    assert await status(none) == 401
    assert await status(inner_only) == 200
    asked = len(shared.asked)
    assert await status(shared) == 200
    assert len(shared.asked) == asked + 1
    assert await status(shared, scope="photos.read") == 200
    assert await status(shared, scope="photos.write") == 403
