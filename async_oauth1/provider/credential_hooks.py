"""The hooks of an authorization server. Each is called by a method that a subclass may override instead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from async_oauth1.errors import (
    AlreadyDecidedError,
    InvalidVerifierError,
    MethodNotAllowedError,
    OAuth1Error,
    TokenRejectedError,
)
from async_oauth1.protocol.callbacks import OUT_OF_BAND
from async_oauth1.protocol.encoding import as_text
from async_oauth1.protocol.request import OAuth1Request

from .approval.approvals import approved_verifier, is_undecided, verifier_spellings
from .approval.auditing import audit_event
from .approval.dialects import more_parameters
from .approval.scopes import checked_scope, scope_in, takes_scope, with_scope
from .hooks import AUTHORIZATION_SERVER_HOOKS, call_hook, optional
from .records.accepted import log_accepted
from .records.fields import record_fields
from .tokens import OOB_ALPHABET, VERIFIER_LENGTH, generate_credentials, generate_token
from .verification import BaseServer, log

_SCOPE_LOST = (
    'the hook "create_authorization_verifier" has no parameter "scope", so the scope that was granted would be lost; '
    "add the parameter, and store it with the user and the verifier"
)


class CredentialHooks(BaseServer):
    """The hooks that store temporary and token credentials. The methods have Authlib's names and arguments."""

    #: The HTTP method of both endpoints (sections 2.1, 2.3); `Policy.get_at_token_endpoints` adds GET.
    METHOD = "POST"
    HOOKS = AUTHORIZATION_SERVER_HOOKS
    ENDPOINT = "authorization_server"
    REQUIRED_HOOKS: ClassVar[dict[str, str]] = {
        "query_client": "get_client_by_id",
        "exists_nonce": "exists_nonce",
        "create_temporary_credential": "create_temporary_credential",
        "get_temporary_credential": "get_temporary_credential",
        "delete_temporary_credential": "delete_temporary_credential",
        "create_authorization_verifier": "create_authorization_verifier",
        "create_token_credential": "create_token_credential",
    }
    OVERRIDABLE_HOOKS = (
        "query_client",
        "token_generator",
        "deny_temporary_credential",
        "count_wrong_verifier",
        "get_ended_temporary_credential",
        "exchange",
        "requested_scope",
        "token_response_parameters",
    )

    def accepted_methods(self) -> list[str]:
        """The HTTP methods of both endpoints."""
        more = ("GET",) if self.policy.get_at_token_endpoints else ()
        return list(dict.fromkeys((self.METHOD, *more)))

    def _check_method(self, request: OAuth1Request) -> None:
        methods = self.accepted_methods()
        if request.method.upper() not in methods:
            raise MethodNotAllowedError(f"This endpoint only accepts {' and '.join(methods)}.")

    async def generate_credentials(self) -> dict[str, str]:
        """A new token and its secret; by default the hook ``token_generator``, or 250 random bits each."""
        generator: Callable[[], Any] = self.hooks.get("token_generator") or generate_credentials
        generated: dict[str, str] = await call_hook(generator)
        return generated

    async def create_temporary_credential(self, request: OAuth1Request) -> Any:
        """Create and store temporary credentials; by default the hook of this name."""
        # Code for Authlib calls this with a framework's request that it has given a client_id and a redirect_uri.
        func = self._hook_with_scope("create_temporary_credential", getattr(request, "requested_scope", ""))
        return await call_hook(func, await self.generate_credentials(), request.client_id, request.redirect_uri)

    async def find_requested_scope(self, request: OAuth1Request) -> str:
        """The scope that a client asks for; by default the hook ``requested_scope``, or the request's parameter.

        The parameter is not read if no scope would be stored: then it is the application's, and may be anything.

        Raises:
            InvalidRequestError: the scope is malformed.
        """
        hook = self._optional_hook("requested_scope")
        if hook is not None:
            return checked_scope(await call_hook(hook, request))
        return scope_in(request) if takes_scope(self._optional_hook("create_temporary_credential")) else ""

    def get_temporary_credential(self, request: OAuth1Request) -> Any:
        """Look temporary credentials up; by default the hook of this name."""
        return self._hook("get_temporary_credential")(request.token)

    async def find_ended_credential(self, request: OAuth1Request) -> Any:
        """Look up temporary credentials that have ended; by default the hook ``get_ended_temporary_credential``.

        Returns:
            ``None`` if there are none, or if they were another client's.
        """
        hook = self._optional_hook("get_ended_temporary_credential")
        ended = None if hook is None else await call_hook(hook, request.token)
        if ended is not None and as_text(await call_hook(ended.get_client_id)) != request.client_id:
            return None
        return ended

    async def verify_signature(self, request: OAuth1Request, *, token_missing: bool = False) -> None:
        """As `BaseServer.verify_signature`; tells a client that has signed with ended credentials that they have ended.

        Raises:
            TokenRejectedError: the signature holds with credentials that were exchanged, denied or used up.
            OAuth1Error: as in the base class.
        """
        try:
            await super().verify_signature(request, token_missing=token_missing)
        except OAuth1Error as error:
            # For every refused exchange, so that all of them take the same time.
            if token_missing or request.credential is not None:
                ended = await self.find_ended_credential(request)
                if await self.is_signed_with_ended(request, ended if token_missing else None):
                    raise TokenRejectedError() from error
            raise

    def delete_temporary_credential(self, request: OAuth1Request) -> Any:
        """Delete temporary credentials, ``False`` if there were none; by default the hook of this name."""
        return self._hook("delete_temporary_credential")(request.token)

    async def create_authorization_verifier(self, request: OAuth1Request) -> Any:
        """Create a verifier, bind it and the user to the credential, and return it; by default the hook of this name.

        Raises:
            AlreadyDecidedError: the hook returned ``False``.
            TypeError: a scope is granted, and the hook does not take it.
        """
        hook = self._hook_with_scope("create_authorization_verifier", request.granted_scope)
        if request.granted_scope and not takes_scope(self._optional_hook("create_authorization_verifier")):
            raise TypeError(_SCOPE_LOST)
        verifier = self._generate_verifier(await call_hook(request.credential.get_redirect_uri))
        if await call_hook(hook, request.credential, request.user, verifier) is False:
            raise AlreadyDecidedError()
        return verifier

    async def _approve(self, request: OAuth1Request) -> Any:
        """Record an approval, and return its verifier: that of an earlier approval, if it was this user's.

        Raises:
            AlreadyDecidedError: the credential was decided before, and not by this user's approval.
        """
        earlier = await self._earlier_verifier(request)
        if earlier is not None:
            return earlier
        try:
            return await call_hook(self.create_authorization_verifier, request)
        except AlreadyDecidedError:
            # Another request has decided it since it was read. If that was a click on the same button, both succeed.
            request.credential = await call_hook(self.get_temporary_credential, request)
            verifier = await self._earlier_verifier(request)
            if verifier is None:
                raise
            return verifier

    async def _earlier_verifier(self, request: OAuth1Request) -> str | None:
        """The verifier of this user's earlier approval, if there was one.

        Raises:
            AlreadyDecidedError: the user granted another scope then.
        """
        verifier = await approved_verifier(request.credential, request.user)
        if verifier is None:
            return None
        granted = await optional(request.credential, "get_scope")
        if granted is not None and set(granted.split()) != set(request.granted_scope.split()):
            raise AlreadyDecidedError()
        return verifier

    async def deny(self, request: OAuth1Request) -> None:
        """Record a denial, unless the credentials were decided before."""
        if await optional(request.credential, "is_decided"):
            raise AlreadyDecidedError()
        deny = self.hooks.get("deny_temporary_credential")
        if deny is not None:
            denied = await call_hook(deny, request.token)
        else:
            denied = await call_hook(self.delete_temporary_credential, request)
        if denied is False:
            raise AlreadyDecidedError()

    async def _check_verifier(self, request: OAuth1Request) -> None:
        """Refuse a verifier that is not the one of the approval, and count it.

        Raises:
            InvalidVerifierError: it is wrong. If it is one too many, the temporary credentials are deleted.
        """
        if self.limiter is not None:
            await self.limiter.admit_verifier(request, self.policy)
        for spelling in await verifier_spellings(request.credential, request.verifier or ""):
            if await call_hook(request.credential.check_verifier, spelling) is True:
                return
        try:
            await self._count_wrong_verifier(request)
        finally:
            if self.limiter is not None:
                await self.limiter.count_wrong_verifier(request, self.policy)
        undecided = await is_undecided(request.credential)
        raise InvalidVerifierError(InvalidVerifierError.not_approved if undecided else None)

    async def _count_wrong_verifier(self, request: OAuth1Request) -> None:
        """Count a wrong verifier; the one too many deletes the temporary credentials.

        Raises:
            InvalidVerifierError: it was one too many. The description says that the client has to start again.
        """
        count = self.hooks.get("count_wrong_verifier")
        if count is None or await call_hook(count, request.token) < self.policy.max_wrong_verifiers:
            return
        log.warning("Too many wrong verifiers: temporary credentials of client %r deleted.", request.client_id,
                    extra=record_fields("temporary_credentials.used_up", request))  # fmt: skip
        await call_hook(self.delete_temporary_credential, request)
        raise InvalidVerifierError(
            'Invalid "oauth_verifier". There were too many wrong ones: start again with new temporary credentials.'
        )

    async def create_token_credential(self, request: OAuth1Request) -> Any:
        """Create and store token credentials; by default the hook of this name."""
        return await call_hook(
            self._hook("create_token_credential"), await self.generate_credentials(), request.credential
        )

    async def exchange_credential(self, request: OAuth1Request) -> Any:
        """Delete first, then create: only one of several concurrent exchanges succeeds.

        If creating fails, the client has to start again from the first step.
        """
        exchange = self.hooks.get("exchange")
        own = self._overrides("delete_temporary_credential") or self._overrides("create_token_credential")
        if exchange is not None and not own:
            credential = await call_hook(exchange, request.credential, await self.generate_credentials())
            if credential is None:
                raise TokenRejectedError()
            return credential
        taken = await call_hook(self.delete_temporary_credential, request)
        if taken is not None and not taken:  # False, or 0 as the number of deleted rows
            raise TokenRejectedError()
        return await call_hook(self.create_token_credential, request)

    async def more_parameters(self, request: OAuth1Request, credential: Any) -> list[tuple[str, str]]:
        """What stands beside new token credentials in the response; by default the hook ``token_response_parameters``.

        The credentials are stored already, and could not be fetched again, so an error of the hook is only logged.
        """
        hook = self._optional_hook("token_response_parameters")
        if hook is None:
            return []
        try:
            return more_parameters(await call_hook(hook, request, credential))
        except Exception:  # noqa: BLE001 - whatever it is, the client must get its token
            log.exception("The hook token_response_parameters failed; the response has the credentials alone.")
            return []

    async def record(self, event: str, request: OAuth1Request, credential: Any) -> None:
        """Log what was stored, and pass it to the hook ``audit``, whose errors are only logged.

        Args:
            event: as in the log.
            request: what led to it.
            credential: the temporary or token credentials.
        """
        log_accepted(event, request)
        hook = self._optional_hook("audit")
        if hook is None:
            return
        try:
            await call_hook(hook, await audit_event(event, request, credential, self.clock()))
        except Exception:  # noqa: BLE001 - whatever it is, the change is stored, and its answer must arrive
            log.exception("The hook audit failed; the change is stored, and has no record there.")

    def _optional_hook(self, name: str) -> Callable[..., Any] | None:
        """The hook as it was given; ``None`` if it was not."""
        return self.hooks.get(name)

    def _hook_with_scope(self, name: str, scope: str) -> Callable[..., Any]:
        return with_scope(self._hook(name), scope)

    def _generate_verifier(self, callback: str | None) -> str:
        # Short enough to type only if wrong guesses are counted.
        if callback == OUT_OF_BAND and self.hooks.get("count_wrong_verifier") is not None:
            return generate_token(self.policy.oob_verifier_length, OOB_ALPHABET)
        return generate_token(VERIFIER_LENGTH)

    async def find_temporary_credential(self, request: OAuth1Request) -> Any:
        """Look temporary credentials up; ``None`` if they were issued to another client."""
        credential = await call_hook(self.get_temporary_credential, request)
        if credential is not None and as_text(await call_hook(credential.get_client_id)) != request.client_id:
            return None
        return credential

    async def find_redirect_uri(self, request: OAuth1Request) -> str | None:
        """The callback of the first step, to which the browser is redirected."""
        callback: str | None = await call_hook(request.credential.get_redirect_uri)
        return callback


async def credential_pairs(credential: Any) -> list[tuple[str, str]]:
    """The token and its secret, as parameters of a response."""
    return [
        ("oauth_token", as_text(await call_hook(credential.get_oauth_token))),
        ("oauth_token_secret", as_text(await call_hook(credential.get_oauth_token_secret))),
    ]
