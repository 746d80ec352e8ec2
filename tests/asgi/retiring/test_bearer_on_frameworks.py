"""FastAPI's dependencies and Litestar's security backend accept a bearer token beside OAuth 1.0."""

from __future__ import annotations

from typing import Any

import pytest

from async_oauth1.fastapi import OAuth1HTTPError
from tests.attacks.provider import JANE
from tests.attacks.signer import Message, sign
from tests.attacks.wire import call

from .frameworks import fastapi, litestar, own_answer, reporting
from .test_bearer_or_oauth import HOST, LookUp, Principal, bearer, challenges

EVERYWHERE = pytest.mark.parametrize("make", [fastapi, litestar])


@EVERYWHERE
async def test_the_handler_learns_the_scheme(make: Any) -> None:
    """The principal takes the place of the token credential, and is the current one; there is no client."""
    app = await make(None)
    assert (await call(app, bearer())).json == {
        "scheme": "bearer",
        "principal": "Principal",
        "current": "Principal",
        "client": False,
        "user": "jane" if make is litestar else None,
    }
    answer = (await call(app, sign(JANE, "GET", "/photos"))).json
    assert (answer["scheme"], answer["principal"], answer["client"]) == ("oauth", "TokenCredential", True)


@EVERYWHERE
async def test_a_refusal_offers_both_schemes(make: Any) -> None:
    """Each scheme has a challenge of its own; a look-up is asked for bearer tokens alone."""
    look_up = LookUp()
    app = await make(None, look_up)
    unsigned = Message(method="GET", target=b"/photos", headers=(HOST,))
    for message in (unsigned, sign(JANE, "GET", "/photos", signature=b"x")):
        answer = await call(app, message)
        assert (answer.status, challenges(answer)) == (401, ['OAuth realm=""', 'Bearer realm=""'])
    assert look_up.asked == []
    answer = await call(app, bearer(b"Bearer bad"))
    assert (answer.status, challenges(answer)[1]) == (401, 'Bearer realm="", error="invalid_token"')


@EVERYWHERE
async def test_scopes_of_the_principal(make: Any) -> None:
    """What a route demands is checked for both schemes."""
    app = await make(None)
    assert (await call(app, bearer(target=b"/scoped"))).status == 200
    assert (await call(app, sign(JANE, "GET", "/scoped"))).status == 403
    answer = await call(await make(None, LookUp(Principal("jane", ""))), bearer(target=b"/scoped"))
    assert answer.status == 403
    assert challenges(answer) == ['Bearer realm="", error="insufficient_scope", scope="photos.read"']


@EVERYWHERE
async def test_both_in_one_request_are_400(make: Any) -> None:
    """A request says one way how it is authenticated."""
    look_up = LookUp()
    message = sign(JANE, "GET", "/photos").adding((b"authorization", b"Bearer good"))
    assert (await call(await make(None, look_up), message)).status == 400
    assert look_up.asked == []


@EVERYWHERE
async def test_problems_are_reported(make: Any) -> None:
    """The body and the challenge for OAuth have the problem, and Bearer is offered all the same."""
    app = await make(None, policy=reporting())
    answer = await call(app, sign(JANE, "GET", "/scoped", signature=b"x"))
    assert answer.json["oauth_problem"] == "signature_invalid"
    assert challenges(answer) == ['OAuth realm="", oauth_problem="signature_invalid"', 'Bearer realm=""']


async def test_the_other_dependencies_of_fastapi() -> None:
    """`optional` returns the principal, and `client` takes no bearer token, since it has no client."""
    app = await fastapi(None)
    assert (await call(app, bearer(target=b"/optional"))).json == {"principal": "Principal"}
    assert (await call(app, bearer(b"Bearer bad", target=b"/optional"))).status == 401
    answer = await call(app, bearer(target=b"/client"))
    assert (answer.status, challenges(answer)) == (401, ['OAuth realm=""'])


async def test_the_headers_of_fastapis_exception() -> None:
    """A handler of the application's own finds all challenges in ``headers``, which has each name once."""
    app, found = await fastapi(None), []

    def answer(_: Any, error: Any) -> Any:
        found.append(error.headers["WWW-Authenticate"])
        return own_answer()

    app.add_exception_handler(OAuth1HTTPError, answer)
    await call(app, bearer(b"Bearer bad"))
    assert found == ['OAuth realm="", Bearer realm="", error="invalid_token"']


async def test_litestars_function_for_users() -> None:
    """It gets the principal; if it knows no user, the token is refused, and both schemes are offered."""
    asked: list[object] = []

    def retrieve(credential: object, _: Any) -> object | None:
        asked.append(credential)
        return None

    answer = await call(await litestar(None, user=retrieve), bearer())
    assert isinstance(asked[0], Principal)
    assert (answer.status, answer.json["error"]) == (401, "invalid_token")
    assert challenges(answer) == ['OAuth realm=""', 'Bearer realm="", error="invalid_token"']
