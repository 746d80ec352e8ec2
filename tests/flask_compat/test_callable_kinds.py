"""The marks that say which functions belong to a flow, and which never block."""

from __future__ import annotations

import functools
from collections.abc import Callable
from inspect import iscoroutinefunction
from typing import Any

import flask
import pytest
from authlib.oauth1 import ClientMixin, TemporaryCredential, TemporaryCredentialMixin, TokenCredentialMixin

from async_oauth1 import credentials
from async_oauth1.provider.hooks import call_hook
from flask_compat import AuthorizationServer, ResourceProtector
from flask_compat.cache import _TemporaryCredential
from flask_compat.execution.callable_kinds import default_of, is_marked_non_blocking, is_part_of_flow, may_block
from flask_compat.flows.authorization import AuthorizationFlows
from flask_compat.flows.base import Flows, ProtectorFlows

SERVERS = [AuthorizationServer(), ResourceProtector()]
METHODS = [getattr(server, name) for server in SERVERS for name in server.OVERRIDABLE]
MODELS = [
    (ClientMixin, "get_default_redirect_uri"),
    (ClientMixin, "get_client_secret"),
    (ClientMixin, "get_rsa_public_key"),
    (TokenCredentialMixin, "get_oauth_token"),
    (TokenCredentialMixin, "get_oauth_token_secret"),
    (TemporaryCredentialMixin, "get_client_id"),
    (TemporaryCredentialMixin, "get_redirect_uri"),
    (TemporaryCredentialMixin, "check_verifier"),
    (TemporaryCredential, "get_client_id"),
    (TemporaryCredential, "get_redirect_uri"),
    (TemporaryCredential, "check_verifier"),
    (TemporaryCredential, "get_oauth_token"),
    (TemporaryCredential, "get_oauth_token_secret"),
    (_TemporaryCredential, "is_decided"),
    (_TemporaryCredential, "check_verifier"),
    (credentials.Client, "get_client_secret"),
    (credentials.Client, "get_client_secrets"),
    (credentials.Client, "get_rsa_public_key"),
    (credentials.Client, "get_signature_methods"),
    (credentials.Client, "get_nonce_policy"),
    (credentials.Client, "check_callback"),
    (credentials.TemporaryCredential, "check_verifier"),
    (credentials.TemporaryCredential, "get_client_id"),
    (credentials.TokenCredential, "get_oauth_token_secret"),
]
#: What the core calls with `call_hook` although it is no hook.
STEPS = [
    call_hook,
    functools.partial(call_hook, print),
    Flows.get_client_by_id,
    Flows.exists_nonce,
    AuthorizationFlows.create_oauth1_request,
    AuthorizationFlows.create_temporary_credential,
    AuthorizationFlows.get_temporary_credential,
    AuthorizationFlows.delete_temporary_credential,
    AuthorizationFlows.create_authorization_verifier,
    AuthorizationFlows.create_token_credential,
]


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.__qualname__)
def test_methods_of_servers_never_block(method: Callable[..., Any]) -> None:
    """Each overridable method is marked, so it is not taken for a blocking override."""
    assert is_marked_non_blocking(method)
    assert not may_block(method)


@pytest.mark.parametrize(("model", "name"), MODELS)
def test_methods_of_models_never_block(model: type, name: str) -> None:
    """The shipped models and Authlib's mixins only read memory."""
    assert not may_block(getattr(model, name))


@pytest.mark.parametrize("step", STEPS)
def test_steps_belong_to_the_flow(step: Callable[..., Any]) -> None:
    """A step of the flow runs where the flow runs, and not as a hook."""
    assert is_part_of_flow(step)


def test_registered_verifiers_belong_to_the_flow() -> None:
    """The function around a registered verifier is a step; the verifier inside it is a hook."""
    server = type("Server", (ResourceProtector,), {})()
    server.register_signature_method("HMAC-SHA9", lambda request: True)
    step = ProtectorFlows(server).custom_verifier("HMAC-SHA9")
    assert step is not None
    assert is_part_of_flow(step)


@pytest.mark.parametrize("configured", [False, True])
def test_token_generators(configured: bool) -> None:
    """The default generator never blocks; a configured one may."""
    app = flask.Flask(__name__)
    if configured:
        app.config["OAUTH1_TOKEN_GENERATOR"] = lambda: "token"
    assert may_block(AuthorizationServer().create_token_generator(app)) is configured


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.__qualname__)
def test_wrappers_do_not_inherit_marks(method: Callable[..., Any]) -> None:
    """`functools.wraps` copies attributes, but what is around a method may block."""

    @functools.wraps(method)
    def wrapper(*args: Any) -> Any:
        return method(*args)

    assert not is_marked_non_blocking(wrapper)
    assert default_of(wrapper) is None
    assert may_block(wrapper)


def test_hooks_are_not_marked() -> None:
    """A hook is neither a step nor known not to block."""

    def query_client(client_id: str) -> str:
        return client_id.upper()

    assert may_block(query_client)
    assert not is_part_of_flow(query_client)
    assert not iscoroutinefunction(query_client)
