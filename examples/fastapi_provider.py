"""A provider on FastAPI in about thirty lines, with its consent step: ``uvicorn examples.fastapi_provider:app``."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import FastAPI, Request, Response, Security

from async_oauth1 import AuthorizationServer, ResourceProtector, TokenCredential
from async_oauth1.fastapi import OAuth1, authorization_endpoints, read_request
from async_oauth1.stores import open_store

store = open_store("sqlite:///provider.db")
server, protector = AuthorizationServer(), ResourceProtector()
server.register_hooks(store)
protector.register_hooks(store)
oauth1 = OAuth1(protector)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    await store.migrate()
    async with store:
        yield


app = FastAPI(lifespan=lifespan)
oauth1.install(app)
app.mount("/oauth", authorization_endpoints(server))


@app.get("/authorize")
async def ask(request: Request) -> str:
    asked = await server.check_authorization_request(await read_request(request, server.policy))
    return f"Let {asked.client.client_id} see your photos? POST to this address to approve."


@app.post("/authorize")
async def approve(request: Request) -> Response:
    user = "jane"  # yours to find out: examples/photos has sign-in, consent page and CSRF token
    consent = await read_request(request, server.policy)
    answer = await server.create_authorization_response(consent, user, scope="photos.read")
    return Response(answer.body, answer.status_code, headers=dict(answer.headers))


@app.get("/photos")
async def photos(token: Annotated[TokenCredential, Security(oauth1, scopes=["photos.read"])], file: str = "") -> object:
    return {"owner": token.user_id, "file": file}
