"""An ordinary provider on Quart, with a record of the calls of its store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from quart import Quart, request
from quart.typing import ResponseReturnValue

from async_oauth1 import Client, OAuth1Error, Policy, TemporaryCredential, TokenCredential
from async_oauth1.asgi import RequestTargetMiddleware
from async_oauth1.quart import (
    AuthorizationServer,
    ResourceProtector,
    current_client,
    current_credential,
    current_oauth1_request,
)
from async_oauth1.stores import MemoryStore

from .signer import Keys, Message, sign
from .wire import Answer, call

CALLBACK = "https://client.example/ready"
EVERY_METHOD = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"]
ALL_SIGNATURE_METHODS = (
    "HMAC-SHA1",
    "HMAC-SHA256",
    "HMAC-SHA512",
    "RSA-SHA1",
    "RSA-SHA256",
    "RSA-SHA512",
    "PLAINTEXT",
)
#: Calls that leave something behind in a store.
WRITES = frozenset(
    {
        "exists_nonce",
        "create_temporary_credential",
        "delete_temporary_credential",
        "create_authorization_verifier",
        "deny_temporary_credential",
        "count_wrong_verifier",
        "create_token_credential",
        "exchange",
    }
)

CLIENT = Keys(client_id="client", client_secret="secret")
OTHER = Keys(client_id="other", client_secret="other-secret")
JANE = replace(CLIENT, token="tok", token_secret="toksecret")


class Recording:
    """A store that counts each call; everything else is the store's own."""

    def __init__(self, store: Any) -> None:
        self.store = store
        self.calls: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self.store, name)
        if not callable(attribute) or (name not in WRITES and not name.startswith(("query_", "get_"))):
            return attribute

        async def counted(*args: Any) -> Any:
            self.calls[name] += 1
            return await attribute(*args)

        return counted

    @property
    def written(self) -> Counter[str]:
        """The calls that left something behind."""
        return Counter({name: count for name, count in self.calls.items() if name in WRITES})


@dataclass
class Provider:
    """One application with its servers and its store."""

    app: Quart
    server: AuthorizationServer
    require_oauth: ResourceProtector
    store: Recording
    user: str | None = "jane"
    seen: list[Any] = field(default_factory=list)

    async def send(self, message: Message, **changes: Any) -> Answer:
        """Send a message over ASGI."""
        return await call(self.app, message, **changes)

    async def get(self, target: str | bytes = "/echo", *, keys: Keys = JANE, method: str = "GET", **how: Any) -> Answer:
        """Sign a request and send it; by default a good one."""
        return await self.send(sign(keys, method, target, **how))

    async def initiate(self, keys: Keys = CLIENT, callback: str | None = CALLBACK, **how: Any) -> Answer:
        """The first step."""
        oauth = {"callback": callback, **how.pop("oauth", {})}
        return await self.send(sign(keys, "POST", "/initiate", oauth=oauth, **how))

    async def temporary(self, keys: Keys = CLIENT, callback: str = CALLBACK) -> Keys:
        """The first step, gone well: the keys for the last."""
        answer = await self.initiate(keys, callback)
        assert answer.status == 200, answer
        return replace(keys, token=answer.form["oauth_token"], token_secret=answer.form["oauth_token_secret"])

    async def approve(self, token: str | None, user: str | None = "jane") -> Answer:
        """The second step."""
        self.user = user
        target = b"/authorize?oauth_token=" + (token or "").encode()
        return await self.send(Message(method="POST", target=target, headers=((b"host", b"provider.example"),)))

    async def verifier(self, keys: Keys) -> str:
        """The second step, gone well."""
        answer = await self.approve(keys.token)
        assert answer.status == 302, answer
        return (answer.header("location") or "").rpartition("oauth_verifier=")[2]

    async def exchange(self, keys: Keys, verifier: str | None, **how: Any) -> Answer:
        """The last step."""
        oauth = {"verifier": verifier, **how.pop("oauth", {})}
        return await self.send(sign(keys, "POST", "/token", oauth=oauth, **how))

    async def tokens(self) -> list[TokenCredential]:
        """The token credentials that were issued here, without the one that is always there."""
        issued: list[TokenCredential] = await self.store.store.list_token_credentials()
        return [token for token in issued if token.oauth_token != "tok"]

    async def pending(self, token: str | None) -> TemporaryCredential | None:
        """The temporary credential, asked behind the recording."""
        found: TemporaryCredential | None = await self.store.store.get_temporary_credential(token)
        return found


async def add_credentials(store: Any) -> None:
    """The clients, and one token that Jane gave to the first."""
    await store.add_client(Client(client_id="client", client_secret="secret", callbacks=(CALLBACK, "oob")))
    await store.add_client(Client(client_id="other", client_secret="other-secret", callbacks=(CALLBACK,)))
    await store.create_token_credential(
        {"oauth_token": "tok", "oauth_token_secret": "toksecret", "scope": "photos.read"},
        TemporaryCredential(
            oauth_token="t", oauth_token_secret="s", client_id="client", oauth_callback=CALLBACK, user_id="jane"
        ),
    )


async def make_provider(store: Any = None, policy: Policy | None = None) -> Provider:
    """A provider with its two endpoints, the page between them, and protected routes that show what they got."""
    if store is None:
        store = MemoryStore()
        await add_credentials(store)
    recording = Recording(store)
    policy = policy or Policy(signature_methods=ALL_SIGNATURE_METHODS)
    app = Quart("provider")
    app.url_map.merge_slashes = False
    app.url_map.strict_slashes = False
    app.asgi_app = RequestTargetMiddleware(app.asgi_app, policy)  # type: ignore[assignment, method-assign]
    server = AuthorizationServer(app, policy=policy)
    server.register_hooks(recording)
    require_oauth = ResourceProtector(app, policy=policy)
    require_oauth.register_hooks(recording)
    provider = Provider(app, server, require_oauth, recording)
    _add_endpoints(provider)
    _add_resources(provider)
    return provider


def _add_endpoints(provider: Provider) -> None:
    app, server = provider.app, provider.server

    @app.post("/initiate")
    async def initiate() -> ResponseReturnValue:
        return await server.create_temporary_credentials_response()

    @app.route("/authorize", methods=["GET", "POST"])
    async def authorize() -> ResponseReturnValue:
        try:
            if request.method == "GET":
                asked = await server.check_authorization_request()
                return {"client_id": asked.client.client_id}
            return await server.create_authorization_response(grant_user=provider.user)
        except OAuth1Error as error:
            return {"error": error.error}, error.status_code

    @app.post("/token")
    async def token() -> ResponseReturnValue:
        return await server.create_token_response()


def _add_resources(provider: Provider) -> None:
    app, require_oauth = provider.app, provider.require_oauth

    @app.route("/echo", defaults={"rest": ""}, methods=EVERY_METHOD)
    @app.route("/echo/<path:rest>", methods=EVERY_METHOD)
    @app.route("/echo//<path:rest>", methods=EVERY_METHOD)
    @require_oauth
    async def echo(rest: str) -> ResponseReturnValue:
        provider.seen.append(rest)
        return what_arrived()

    @app.route("/signed", methods=EVERY_METHOD)
    @require_oauth(two_legged=True)
    async def signed() -> ResponseReturnValue:
        return what_arrived()

    @app.route("/form", methods=EVERY_METHOD)
    @require_oauth
    async def form() -> ResponseReturnValue:
        received = await request.form
        return {"form": [[name, value] for name in received for value in received.getlist(name)]}

    @app.route("/hashed", methods=EVERY_METHOD)
    @require_oauth(body_hash_required=True)
    async def hashed() -> ResponseReturnValue:
        return {"length": len(await request.get_data())}

    @app.get("/read-only")
    @require_oauth("photos.read")
    def read_only() -> ResponseReturnValue:
        return what_arrived()


def what_arrived() -> dict[str, Any]:
    """What a view knows of a verified request."""
    return {
        "method": current_oauth1_request.method,
        "raw_path": current_oauth1_request.raw_path.decode("latin-1"),
        "query": [list(pair) for pair in current_oauth1_request.query_params],
        "form": [list(pair) for pair in current_oauth1_request.body_params],
        "client_id": current_client.client_id,
        "user": current_credential.user_id if current_credential else None,
    }


#: Makes a provider with another store or other rules.
ProviderMaker = Callable[..., Any]
