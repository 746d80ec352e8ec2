"""`read_request` gives the authorization server's methods the octets, whoever has read the form before."""

# FastAPI cannot evaluate annotations that are strings and name local variables.

from typing import Annotated, Any

import pytest
from fastapi import FastAPI, Form, Request, Response

from async_oauth1 import AuthorizationServer, OAuth1Error, Policy
from async_oauth1.fastapi import read_request
from tests.attacks.provider import CALLBACK, CLIENT
from tests.attacks.signer import sign
from tests.attacks.wire import call
from tests.fastapi.installed import install, make_store, protect


async def make_app(*, installed: bool) -> FastAPI:
    """An application with the endpoint for temporary credentials, with and without parameters from the form."""
    store, app = await make_store(), FastAPI()
    server = AuthorizationServer()
    server.register_hooks(store)
    if installed:
        protect(store).install(app)

    async def answer(request: Request) -> Response:
        oauth1_request = await read_request(request, server.policy)
        status, body, headers = await server.create_temporary_credentials_response(oauth1_request)
        return Response(body, status, dict(headers))

    @app.post("/plain")
    async def plain(request: Request) -> Response:
        response = await answer(request)
        assert [*await request.form()] in ([], ["a"])
        return response

    @app.post("/parsed")
    async def parsed(request: Request, a: Annotated[str, Form()] = "") -> Response:
        return await answer(request)

    return app


@pytest.mark.parametrize(("installed", "target"), [(True, "/plain"), (True, "/parsed"), (False, "/plain")])
async def test_temporary_credentials(installed: bool, target: str) -> None:
    """The octets of the form are verified, and the view may read it before and after."""
    app = await make_app(installed=installed)
    for body in (b"", b"a=%2B+1"):
        message = sign(CLIENT, "POST", target, body=body, oauth={"callback": CALLBACK})
        answer = await call(app, message)
        assert (answer.status, "oauth_token" in answer.form) == (200, True)
        assert (await call(app, message)).status == 401
    forged = sign(CLIENT, "POST", target, body=b"a=1", signed_body=b"a=2", oauth={"callback": CALLBACK})
    assert (await call(app, forged)).status == 401


async def test_a_form_that_is_gone() -> None:
    """Without `install`, a form that FastAPI has read is refused: it is not taken for an empty one."""
    app = await make_app(installed=False)
    forged = sign(CLIENT, "POST", "/parsed", body=b"a=1", signed_body=b"", oauth={"callback": CALLBACK})
    with pytest.raises(OAuth1Error, match="has been read before"):
        await call(app, forged)


async def test_errors_that_a_route_lets_pass() -> None:
    """With `install`, they are answered like any refusal, unless the application has a handler for them."""
    app = await make_app(installed=True)
    forged = sign(CLIENT, "POST", "/plain", body=b"a=1", oauth={"callback": CALLBACK}, headers=[(b"host", b"x")])
    answer = await call(app, forged)
    assert (answer.status, answer.error) == (400, "invalid_request")
    own = FastAPI()
    own.add_exception_handler(OAuth1Error, lambda request, error: Response("own", 418))
    made = await install(app=own)

    @made.app.get("/")
    async def fail() -> None:
        raise OAuth1Error

    assert (await call(own, sign(CLIENT, "GET", "/"))).status == 418


async def test_limits() -> None:
    """A form over the policy's limit is refused."""
    made = await install()
    policy = Policy(max_form_bytes=10)

    @made.app.post("/")
    async def read(request: Request) -> Any:
        try:
            return (await read_request(request, policy)).is_form
        except OAuth1Error as error:
            return error.error

    assert (await call(made.app, sign(CLIENT, "POST", "/", body=b"a=1"))).json is True
    assert (await call(made.app, sign(CLIENT, "POST", "/", body=b"a=1234567890"))).json == "request_too_large"
    assert (await call(made.app, sign(CLIENT, "POST", "/", body=b"{}", content_type=b"application/json"))).json is False
