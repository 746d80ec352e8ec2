"""A hook with other arguments, or with a wrong name, is refused when it is registered."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest
import quart
from werkzeug.local import LocalProxy

import flask_compat
from async_oauth1.provider.authorization_server import AuthorizationServer
from async_oauth1.provider.hooks import AUTHORIZATION_SERVER_HOOKS, RESOURCE_PROTECTOR_HOOKS
from async_oauth1.provider.hooks.signatures import hook_parameters
from async_oauth1.provider.resource_protector import ResourceProtector
from async_oauth1.quart import ResourceProtector as QuartProtector


async def load_token(token: str, *, password: str = "swordfish") -> None:
    """A hook with too few arguments."""


def with_session(func: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator that adds an argument."""

    @functools.wraps(func)
    async def call(*args: Any) -> Any:
        return await func("session", *args)

    return call


@with_session
async def query_token(session: str, client_id: str, oauth_token: str) -> None:
    """A hook that is called with two arguments, and gets three."""


class Model:
    """Hooks of many kinds."""

    async def method(self, client_id: str, oauth_token: str) -> None:
        """A bound method."""

    @staticmethod
    def static(client_id: str, oauth_token: str) -> None:
        """A static method."""

    def __call__(self, client_id: str, oauth_token: str, more: int = 0) -> None:
        """An object."""


@pytest.mark.parametrize(
    "hook",
    [
        query_token,
        Model().method,
        Model.static,
        Model(),
        lambda *_: None,
        lambda *_, **__: None,
        functools.partial(query_token),
        functools.partial(lambda session, client_id, oauth_token: None, "session"),
        Mock(),
        AsyncMock(),
        LocalProxy(lambda: Model().method),
        max,
    ],
)
def test_hooks_that_can_be_called_are_accepted(hook: Any) -> None:
    """Functions, methods, objects, partials, decorated functions, proxies, builtins and mocks."""
    ResourceProtector(query_token=hook)
    flask_compat.ResourceProtector(query_token=hook)


@pytest.mark.parametrize("hook", [load_token, Model, lambda: None, lambda a, b, c: None, lambda a, *, b: None])
def test_a_hook_with_other_arguments_is_refused(hook: Any) -> None:
    """The error says how the hook is called, and shows no default value."""
    for register in (
        lambda: ResourceProtector(query_token=hook),
        lambda: ResourceProtector().register_hook("query_token", hook),
        lambda: ResourceProtector().register_hooks(Mock(query_token=hook, spec=["query_token"])),
        lambda: QuartProtector(query_token=hook),
        lambda: QuartProtector().init_app(quart.Quart("app"), query_token=hook),
        lambda: flask_compat.ResourceProtector(query_token=hook),
        lambda: flask_compat.ResourceProtector().init_app(quart.Quart("app"), query_token=hook),
    ):
        with pytest.raises(
            TypeError, match=r'"query_token" is called as query_token\(client_id, oauth_token\)'
        ) as caught:
            register()
        assert "swordfish" not in str(caught.value)


def test_every_hook_is_checked() -> None:
    """Each has a Protocol, which says how it is called."""
    wrong: Any = lambda a, b, c, d, e: None  # noqa: E731 - one of each name is registered
    for server, names in [
        (AuthorizationServer, AUTHORIZATION_SERVER_HOOKS),
        (ResourceProtector, RESOURCE_PROTECTOR_HOOKS),
    ]:
        for name in names:
            assert hook_parameters(name) is not None
            with pytest.raises(TypeError, match=f'The hook "{name}" is called as {name}'):
                server().register_hook(name, wrong)
    compat = flask_compat.AuthorizationServer()
    for name in compat._hooks:
        with pytest.raises(TypeError, match=f'The hook "{name}"'):
            compat.register_hook(name, wrong)


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("exist_nonce", "exists_nonce"),
        ("exists_nonces", "exists_nonce"),
        ("create_temporary_credentials", "create_temporary_credential"),
        ("create_verifier", "create_authorization_verifier"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_one(name: str, nearest: str) -> None:
    """A typing error is found at once."""
    for server in (AuthorizationServer(), flask_compat.AuthorizationServer()):
        with pytest.raises(ValueError, match=f'Did you mean "{nearest}"'):
            server.register_hook(name, lambda *_: None)
    with pytest.raises(ValueError, match='Did you mean "query_client"'):
        ResourceProtector(query_clients=lambda *_: None)


def test_a_name_like_none_of_the_hooks_is_refused_with_all_of_them() -> None:
    """Also if it is no text."""
    for name in ("nonsense", None):
        with pytest.raises(ValueError, match="Known are query_client, query_token, exists_nonce"):
            ResourceProtector().register_hook(name, lambda *_: None)  # type: ignore[arg-type]
