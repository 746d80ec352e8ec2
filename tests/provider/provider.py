"""A provider for tests, with a memory store that records every hook call, and a clock that only tests advance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from async_oauth1 import AuthorizationServer, Client, OAuth1Error, OAuth1Request, Policy, ResourceProtector
from async_oauth1.provider.hooks import AUTHORIZATION_SERVER_HOOKS, RESOURCE_PROTECTOR_HOOKS
from async_oauth1.provider.responses import OAuth1Response
from async_oauth1.provider.sync_driver import run_sync
from async_oauth1.stores import MemoryStore
from tests.protocol.wire import NOW, Signer, Wire

CALLBACK = "http://printer.example.com/ready"
PRINTER = Client(
    client_id="dpf43f3p2l4k3l03", client_secret="kd94hf93k423kf44", name="Printer", callbacks=(CALLBACK, "oob")
)
OTHER = Client(client_id="other", client_secret="other-secret", name="Other", callbacks=(CALLBACK,))

#: Hooks that do not change the store.
READING = {"query_client", "query_token", "query_credentials"}
READING |= {"get_temporary_credential", "get_ended_temporary_credential"}
HOOK_NAMES = sorted(
    {*AUTHORIZATION_SERVER_HOOKS, *RESOURCE_PROTECTOR_HOOKS}
    - {"token_generator", "requested_scope", "token_response_parameters", "audit", "on_refusal"}
)


class Clock:
    """A clock that returns a fixed Unix time, which tests can change."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class RecordedStore:
    """Record each call of a store's hooks; a test can replace a hook, or make it fail."""

    def __init__(self, store: MemoryStore, *, without: tuple[str, ...] = ()) -> None:
        self.store = store
        self.calls: list[str] = []
        self.replaced: dict[str, Callable[..., Any]] = {}
        for name in HOOK_NAMES:
            if name not in without:
                setattr(self, name, self._recorded(name))

    def prepare(self, policy: Policy) -> None:
        """Call the store's ``prepare``."""
        self.store.prepare(policy)

    def _recorded(self, name: str) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            self.calls.append(name)
            return self.replaced.get(name, getattr(self.store, name))(*args)

        return call

    @property
    def changes(self) -> list[str]:
        """The recorded calls of hooks that change the store."""
        return [name for name in self.calls if name not in READING]


class Provider:
    """An authorization server and a resource protector with one store, driven without an event loop."""

    def __init__(self, policy: Policy | None = None, *, without: tuple[str, ...] = (), **kinds: Any) -> None:
        self.clock = Clock()
        self.store = MemoryStore(clock=self.clock)
        self.hooks = RecordedStore(self.store, without=without)
        self.server = kinds.get("server", AuthorizationServer)(policy, clock=self.clock)
        self.server.register_hooks(self.hooks)
        self.protector = kinds.get("protector", ResourceProtector)(policy, clock=self.clock)
        self.protector.register_hooks(self.hooks)
        self.client = Signer()
        self.add(PRINTER)
        self.add(OTHER)

    def add(self, client: Client) -> Client:
        """Register a client."""
        run_sync(self.store.add_client(client))
        return client

    def initiate(self, wire: Wire) -> OAuth1Response:
        """Request temporary credentials (section 2.1)."""
        response: OAuth1Response = run_sync(self.server.create_temporary_credentials_response(wire.read()))
        return response

    def temporary(self, client: Signer | None = None, callback: str = CALLBACK) -> Signer:
        """Return the client with new temporary credentials."""
        client = client or self.client
        return with_credentials(client, self.initiate(client.wire("POST", b"/initiate", oauth_callback=callback)))

    def decide(self, token: str | None, user: object = "jane") -> Any:
        """Approve or deny the request (section 2.2)."""
        query = f"oauth_token={token}".encode()
        return run_sync(self.server.authorize(Wire(raw_path=b"/authorize", raw_query=query).read(), user))

    def exchange(self, wire: Wire) -> OAuth1Response:
        """Request token credentials (section 2.3)."""
        response: OAuth1Response = run_sync(self.server.create_token_response(wire.read()))
        return response

    def token(self, client: Signer | None = None, user: str = "jane") -> Signer:
        """Return the client with token credentials, after all steps of the flow."""
        temporary = self.temporary(client)
        verifier = self.decide(temporary.token, user).verifier
        return with_credentials(temporary, self.exchange(temporary.wire("POST", b"/token", oauth_verifier=verifier)))

    def protect(self, wire: Wire | OAuth1Request, **options: Any) -> OAuth1Request:
        """Verify a request for a protected resource (section 3.2)."""
        request = wire.read() if isinstance(wire, Wire) else wire
        return run_sync(self.protector.validate_request(request, **options))

    def refusal(self, wire: Wire | OAuth1Request, **options: Any) -> OAuth1Error:
        """Return the error with which the protector refuses the request."""
        try:
            self.protect(wire, **options)
        except OAuth1Error as error:
            return error
        raise AssertionError("the request was accepted")


def fields(response: OAuth1Response) -> dict[str, str]:
    """Decode the parameters of a form-encoded response."""
    return {name: values[0] for name, values in parse_qs(response.body, keep_blank_values=True).items()}


def with_credentials(client: Signer, response: OAuth1Response) -> Signer:
    """Return the client with the credentials of a response."""
    assert response.status_code == 200, response
    credentials = fields(response)
    return client.with_token(credentials["oauth_token"], credentials["oauth_token_secret"])
