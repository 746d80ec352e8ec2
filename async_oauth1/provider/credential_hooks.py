"""The hooks of an authorization server. Each is called by a method that a subclass may override instead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from async_oauth1.errors import AlreadyDecidedError, InvalidTokenError
from async_oauth1.protocol.callbacks import OUT_OF_BAND
from async_oauth1.protocol.request import OAuth1Request

from .hooks import AUTHORIZATION_SERVER_HOOKS, call_hook
from .tokens import OOB_ALPHABET, VERIFIER_LENGTH, generate_credentials, generate_token
from .verification import BaseServer


class CredentialHooks(BaseServer):
    """The hooks that store temporary and token credentials. The methods have Authlib's names and arguments."""

    HOOKS = AUTHORIZATION_SERVER_HOOKS
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
        "exchange",
    )

    async def generate_credentials(self) -> dict[str, str]:
        """A new token and its secret; by default the hook ``token_generator``, or 250 random bits each."""
        generator: Callable[[], Any] = self.hooks.get("token_generator") or generate_credentials
        generated: dict[str, str] = await call_hook(generator)
        return generated

    async def create_temporary_credential(self, request: OAuth1Request) -> Any:
        """Create and store temporary credentials; by default the hook of this name."""
        func = self._hook("create_temporary_credential")
        return await call_hook(func, await self.generate_credentials(), request.client_id, request.redirect_uri)

    def get_temporary_credential(self, request: OAuth1Request) -> Any:
        """Look temporary credentials up; by default the hook of this name."""
        return self._hook("get_temporary_credential")(request.token)

    def delete_temporary_credential(self, request: OAuth1Request) -> Any:
        """Delete temporary credentials, ``False`` if there were none; by default the hook of this name."""
        return self._hook("delete_temporary_credential")(request.token)

    async def create_authorization_verifier(self, request: OAuth1Request) -> Any:
        """Create a verifier, bind it and the user to the credential, and return it; by default the hook of this name.

        Raises:
            AlreadyDecidedError: the hook returned ``False``.
        """
        hook = self._hook("create_authorization_verifier")
        verifier = self._generate_verifier(await call_hook(request.credential.get_redirect_uri))
        if await call_hook(hook, request.credential, request.user, verifier) is False:
            raise AlreadyDecidedError()
        return verifier

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
                raise InvalidTokenError()
            return credential
        taken = await call_hook(self.delete_temporary_credential, request)
        if taken is not None and not taken:  # False, or 0 as the number of deleted rows
            raise InvalidTokenError()
        return await call_hook(self.create_token_credential, request)

    def _generate_verifier(self, callback: str | None) -> str:
        # Short enough to type only if wrong guesses are counted.
        if callback == OUT_OF_BAND and self.hooks.get("count_wrong_verifier") is not None:
            return generate_token(self.policy.oob_verifier_length, OOB_ALPHABET)
        return generate_token(VERIFIER_LENGTH)
