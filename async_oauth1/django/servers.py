"""The authorization servers: Authlib's names, for synchronous and async views."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, ClassVar, Protocol

from django.db import router, transaction
from django.db.models import Model
from django.http import HttpRequest, HttpResponse

from async_oauth1.protocol.callbacks import OUT_OF_BAND
from async_oauth1.protocol.encoding import escape_text
from async_oauth1.protocol.request import OAuth1Request
from async_oauth1.provider.hooks.limiting import LimitedByFlows
from async_oauth1.provider.tokens import OOB_ALPHABET, VERIFIER_LENGTH, generate_credentials, generate_token

from .caches import CachedCredentials
from .configuration import Configuration, read_configuration
from .driver import run, run_async
from .flows import AuthorizationFlows
from .lookups import check_models, find_client, has_field, open_nonces
from .pending import PendingCredential, nonce_key
from .requests import read_request
from .tables import StoredCredentials

__all__ = ["BaseServer", "CacheAuthorizationServer", "ModelAuthorizationServer"]


class BaseServer(LimitedByFlows):
    """An authorization server whose subclass says where temporary credentials are kept.

    The three endpoints return a response in synchronous views, and an awaitable in async views. The methods that begin
    with ``a`` are for async views, as in Django. A subclass may override every other method, async or not.
    """

    #: The methods that are accepted, unless the setting names others.
    SUPPORTED_SIGNATURE_METHODS: ClassVar[Collection[str]] = ("HMAC-SHA1",)

    def __init__(
        self,
        client_model: type[Model],
        token_model: type[Model],
        token_generator: Callable[[], dict[str, str]] | None = None,
    ) -> None:
        """Make a server.

        Args:
            client_model: the model of clients, with the field ``client_id``.
            token_model: the model of token credentials, with ``oauth_token``, ``oauth_token_secret``, ``client_id`` and
                ``user``.
            token_generator: makes a dict of ``oauth_token`` and ``oauth_token_secret``.

        Raises:
            ImproperlyConfigured: the setting is wrong, or a model lacks something that is needed.
        """
        self.client_model: Any = client_model
        self.token_model: Any = token_model
        self.token_generator: Callable[[], dict[str, str]] = token_generator or generate_credentials
        self.configuration = read_configuration(self.SUPPORTED_SIGNATURE_METHODS)
        check_models(self, BaseServer)
        self.keeps_scopes = has_field(token_model, "scope")
        self._nonces = open_nonces(self.configuration)
        self._flows = AuthorizationFlows(self, self.configuration.policy)

    # The endpoints ---------------------------------------------------------------------------------------------------

    def create_temporary_credentials_response(self, request: HttpRequest) -> Any:
        """Answer a request for temporary credentials (RFC 5849 section 2.1), errors included."""
        return run(self._flows.create_temporary_credentials_response, request)

    async def acreate_temporary_credentials_response(self, request: HttpRequest) -> HttpResponse:
        """Async version of `create_temporary_credentials_response`."""
        return await run_async(self._flows.create_temporary_credentials_response, request)

    def check_authorization_request(self, request: HttpRequest) -> Any:
        """Look up the temporary credentials that the resource owner is asked to authorize (section 2.2).

        Returns:
            The request with ``client`` and ``credential``.

        Raises:
            OAuth1Error: there are none, or they were decided before.
        """
        return run(self._flows.check_authorization_request, request)

    async def acheck_authorization_request(self, request: HttpRequest) -> OAuth1Request:
        """Async version of `check_authorization_request`."""
        return await run_async(self._flows.check_authorization_request, request)

    def create_authorization_response(
        self, request: HttpRequest, grant_user: Any = None, *, scope: str | None = None
    ) -> Any:
        """Record the resource owner's decision, and redirect to the client (section 2.2).

        Args:
            request: with ``oauth_token`` in query or form. The view must be safe from cross-site request forgery.
            grant_user: the user who approves; ``None`` denies.
            scope: what the user grants, if the model of token credentials has a field ``scope``.

        Raises:
            OAuth1Error: there are no such credentials, or they were decided otherwise before.
            PermissionDenied: the user is anonymous.
        """
        return run(self._flows.create_authorization_response, request, grant_user, scope=scope)

    async def acreate_authorization_response(
        self, request: HttpRequest, grant_user: Any = None, *, scope: str | None = None
    ) -> HttpResponse:
        """Async version of `create_authorization_response`."""
        return await run_async(self._flows.create_authorization_response, request, grant_user, scope=scope)

    def create_token_response(self, request: HttpRequest) -> Any:
        """Exchange temporary for token credentials (section 2.3), errors included."""
        return run(self._flows.create_token_response, request)

    async def acreate_token_response(self, request: HttpRequest) -> HttpResponse:
        """Async version of `create_token_response`."""
        return await run_async(self._flows.create_token_response, request)

    # What a subclass may override ------------------------------------------------------------------------------------

    def get_client_by_id(self, client_id: str) -> Any:
        """Look a client up."""
        return find_client(self.client_model, client_id)

    def exists_nonce(self, nonce: str, request: OAuth1Request) -> Any:
        """Remember a nonce in one atomic step, and say whether it was known."""
        timestamp = int(request.protocol_parameters["oauth_timestamp"])
        return not self._nonces.add(nonce_key(nonce, request), timestamp, self.configuration.nonce_lifetime)

    def create_temporary_credential(self, request: OAuth1Request) -> Any:
        """Store new temporary credentials."""
        raise NotImplementedError

    def get_temporary_credential(self, request: OAuth1Request) -> Any:
        """Look up temporary credentials by ``request.token``."""
        raise NotImplementedError

    def delete_temporary_credential(self, request: OAuth1Request) -> Any:
        """Delete temporary credentials in one atomic step; ``False`` if there were none."""
        raise NotImplementedError

    def create_authorization_verifier(self, request: OAuth1Request) -> Any:
        """Bind ``request.user`` and a new verifier to ``request.credential``; ``False`` if it was decided before."""
        raise NotImplementedError

    def create_token_credential(self, request: OAuth1Request) -> Any:
        """Store new token credentials for the user who approved."""
        pending, token = request.credential, self.token_generator()
        values = {"oauth_token": token["oauth_token"], "oauth_token_secret": token["oauth_token_secret"]}
        if self.keeps_scopes and hasattr(pending, "get_scope"):
            values["scope"] = pending.get_scope()
        credential = self.token_model(user_id=pending.get_user_id(), client_id=pending.get_client_id(), **values)
        credential.save(force_insert=True)
        return credential

    def create_oauth1_request(self, request: HttpRequest) -> Any:
        """Read a request, over the octets as sent."""
        return read_request(request, self.configuration.policy)

    def handle_response(self, status_code: int, payload: Any, headers: list[tuple[str, str]]) -> Any:
        """Make a response: ``payload`` is text, or name and value pairs to be form-encoded."""
        if not isinstance(payload, str):
            payload = "&".join(f"{escape_text(name)}={escape_text(value or '')}" for name, value in payload)
        response = HttpResponse(payload, status=status_code)
        for name, value in headers:
            response[name] = value
        return response


class PendingStorage(Protocol):
    """Where temporary credentials are kept. Every method is one atomic step."""

    def create(self, values: dict[str, Any]) -> PendingCredential:
        """Store new ones."""
        ...

    def get(self, oauth_token: str) -> PendingCredential | None:
        """Look them up."""
        ...

    def decide(self, oauth_token: str, decision: dict[str, Any]) -> bool:
        """Record a decision; ``False`` if there was one before."""
        ...

    def delete(self, oauth_token: str) -> bool:
        """Delete them; ``False`` if there were none."""
        ...

    def count_wrong_verifier(self, oauth_token: str) -> int:
        """Count a wrong verifier, and return how many there have been."""
        ...


class _StoringServer(BaseServer):
    """A server that keeps temporary credentials in a `PendingStorage`."""

    def __init__(
        self,
        client_model: type[Model],
        token_model: type[Model],
        token_generator: Callable[[], dict[str, str]] | None = None,
    ) -> None:
        """Make a server. The arguments are those of `BaseServer`."""
        super().__init__(client_model, token_model, token_generator)
        self._pending = self._open_pending(self.configuration)

    def _open_pending(self, configuration: Configuration) -> PendingStorage:
        """Where temporary credentials are kept; only the subclasses know it."""
        raise NotImplementedError

    def create_temporary_credential(self, request: OAuth1Request) -> Any:
        """Store new temporary credentials."""
        token = self.token_generator()
        values: dict[str, Any] = {**token, "client_id": request.client_id}
        if request.redirect_uri:
            values["oauth_callback"] = request.redirect_uri
        if request.requested_scope:
            values["requested_scope"] = request.requested_scope
        return self._pending.create(values)

    def get_temporary_credential(self, request: OAuth1Request) -> Any:
        """Look temporary credentials up; ``None`` once denied or exchanged."""
        return self._pending.get(request.token) if request.token else None

    def delete_temporary_credential(self, request: OAuth1Request) -> Any:
        """Delete temporary credentials; of concurrent calls, one returns ``True``."""
        return self._pending.delete(request.token) if request.token else False

    def deny_temporary_credential(self, oauth_token: str) -> bool:
        """Record a denial; ``False`` if there was a decision before."""
        return self._pending.decide(oauth_token, {"denied": True})

    def count_wrong_verifier(self, oauth_token: str) -> int:
        """Count a wrong verifier, and return how many there have been."""
        return self._pending.count_wrong_verifier(oauth_token)

    def create_authorization_verifier(self, request: OAuth1Request) -> Any:
        """Bind user, scope and a new verifier to the credential; ``False`` if it was decided before."""
        credential = request.credential
        verifier = self._generate_verifier(credential.get_redirect_uri())
        decision = {
            "oauth_verifier": verifier,
            "user_id": getattr(request.user, "pk", request.user),
            "granted_scope": request.granted_scope,
        }
        return verifier if self._pending.decide(credential.get_oauth_token(), decision) else False

    def _generate_verifier(self, callback: str | None) -> str:
        if callback == OUT_OF_BAND:  # short enough to type, because wrong ones are counted
            return generate_token(self.configuration.policy.oob_verifier_length, OOB_ALPHABET)
        return generate_token(VERIFIER_LENGTH)


class CacheAuthorizationServer(_StoringServer):
    """An authorization server that keeps temporary credentials in Django's cache."""

    def _open_pending(self, configuration: Configuration) -> PendingStorage:
        # Subclasses that were written for Authlib read these two.
        self._temporary_expires_in = configuration.temporary_credential_expires_in
        self._temporary_credential_key_prefix = configuration.temporary_credential_key_prefix
        return CachedCredentials(configuration)


class ModelAuthorizationServer(_StoringServer):
    """An authorization server that keeps temporary credentials in the model of ``async_oauth1.django``."""

    def _open_pending(self, configuration: Configuration) -> PendingStorage:
        return StoredCredentials(configuration)

    def exchange(self, request: OAuth1Request) -> Any:
        """Replace temporary by token credentials in one transaction; ``None`` if another request was faster.

        If the process dies in between, the client can exchange again.
        """
        with transaction.atomic(using=router.db_for_write(self.token_model)):
            if not self.delete_temporary_credential(request):
                return None
            return self.create_token_credential(request)
