"""A provider on Litestar in about thirty lines, with its consent step: ``uvicorn examples.litestar_provider:app``."""

from litestar import Litestar, Request, Response, asgi, get, post
from litestar.datastructures import State

from async_oauth1 import AuthorizationServer, Client, ResourceProtector, TokenCredential
from async_oauth1.litestar import OAuth1Auth, OAuth1User, authorization_endpoints, read_request, requires_oauth1
from async_oauth1.stores import open_store

store = open_store("sqlite:///provider.db")
server, protector = AuthorizationServer(), ResourceProtector()
server.register_hooks(store)
protector.register_hooks(store)
oauth1 = OAuth1Auth(protector, exclude=["/oauth", "/authorize", "/schema"])
SignedRequest = Request[OAuth1User[Client, TokenCredential], TokenCredential, State]


@get("/authorize")
async def ask(request: Request[None, None, State]) -> str:
    """Ask the user."""
    asked = await server.check_authorization_request(await read_request(request, server.policy))
    return f"Let {asked.client.client_id} see your photos? POST to this address to approve."


@post("/authorize")
async def approve(request: Request[None, None, State]) -> Response[bytes]:
    """Record the user's decision, and redirect the browser to the client."""
    user = "jane"  # yours to find out: examples/photos has sign-in, consent page and CSRF token
    consent = await read_request(request, server.policy)
    answer = await server.create_authorization_response(consent, user, scope="photos.read")
    return Response(answer.body.encode(), status_code=answer.status_code, headers=dict(answer.headers))


@get("/photos", guards=[requires_oauth1("photos.read")])
async def photos(request: SignedRequest, file: str = "") -> dict[str, str]:
    """A protected resource."""
    return {"owner": request.user.identity, "file": file}


endpoints = asgi("/oauth", is_mount=True, copy_scope=True)(authorization_endpoints(server))
app = Litestar(
    [ask, approve, photos, endpoints],
    on_app_init=[oauth1.on_app_init],
    on_startup=[store.migrate, store.open],
    on_shutdown=[store.close],
)
