"""A complete provider on Starlette: `uvicorn examples.starlette_provider:app`.

Register a client first: ``async-oauth1 client add --store sqlite:///provider.db --name Printer --callback URL``.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html import escape

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route

from async_oauth1 import AuthorizationServer, OAuth1Error, ResourceProtector
from async_oauth1.starlette import authorization_endpoints, check_hooks, protected, read_request
from async_oauth1.stores import open_store

store = open_store(os.environ.get("PROVIDER_STORE", "sqlite:///provider.db"))
server, protector = AuthorizationServer(), ResourceProtector()
server.register_hooks(store)
protector.register_hooks(store)


async def ask(request: Request) -> Response:
    """Ask the user, who is signed in to your own site; a real page has a CSRF token, too."""
    asked = await server.check_authorization_request(await read_request(request, server.policy))
    token, client = escape(asked.oauth_params["oauth_token"]), escape(asked.client.client_id)
    return HTMLResponse(f"""<form method="post"><input type="hidden" name="oauth_token" value="{token}">
        <button name="approve" value="yes">Let {client} see my photos</button> <button>No</button></form>""")


async def decide(request: Request) -> Response:
    """Send the user back to the client, or show the code of a client without a callback."""
    read = await read_request(request, server.policy)
    approves = (await request.form()).get("approve") == "yes"
    decision = await server.authorize(read, grant_user="jane" if approves else None)  # yours to find out
    if decision.location is None:
        return PlainTextResponse(decision.verifier or "The request was denied.", headers={"Cache-Control": "no-store"})
    return RedirectResponse(decision.location, 303, headers={"Referrer-Policy": "no-referrer"})


@protected(protector)
async def photos(request: Request) -> Response:
    """Only the client of a user who has approved it gets here."""
    return JSONResponse({"owner": request.user.identity, "file": request.query_params.get("file")})


async def refuse(_: Request, error: Exception) -> Response:
    """Answer an error of the consent page."""
    known = error if isinstance(error, OAuth1Error) else OAuth1Error()
    return JSONResponse({"error": known.error}, known.status_code)


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[None]:
    """Open the store as long as the application runs."""
    await store.migrate()
    check_hooks(server, protector)
    async with store:
        yield


app = Starlette(
    lifespan=lifespan,
    exception_handlers={OAuth1Error: refuse},
    routes=[
        Mount("/oauth", authorization_endpoints(server)),
        Route("/authorize", ask),
        Route("/authorize", decide, methods=["POST"]),
        Route("/photos", photos),
    ],
)
