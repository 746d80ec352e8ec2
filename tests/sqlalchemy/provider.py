"""A provider over the application's models, and the requests of its client."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker

from async_oauth1 import AuthorizationServer, OAuth1Error, Policy, ResourceProtector
from async_oauth1.sqlalchemy import SQLAlchemyStore
from tests.protocol.wire import Signer, Wire
from tests.provider.provider import with_credentials

from .models import PlainClient, PlainNonce, PlainTemporary, PlainToken

CALLBACK = "http://printer.example.com/ready"


class PlainProvider:
    """An authorization server and a resource protector over one store."""

    def __init__(self, store: Any) -> None:
        self.store = store
        policy = Policy(max_pending_per_client=10_000)
        self.server = AuthorizationServer(policy)
        self.server.register_hooks(store)
        self.protector = ResourceProtector(policy)
        self.protector.register_hooks(store)
        self.signer = Signer(timestamp=int(time.time()))

    @classmethod
    async def over(cls, engine: AsyncEngine, **options: Any) -> PlainProvider:
        """A provider on an engine; adds the client."""
        provider = cls(new_plain_store(engine, **options))
        await provider.store.add_client(
            PlainClient(client_id="dpf43f3p2l4k3l03", client_secret="kd94hf93k423kf44", title="Printer")
        )
        return provider

    async def initiate(self, wire: Wire) -> Any:
        """The response to a request for temporary credentials."""
        return await self.server.create_temporary_credentials_response(wire.read())

    async def temporary(self) -> Signer:
        """The client with new temporary credentials."""
        return with_credentials(self.signer, await self.initiate(self.initiation()))

    def initiation(self) -> Wire:
        """A request for temporary credentials."""
        return self.signer.wire("POST", b"/initiate", oauth_callback=CALLBACK)

    async def approve(self, token: str | None, user: object = 7) -> Any:
        """The decision, or the status of a refusal."""
        try:
            return await self.server.authorize(authorization(token).read(), user)
        except OAuth1Error as error:
            return error.status_code

    async def exchange(self, wire: Wire) -> Any:
        """The response to a request for token credentials."""
        return await self.server.create_token_response(wire.read())

    async def token(self) -> Signer:
        """The client with token credentials, after all steps of the flow."""
        temporary = await self.temporary()
        verifier = (await self.approve(temporary.token)).verifier
        return with_credentials(
            temporary, await self.exchange(temporary.wire("POST", b"/token", oauth_verifier=verifier))
        )

    async def protect(self, wire: Wire, **options: Any) -> Any:
        """The verified request, or the status of a refusal."""
        try:
            return await self.protector.validate_request(wire.read(), **options)
        except OAuth1Error as error:
            return error.status_code


def authorization(token: str | None) -> Wire:
    """The request of a browser that is sent to the authorization page."""
    return Wire(raw_path=b"/authorize", raw_query=f"oauth_token={token}".encode())


def new_plain_store(engine: AsyncEngine, **options: Any) -> SQLAlchemyStore[PlainClient, PlainToken, PlainTemporary]:
    """A store over the application's models."""
    given: dict[str, Any] = {"Nonce": PlainNonce, "TemporaryCredential": PlainTemporary, **options}
    return SQLAlchemyStore(async_sessionmaker(engine), Client=PlainClient, TokenCredential=PlainToken, **given)
