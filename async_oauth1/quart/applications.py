"""What a server has from each Quart application that it serves: a policy, and generators of tokens.

Servers are often made at module level, and applications by a factory, so one server may serve several applications that
are configured differently. As long as there is one, its policy is a plain attribute of the server.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast
from weakref import WeakKeyDictionary

from quart import Quart, Response, current_app, has_app_context
from werkzeug.utils import import_string

from async_oauth1.asgi.requests import application_behind
from async_oauth1.errors import MissingHookError, OAuth1Error
from async_oauth1.policy import Policy
from async_oauth1.provider.hooks import resolve
from async_oauth1.provider.responses import resource_error_response
from async_oauth1.provider.tokens import TOKEN_LENGTH, TOKEN_LENGTHS, TOKEN_SECRET_LENGTH, generate_token
from async_oauth1.provider.verification import BaseServer

from .requests import guard_routing, make_response

T = TypeVar("T")
#: Makes ``{"oauth_token": ..., "oauth_token_secret": ...}``.
Generator = Callable[[], Awaitable[dict[str, str]]]


class _PolicyAtWork:
    """The policy of the application at work. An instance's own attribute comes first, since nothing sets this one."""

    def __get__(self, server: ServesApplications, _: type | None = None) -> Policy:
        found = of_application_at_work(server.policies)
        return server.own_policy if found is None else found


class ServesApplications(BaseServer):
    """A server that takes its policy from the application that handles the request.

    Attributes:
        own_policy: what the server was made with; counts outside of every application if there are several.
        policies: by application.
    """

    policy: Policy = cast("Policy", _PolicyAtWork())
    own_policy: Policy
    policies: WeakKeyDictionary[Any, Policy]

    def adopt(self, app: Quart) -> None:
        """Take an application's configuration, and check the hooks before it serves.

        Raises:
            ValueError: a value of the configuration is out of its range.
            TypeError: a value of the configuration is of the wrong kind.
        """
        if "policies" not in vars(self):
            self.own_policy, self.policies = self.policy, WeakKeyDictionary()
        policy = self.own_policy.updated(app.config)
        self._keep(app, policy)
        self.hooks.adopt(list(self.policies.values()))
        guard_routing(app, policy)
        servers: list[ServesApplications] = app.extensions.setdefault("async_oauth1", [])
        servers.append(self)

        async def check_hooks() -> None:
            if self is servers[-1]:  # the last of them: what was to give hooks to the others has run, too
                _require_hooks(servers)

        async def answer(error: OAuth1Error) -> Response:
            return make_response(resource_error_response(error, realm=self.policy.realm))

        app.before_serving(check_hooks)
        # What a view lets through is still the client's error, and no 500. An application's own handler comes first.
        if OAuth1Error not in app.error_handler_spec[None][None]:
            app.register_error_handler(OAuth1Error, answer)

    def _keep(self, app: Quart, policy: Policy) -> None:
        ours = [self.own_policy, *self.policies.values()]
        self.policies[app] = policy
        # What the program has assigned to the attribute counts for every application.
        if any(vars(self).get("policy") is known for known in ours):
            del self.policy
        if len(self.policies) == 1:
            self.policy = policy


def of_application_at_work(values: WeakKeyDictionary[Any, T]) -> T | None:
    """What is kept for the application that handles the request; ``None`` outside of all of them."""
    proxy: Any = current_app
    app: Any = application_behind.get()
    if app is None and has_app_context():
        app = proxy._get_current_object()  # noqa: SLF001 - how Werkzeug's documentation unwraps a proxy
    return values.get(app) if isinstance(app, Quart) else None


class TokenGenerators:
    """Generates tokens as the application at work has configured it."""

    def __init__(self) -> None:
        """Start without an application."""
        self._generators: WeakKeyDictionary[Any, Generator] = WeakKeyDictionary()

    def add(self, app: Quart) -> None:
        """Read an application's configuration.

        Raises:
            ValueError: a length that is out of its range.
            TypeError: a generator that cannot be called.
        """
        self._generators[app] = token_generator(app)

    async def __call__(self) -> dict[str, str]:
        """Generate a token and its secret."""
        generate = of_application_at_work(self._generators) or next(iter(self._generators.values()))
        return await generate()


def token_generator(app: Quart) -> Generator:
    """Make a generator of an application's configuration."""
    token = _generator(app, "OAUTH1_TOKEN_GENERATOR", "OAUTH1_TOKEN_LENGTH", TOKEN_LENGTH)
    secret = _generator(app, "OAUTH1_TOKEN_SECRET_GENERATOR", "OAUTH1_TOKEN_SECRET_LENGTH", TOKEN_SECRET_LENGTH)

    async def generate() -> dict[str, str]:
        return {"oauth_token": await resolve(token()), "oauth_token_secret": await resolve(secret())}

    return generate


def _generator(app: Quart, generator_key: str, length_key: str, default_length: int) -> Callable[[], Any]:
    generator: Any = app.config.get(generator_key)
    if isinstance(generator, str):
        generator = import_string(generator)
    if generator is None:
        length = app.config.get(length_key, default_length)
        if not isinstance(length, int) or length not in TOKEN_LENGTHS:
            raise ValueError(f"{length_key} is a number of characters, 22 (128 bits) to 255, not {length!r}")
        return functools.partial(generate_token, length)
    if not callable(generator):
        raise TypeError(f"{generator_key} is a function, or a string that imports one")
    return cast("Callable[[], Any]", generator)


def _require_hooks(servers: list[ServesApplications]) -> None:
    """Name what is missing of every server, so that one start shows all of it."""
    missing = []
    for server in servers:
        try:
            server.require_hooks(again=True)
        except MissingHookError as error:
            missing.append(str(error))
    if missing:
        raise MissingHookError(" ".join(missing))
