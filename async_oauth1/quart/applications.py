"""The configuration that a server takes from each Quart application it serves: a policy, and token generators.

Servers are often made at module level, and applications by a factory, so one server may serve several applications with
different configurations. As long as there is only one application, its policy is a plain attribute of the server.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar, cast
from weakref import WeakKeyDictionary

from quart import Quart, Response, current_app, has_app_context
from werkzeug.utils import import_string

from async_oauth1.asgi.requests import application_behind
from async_oauth1.asgi.startup import check_hooks as require_all_hooks
from async_oauth1.asgi.unawaited import name_unawaited
from async_oauth1.errors import OAuth1Error
from async_oauth1.explaining import observe_on_loop
from async_oauth1.policy import Policy
from async_oauth1.provider.hooks import resolve
from async_oauth1.provider.responses import resource_error_response
from async_oauth1.provider.tokens import TOKEN_LENGTH, TOKEN_LENGTHS, TOKEN_SECRET_LENGTH, generate_token
from async_oauth1.provider.verification import BaseServer

from .requests import close_unanswered, guard_routing, make_response

T = TypeVar("T")
#: Generates ``{"oauth_token": ..., "oauth_token_secret": ...}``.
Generator = Callable[[], Awaitable[dict[str, str]]]


class _CurrentPolicy:
    """The policy of the current application, unless the server has an attribute of this name of its own."""

    def __get__(self, server: ServesApplications, _: type | None = None) -> Policy:
        found = value_for_current_application(server.policies)
        return server.own_policy if found is None else found


class ServesApplications(BaseServer):
    """A server whose policy is that of the application that handles the request.

    Attributes:
        own_policy: the policy given to the constructor. A server with several applications uses it outside of them.
        policies: the policy of each application.
    """

    policy: Policy = cast("Policy", _CurrentPolicy())
    own_policy: Policy
    policies: WeakKeyDictionary[Any, Policy]

    def register_given(self, **hooks: Callable[..., Any] | None) -> None:
        """Register the hooks that are not ``None``."""
        for name, func in hooks.items():
            if func is not None:
                self.register_hook(name, func)

    def error_response(self, error: OAuth1Error) -> Response:
        """Make the JSON response for an error that a view has caught."""
        self.report_refusal(error, None)
        policy = self.policy
        return make_response(resource_error_response(error, realm=policy.realm, problems=policy.problem_reporting))

    def adopt(self, app: Quart) -> None:
        """Read an application's configuration, and have the hooks checked before it serves.

        Raises:
            ValueError: a value of the configuration is out of range.
            TypeError: a value of the configuration is of the wrong kind.
        """
        if not hasattr(self, "policies"):
            self.own_policy, self.policies = self.policy, WeakKeyDictionary()
        observe_on_loop(self)
        policy = self.own_policy.updated(app.config)
        self._keep(app, policy)
        self.hooks.adopt(list(self.policies.values()))
        guard_routing(app, policy)
        name_unawaited(app)
        servers: list[ServesApplications] = app.extensions.setdefault("async_oauth1", [])
        servers.append(self)

        async def check_hooks() -> None:
            if self is servers[-1]:  # the last one: functions that register hooks of the others have run by now
                require_all_hooks(*servers)

        app.before_serving(check_hooks)
        # An OAuth1Error that a view does not catch is the client's error, not a 500. The application may handle it.
        if OAuth1Error not in app.error_handler_spec[None][None]:
            app.register_error_handler(OAuth1Error, self._answer_error)

    async def _answer_error(self, error: OAuth1Error) -> Response:
        await close_unanswered()
        return self.error_response(error)

    def _keep(self, app: Quart, policy: Policy) -> None:
        ours = [self.own_policy, *self.policies.values()]
        self.policies[app] = policy
        # A policy that the program itself has assigned to the attribute counts for every application.
        current = self.policy
        if any(current is known for known in ours):
            with contextlib.suppress(AttributeError):  # not set on the server: it is the current application's
                del self.policy
        if len(self.policies) == 1:
            self.policy = policy


def value_for_current_application(values: WeakKeyDictionary[Any, T]) -> T | None:
    """Look up the value of the application that handles the request; ``None`` if there is no such application."""
    proxy: Any = current_app
    app: Any = application_behind.get()
    if app is None and has_app_context():
        app = proxy._get_current_object()  # noqa: SLF001 - how Werkzeug's documentation unwraps a proxy
    return values.get(app) if isinstance(app, Quart) else None


class TokenGenerators:
    """Generates tokens as the current application is configured to."""

    def __init__(self) -> None:
        """Start without any application."""
        self._generators: WeakKeyDictionary[Any, Generator] = WeakKeyDictionary()

    def add(self, app: Quart) -> None:
        """Add an application, with its configuration.

        Raises:
            ValueError: a length that is out of range.
            TypeError: a generator that cannot be called.
        """
        self._generators[app] = token_generator(app)

    async def __call__(self) -> dict[str, str]:
        """Generate a token and its secret."""
        generate = value_for_current_application(self._generators) or next(iter(self._generators.values()))
        return await generate()


def token_generator(app: Quart) -> Generator:
    """Make the generator that an application's configuration describes."""
    token = _generator(app, "OAUTH1_TOKEN_GENERATOR", "OAUTH1_TOKEN_LENGTH", TOKEN_LENGTH)
    secret = _generator(app, "OAUTH1_TOKEN_SECRET_GENERATOR", "OAUTH1_TOKEN_SECRET_LENGTH", TOKEN_SECRET_LENGTH)

    async def generate() -> dict[str, str]:
        return {"oauth_token": await resolve(token()), "oauth_token_secret": await resolve(secret())}

    return generate


def _generator(app: Quart, generator_key: str, length_key: str, default_length: int) -> Callable[[], Any]:
    config = cast("Mapping[str, Any]", app.config)
    generator = config.get(generator_key)
    if isinstance(generator, str):
        generator = import_string(generator)
    if generator is None:
        length = config.get(length_key, default_length)
        if not isinstance(length, int) or length not in TOKEN_LENGTHS:
            raise ValueError(f"{length_key} must be a number of characters, 22 (128 bits) to 255, not {length!r}")
        return functools.partial(generate_token, length)
    if not callable(generator):
        raise TypeError(f"{generator_key} must be a function, or the import path of one as a string")
    return cast("Callable[[], Any]", generator)
