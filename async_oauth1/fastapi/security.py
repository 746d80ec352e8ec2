"""The security dependencies: they verify a request once, however many of them it has."""

# FastAPI evaluates annotations of `__call__` at run time, and old versions cannot do so from strings.

import dataclasses
from typing import Generic, cast

from fastapi import FastAPI
from fastapi.openapi.models import HTTPBase
from fastapi.security import SecurityScopes
from fastapi.security.base import SecurityBase
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection

from async_oauth1.asgi.bodies.received import ClientHasLeftError
from async_oauth1.asgi.verifying.bearer import QueryBearer
from async_oauth1.asgi.verifying.demands import SCOPE_KEY, AnyProtector, Demands, Verified
from async_oauth1.asgi.verifying.verification import verify
from async_oauth1.credentials import ClientT_co, TokenT_co
from async_oauth1.current import verified_request
from async_oauth1.errors import InvalidRequestError, OAuth1Error
from async_oauth1.explaining import observe_on_loop
from async_oauth1.provider.refusals import with_scope
from async_oauth1.provider.resource_protector import ResourceProtector
from async_oauth1.provider.responses import noted_headers

from .openapi import describe_scopes
from .recorder import (
    FrontMiddleware,
    Installation,
    Limits,
    RecorderMiddleware,
    installation_of,
    recording_of,
)
from .refusals import OAuth1HTTPError, answer_refusals

__all__ = ["OAuth1"]


class _Verifying(SecurityBase):
    """A dependency that verifies a connection with its own demands."""

    def __init__(self, protector: AnyProtector, model: HTTPBase, scheme_name: str, demands: Demands) -> None:
        self.model = model
        self.scheme_name = scheme_name
        self._protector = protector
        self._demands = demands

    async def _verify(self, connection: HTTPConnection, scopes: SecurityScopes) -> Verified | None:
        """Verify a connection, or check what is demanded more than before.

        Raises:
            OAuth1HTTPError: it is refused.
            NotInstalledError: the application lacks the recorder of bodies.
        """
        scope, recording = connection.scope, recording_of(connection, self._protector)
        demands = dataclasses.replace(self._demands, scope=scopes.scope_str or None)
        try:
            verified = await verify(self._protector, demands, scope, recording.body)
        except OAuth1Error as error:
            recording.announcements.extend(noted_headers(error))
            self._protector.report_refusal(with_scope(error, scope), None)
            raise OAuth1HTTPError(error, self._protector.policy) from error
        except ClientHasLeftError:  # the answer goes nowhere, but FastAPI wants one
            left = InvalidRequestError("The client disconnected before the body had arrived.")
            raise OAuth1HTTPError(left, self._protector.policy) from None
        if verified is not None:
            scope[SCOPE_KEY] = verified
            verified_request.set(verified.request)
            if verified.scheme == "oauth" and self._protector.retirement is not None:
                recording.announcements.extend(self._protector.retirement.headers)
            recording.announcements.extend(verified.request.response_fields)
        return verified


class _ClientDependency(_Verifying, Generic[ClientT_co]):
    async def __call__(self, connection: HTTPConnection, scopes: SecurityScopes) -> ClientT_co:
        """Verify a connection, with a token or without, and return the client."""
        verified = await self._verify(connection, scopes)
        return cast("ClientT_co", verified and verified.request.client)


class _OptionalDependency(_Verifying, Generic[TokenT_co]):
    async def __call__(self, connection: HTTPConnection, scopes: SecurityScopes) -> TokenT_co | None:
        """Verify a connection if it carries OAuth 1.0, and return its token credential."""
        verified = await self._verify(connection, scopes)
        return cast("TokenT_co | None", verified and verified.request.credential)


class OAuth1(_Verifying, Generic[ClientT_co, TokenT_co]):
    """A security dependency that verifies requests signed with OAuth 1.0, and returns their token credentials.

        oauth1 = OAuth1(protector)
        oauth1.install(app)

        @app.get("/photos")
        async def photos(credential: Annotated[TokenCredential, Security(oauth1, scopes=["photos.read"])]): ...

    A request is verified once, and its nonce used once, however many dependencies with this protector it has. Each of
    them only checks what it demands more.

    Attributes:
        protector: verifies the requests.
        client: a dependency for requests with a token or without; it returns the client.
        optional: a dependency that returns ``None`` if a request carries no OAuth 1.0. If it does, it must hold.
    """

    def __init__(
        self,
        protector: ResourceProtector[ClientT_co, TokenT_co],
        *,
        scheme_name: str = "OAuth1",
        description: str | None = "Each request is signed with OAuth 1.0 (RFC 5849).",
        body_hash_required: bool = False,
        query_bearer: QueryBearer | None = None,
    ) -> None:
        """Make the three dependencies; `install` makes them work.

        Args:
            protector: verifies the requests.
            scheme_name: of the security scheme in OpenAPI. Name each protector's differently.
            description: of the security scheme.
            body_hash_required: refuse a request that is neither a form nor carries ``oauth_body_hash``.
            query_bearer: looks up bearer tokens (RFC 6750), which are then accepted beside OAuth 1.0; async or not. It
                returns a principal, which the dependency returns, too, or ``None`` for a token that is not accepted.
                ``request.scope["async_oauth1.verified"].scheme`` says which it was. `client` accepts none: a bearer
                token has no client of OAuth 1.0.
        """
        self.protector = protector
        observe_on_loop(protector)
        model = HTTPBase(scheme="oauth", description=description)
        two_legged = Demands(two_legged=True, body_hash_required=body_hash_required)
        demands = dataclasses.replace(two_legged, two_legged=False, query_bearer=query_bearer)
        super().__init__(protector, model, scheme_name, demands)
        self.client = _ClientDependency[ClientT_co](protector, model, scheme_name, two_legged)
        optional = dataclasses.replace(demands, optional=True)
        self.optional = _OptionalDependency[TokenT_co](protector, model, scheme_name, optional)

    async def __call__(self, connection: HTTPConnection, scopes: SecurityScopes) -> TokenT_co:
        """Verify a connection, as FastAPI calls it, and return the token credential.

        Args:
            connection: a request or a WebSocket.
            scopes: what the token credential must cover.

        Raises:
            OAuth1HTTPError: the request is refused.
            NotInstalledError: `install` was not called for this application.
        """
        verified = await self._verify(connection, scopes)
        return cast("TokenT_co", verified and verified.request.credential)

    def install(
        self,
        app: FastAPI,
        *,
        memory_limit: int = 1024 * 1024,
        max_body_bytes: int | None = None,
        body_timeout: float = 60.0,
    ) -> None:
        """Let an application keep what the dependencies must verify, answer their refusals, and check the hooks.

        Call it after ``add_middleware``: what is added later may read a chunked form before it can be counted. Mounted
        FastAPI applications need a call of their own.

        Args:
            app: the application, which has not started.
            memory_limit: octets of a body that are kept in memory until its hash holds. A longer one goes to a
                temporary file, which is removed afterwards.
            max_body_bytes: of every body that the application receives, also of what FastAPI reads before a signature
                is verified; ``None`` for no limit. Forms that are verified also have the policy's limit.
            body_timeout: seconds in which a form must have arrived, and the longest pause in a body that is hashed,
                if a dependency receives them.

        Raises:
            ValueError: the application was installed with other limits.
            RuntimeError: the application has started.
        """
        limits = Limits(memory_limit, max_body_bytes, body_timeout)
        installation = installation_of(app)
        if installation is None:
            installation = Installation(app, [], limits)
            app.add_middleware(FrontMiddleware, policy=self.protector.policy)
            app.user_middleware.append(Middleware(RecorderMiddleware, installation=installation))
            answer_refusals(app, self.protector)
        if installation.limits != limits:
            raise ValueError(f"The application was installed with other limits: {installation.limits}.")
        if self.protector not in installation:
            installation.protectors.append(self.protector)
            describe_scopes(app, self.scheme_name)
