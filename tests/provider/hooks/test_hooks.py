"""Hooks: registration, missing hooks, and results."""

from __future__ import annotations

import asyncio
import types
from collections.abc import Awaitable, Callable, Generator
from typing import Any

import pytest
from werkzeug.local import LocalProxy

from async_oauth1 import AuthorizationServer, Policy, ResourceProtector
from async_oauth1.errors import MissingHookError, StoreUnavailableError
from async_oauth1.provider.hooks import AUTHORIZATION_SERVER_HOOKS, RESOURCE_PROTECTOR_HOOKS, Hooks, call_hook, resolve
from async_oauth1.provider.sync_driver import run_sync
from async_oauth1.stores import MemoryStore
from tests.protocol.wire import Signer
from tests.provider.provider import CALLBACK, Provider


def _one(*args: Any) -> str:
    return "one"


class _Store:
    """A store with some hooks that return the store's name."""

    def __init__(self, name: str, *hooks: str) -> None:
        self.prepared: list[Policy] = []
        for hook in hooks:
            setattr(self, hook, lambda *args, hook=hook: f"{name}.{hook}")

    def prepare(self, policy: Policy) -> None:
        self.prepared.append(policy)


def _answers(hooks: Hooks, names: tuple[str, ...]) -> dict[str, str | None]:
    return {name: func() if (func := hooks.get(name)) else None for name in names}


def test_hook_by_name() -> None:
    """A hook is registered by name, and a second registration replaces it."""
    hooks = Hooks(RESOURCE_PROTECTOR_HOOKS, Policy())
    assert hooks.get("query_client") is None
    hooks.register("query_client", len)
    hooks.register("query_client", _one)
    assert hooks.get("query_client") is _one


@pytest.mark.parametrize("name", ["query_clients", "", "create_token_credential", "__init__"])
def test_unknown_hook(name: str) -> None:
    """An unknown name is refused, and the error lists the known names."""
    with pytest.raises(ValueError, match="query_token"):
        ResourceProtector().register_hook(name, _one)


def test_hook_must_be_callable() -> None:
    """For example, a coroutine instead of a coroutine function is refused."""
    with pytest.raises(TypeError, match="query_client"):
        ResourceProtector().register_hook("query_client", "query_client")  # type: ignore[arg-type]


def test_hooks_as_keyword_arguments() -> None:
    """Hooks can be passed to the constructor; unknown names are refused there, too."""
    assert AuthorizationServer(query_client=_one).hooks.get("query_client") is _one
    with pytest.raises(ValueError, match="query_klient"):
        AuthorizationServer(query_klient=_one)


def test_store_does_not_replace_registered_hooks() -> None:
    """A store provides the hooks that are not registered yet."""
    hooks = Hooks(RESOURCE_PROTECTOR_HOOKS, Policy())
    hooks.register("query_client", _one)
    hooks.register_store(_Store("a", "query_client", "exists_nonce"))
    hooks.register_store(_Store("b", "exists_nonce", "query_token"))
    assert _answers(hooks, ("query_client", "query_token", "exists_nonce")) == {
        "query_client": "one",
        "query_token": "b.query_token",
        "exists_nonce": "a.exists_nonce",
    }


def test_store_without_hooks_is_refused() -> None:
    """An object without any hook is an error."""
    with pytest.raises(ValueError, match="object has none of the hooks"):
        ResourceProtector().register_hooks(object())


@pytest.mark.parametrize(
    ("shortcut", "others"),
    [
        ("query_credentials", ("query_client", "query_token")),
        ("exchange", ("delete_temporary_credential", "create_token_credential")),
        ("deny_temporary_credential", ("get_temporary_credential",)),
        ("count_wrong_verifier", ("get_temporary_credential", "delete_temporary_credential")),
    ],
)
def test_combined_hook_is_used_only_with_the_hooks_it_replaces(shortcut: str, others: tuple[str, ...]) -> None:
    """A store's combined hook is used only with the same store's single hooks, and not after one was replaced."""
    names = RESOURCE_PROTECTOR_HOOKS if shortcut == "query_credentials" else AUTHORIZATION_SERVER_HOOKS

    together = Hooks(names, Policy())
    together.register_store(_Store("a", shortcut, *others))
    assert together.get(shortcut) is not None

    for other in others:
        before = Hooks(names, Policy())
        before.register(other, _one)
        before.register_store(_Store("a", shortcut, *others))
        assert before.get(shortcut) is None

        two_stores = Hooks(names, Policy())
        two_stores.register_store(_Store("a", other))
        two_stores.register_store(_Store("b", shortcut, *others))
        assert two_stores.get(shortcut) is None

        after = Hooks(names, Policy())
        after.register_store(_Store("a", shortcut, *others))
        after.register(other, _one)
        assert after.get(shortcut) is None
        assert after.get(other) is _one


def test_combined_hook_registered_by_name_is_kept() -> None:
    """A combined hook that was registered by name is used."""
    hooks = Hooks(RESOURCE_PROTECTOR_HOOKS, Policy())
    hooks.register("query_credentials", _one)
    hooks.register("query_client", len)
    assert hooks.get("query_credentials") is _one


def test_replaced_look_up_is_used() -> None:
    """A look-up that replaces the store's is called, although the store has a combined hook."""
    provider = Provider()
    jane = provider.token()
    assert provider.protect(jane.wire()).credential
    provider.protector.register_hook("query_token", lambda client_id, token: None)
    assert provider.refusal(jane.wire()).status_code == 401


def test_store_is_prepared_with_the_policy() -> None:
    """It is prepared once per server, even if only one of its methods is registered, and again for a new policy."""

    class Store(_Store):
        def exists_nonce(self, *args: Any) -> bool:
            return False

    policy = Policy(timestamp_window=60)
    whole, method = Store("a"), Store("b")
    protector = ResourceProtector(policy)
    protector.register_hook("exists_nonce", method.exists_nonce)
    protector.register_hooks(whole)
    assert method.prepared == whole.prepared == [policy]
    changed = Policy(timestamp_window=90)
    protector.hooks.adopt([changed])
    assert method.prepared[-1] == changed


def test_store_with_a_short_nonce_lifetime_is_refused() -> None:
    """A store with a shorter nonce lifetime than the timestamp window needs is refused at registration."""
    store = MemoryStore(nonce_lifetime=600)
    for register in (
        lambda server: server.register_hooks(store),
        lambda server: server.register_hook("exists_nonce", store.exists_nonce),
    ):
        with pytest.raises(ValueError, match="660"):
            register(ResourceProtector(Policy()))
    ResourceProtector(Policy(timestamp_window=60)).register_hooks(store)


def test_missing_hooks_are_named_together() -> None:
    """One error names all missing hooks, before any request is verified."""
    server = AuthorizationServer(query_client=_one, exists_nonce=_one)
    with pytest.raises(MissingHookError) as caught:
        run_sync(server.create_temporary_credentials_response(Signer().wire("POST", oauth_callback=CALLBACK).read()))
    missing = {
        "create_temporary_credential",
        "get_temporary_credential",
        "delete_temporary_credential",
        "create_authorization_verifier",
        "create_token_credential",
    }
    assert all(f'"{name}"' in str(caught.value) for name in missing)
    assert "query_client" not in str(caught.value)
    assert "AuthorizationServer" in str(caught.value)


def test_missing_hooks_of_a_protector() -> None:
    """The error is the same before serving and at the first request, and is singular for one hook."""
    with pytest.raises(MissingHookError, match='"query_client", "query_token", "exists_nonce" hooks are required'):
        ResourceProtector().require_hooks()
    with pytest.raises(MissingHookError, match='"exists_nonce" hook is required'):
        run_sync(ResourceProtector(query_client=_one, query_token=_one).validate_request(Signer().wire().read()))


def test_optional_hooks_may_be_missing() -> None:
    """Optional hooks are not in the error."""
    required = set(AuthorizationServer.REQUIRED_HOOKS)
    server = AuthorizationServer(**dict.fromkeys(required, _one))
    server.require_hooks()
    optional = {
        "token_generator",
        "deny_temporary_credential",
        "count_wrong_verifier",
        "get_ended_temporary_credential",
        "exchange",
        "requested_scope",
        "token_response_parameters",
        "audit",
        "on_refusal",
    }
    assert set(AUTHORIZATION_SERVER_HOOKS) - required == optional


def test_unknown_signature_method_in_the_policy() -> None:
    """It is an error before serving, unless the method is registered."""
    policy = Policy(signature_methods=("HMAC-SHA1", "HMAC-MD5"))
    hooks = dict.fromkeys(("query_client", "query_token", "exists_nonce"), _one)
    with pytest.raises(ValueError, match="HMAC-MD5"):
        ResourceProtector(policy, **hooks).require_hooks()
    protector = ResourceProtector(policy, **hooks)
    protector.register_signature_method("HMAC-MD5", lambda request: True)
    protector.require_hooks()


# Results of hooks ----------------------------------------------------------------------------------------------------


class _Awaitable:
    """A user-defined awaitable."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __await__(self) -> Generator[Any, Any, Any]:
        return self.value
        yield


async def _coroutine(value: Any) -> Any:
    return value


@types.coroutine
def _generator_coroutine(value: Any) -> Generator[Any, Any, Any]:
    return value
    yield


SHAPES: dict[str, Callable[[Any], Any]] = {
    "value": lambda value: value,
    "coroutine": _coroutine,
    "object": _Awaitable,
    "generator": _generator_coroutine,
    "nested": lambda value: _Awaitable(_coroutine(_Awaitable(value))),
    "coroutine of generator": lambda value: _coroutine(_generator_coroutine(value)),
}


@pytest.mark.parametrize("value", [False, None, 0, True, "x", []])
@pytest.mark.parametrize("shape", SHAPES)
def test_awaitable_results_are_awaited(shape: str, value: Any) -> None:
    """Nested awaitables are awaited, too, so that an awaitable is never read as true."""
    assert run_sync(resolve(SHAPES[shape](value))) is value
    assert run_sync(call_hook(SHAPES[shape], value)) is value


async def test_tasks_and_futures() -> None:
    """In an event loop, tasks and futures are awaited, too."""
    future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    future.set_result(False)
    assert await resolve(future) is False
    assert await resolve(asyncio.ensure_future(_coroutine(value=False))) is False
    assert await resolve(asyncio.gather(_coroutine(value=1))) == [1]


def test_local_proxy_is_not_awaited() -> None:
    """Werkzeug's LocalProxy has __await__, but cannot be awaited unless its object is an awaitable."""
    proxy = LocalProxy(lambda: "jane")
    assert run_sync(resolve(proxy)) is proxy


def test_generators_are_values() -> None:
    """An ordinary generator is not awaited."""
    generator = (number for number in (1, 2))
    assert run_sync(resolve(generator)) is generator


@pytest.mark.parametrize("error", [OSError("x"), TimeoutError(), ConnectionRefusedError(), BrokenPipeError()])
@pytest.mark.parametrize("asynchronous", [False, True])
def test_storage_failures(error: Exception, asynchronous: bool) -> None:
    """Connection errors are raised as 503, with the original error as the cause."""

    def fail() -> Awaitable[None] | None:
        async def later() -> None:
            raise error

        if asynchronous:
            return later()
        raise error

    with pytest.raises(StoreUnavailableError) as caught:
        run_sync(call_hook(fail))
    assert caught.value.__cause__ is error
    assert caught.value.status_code == 503


@pytest.mark.parametrize("error", [ValueError("x"), KeyError("x"), StoreUnavailableError()])
def test_other_errors_are_not_changed(error: Exception) -> None:
    """Other exceptions are raised unchanged, and so is StoreUnavailableError."""

    def fail() -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        run_sync(call_hook(fail))
    assert caught.value is error
