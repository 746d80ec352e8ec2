"""Subclasses that override hooks, with the names and arguments of Authlib's documentation for Flask."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from async_oauth1 import AuthorizationServer, OAuth1Request, ResourceProtector
from async_oauth1.provider.sync_driver import run_sync
from tests.provider.provider import Provider, fields


class _PlainServer(AuthorizationServer):
    """Override hooks with Authlib's names and arguments, and use a store."""

    db: Any

    def get_client_by_id(self, client_id: str) -> Any:
        return run_sync(self.db.query_client(client_id))

    def exists_nonce(self, nonce: str, request: OAuth1Request) -> Any:
        return run_sync(self.db.exists_nonce(nonce, request.timestamp, request.client_id, request.token))

    def create_temporary_credential(self, request: OAuth1Request) -> Any:  # type: ignore[override]
        token = {"oauth_token": "temporary", "oauth_token_secret": "secret"}
        return run_sync(self.db.create_temporary_credential(token, request.client_id, request.redirect_uri))

    def get_temporary_credential(self, request: OAuth1Request) -> Any:
        return run_sync(self.db.get_temporary_credential(request.token))

    def delete_temporary_credential(self, request: OAuth1Request) -> Any:
        run_sync(self.db.delete_temporary_credential(request.token))

    def create_authorization_verifier(self, request: OAuth1Request) -> Any:  # type: ignore[override]
        run_sync(self.db.create_authorization_verifier(request.credential, request.user, "verifier"))
        return "verifier"

    def create_token_credential(self, request: OAuth1Request) -> Any:  # type: ignore[override]
        token = {"oauth_token": "token", "oauth_token_secret": "token-secret"}
        return run_sync(self.db.create_token_credential(token, request.credential))


class _AsyncServer(_PlainServer):
    """The same overrides as coroutine functions."""


class _PlainProtector(ResourceProtector):
    db: Any

    def get_client_by_id(self, client_id: str) -> Any:
        return run_sync(self.db.query_client(client_id))

    def get_token_credential(self, request: OAuth1Request) -> Any:
        return run_sync(self.db.query_token(request.client_id, request.token))

    def exists_nonce(self, nonce: str, request: OAuth1Request) -> Any:
        return run_sync(self.db.exists_nonce(nonce, request.timestamp, request.client_id, request.token))


class _AsyncProtector(_PlainProtector):
    """The same overrides as coroutine functions."""


def _made_async(cls: type, plain: type) -> None:
    for name, method in vars(plain).items():
        if callable(method) and not name.startswith("_"):

            async def override(self: Any, *args: Any, method: Callable[..., Any] = method) -> Any:
                return method(self, *args)

            setattr(cls, name, override)


_made_async(_AsyncServer, _PlainServer)
_made_async(_AsyncProtector, _PlainProtector)


@pytest.mark.parametrize("kinds", [(_PlainServer, _PlainProtector), (_AsyncServer, _AsyncProtector)])
@pytest.mark.parametrize("with_store", [False, True])
def test_subclass_overrides(kinds: tuple[type[_PlainServer], type[_PlainProtector]], with_store: bool) -> None:
    """Sync and async methods with Authlib's names replace hooks, and a store's combined hooks are not used then."""
    provider = Provider()
    server, protector = kinds[0](clock=provider.clock), kinds[1](clock=provider.clock)
    server.db = protector.db = provider.store
    if with_store:
        server.register_hooks(provider.hooks)
        protector.register_hooks(provider.hooks)
    provider.server, provider.protector = server, protector

    temporary = provider.temporary()
    assert (temporary.token, temporary.token_secret) == ("temporary", "secret")
    decision = provider.decide("temporary")
    assert decision.verifier == "verifier"
    exchanged = provider.exchange(temporary.wire("POST", oauth_verifier="verifier"))
    assert fields(exchanged) == {"oauth_token": "token", "oauth_token_secret": "token-secret"}
    assert provider.protect(provider.client.with_token("token", "token-secret").wire()).credential.user_id == "jane"
    assert set(provider.hooks.calls) <= {"count_wrong_verifier", "deny_temporary_credential"}


def test_hook_as_a_method_of_a_subclass() -> None:
    """A method with a hook's name and arguments is used as that hook."""

    class Protector(ResourceProtector):
        def query_client(self, client_id: str) -> None:
            asked.append(client_id)

    asked: list[str] = []
    provider = Provider(protector=Protector)
    assert provider.refusal(provider.client.wire(), two_legged=True).status_code == 401
    assert asked == [provider.client.client_id]
    assert provider.hooks.calls == []


def test_token_generator() -> None:
    """The hook generates both pairs of credentials, and may be async."""
    made: list[int] = []

    async def generate() -> dict[str, str]:
        made.append(1)
        return {"oauth_token": f"t{len(made)}", "oauth_token_secret": f"s{len(made)}"}

    provider = Provider()
    provider.server.register_hook("token_generator", generate)
    assert provider.temporary().token == "t1"
    jane = provider.token()
    assert (jane.token, jane.token_secret) == ("t3", "s3")
