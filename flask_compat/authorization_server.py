"""``AuthorizationServer`` with the surface of ``authlib.integrations.flask_oauth1``."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, cast
from weakref import WeakKeyDictionary

from werkzeug.utils import import_string

from async_oauth1.protocol.encoding import as_text, escape_text
from async_oauth1.provider import authorization_server as core
from async_oauth1.provider.hooks import call_hook
from async_oauth1.provider.hooks.signatures import unknown_hook
from async_oauth1.provider.responses import error_headers, error_members
from async_oauth1.provider.tokens import TOKEN_LENGTH, TOKEN_SECRET_LENGTH, generate_token

from .configurations import value_for_current_app
from .errors import OAuth1Error
from .execution.callable_kinds import is_async, non_blocking
from .flows.authorization import AuthorizationFlows
from .frameworks.detection import App
from .server import Server, by_default, check_signatures
from .wrapper import OAuth1Request

__all__ = ["AuthorizationServer"]


class AuthorizationServer(Server):
    """Issues temporary and token credentials, on Flask or on Quart.

    Its methods return awaitables if an event loop runs in the calling thread, and the result itself otherwise.

    Configuration: ``OAUTH1_SUPPORTED_SIGNATURE_METHODS``, ``OAUTH1_TOKEN_GENERATOR``,
    ``OAUTH1_TOKEN_SECRET_GENERATOR`` (import strings or callables), ``OAUTH1_TOKEN_LENGTH`` (42),
    ``OAUTH1_TOKEN_SECRET_LENGTH`` (48), and every attribute of `async_oauth1.Policy` in upper case behind ``OAUTH1_``.
    """

    #: Headers of an answer with credentials.
    TOKEN_RESPONSE_HEADER: ClassVar[list[tuple[str, str]]] = [
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Cache-Control", "no-store"),
        ("Pragma", "no-cache"),
    ]
    #: The HTTP method of both token endpoints; the configuration's ``OAUTH1_GET_AT_TOKEN_ENDPOINTS`` adds GET.
    TEMPORARY_CREDENTIALS_METHOD = "POST"
    _flows: AuthorizationFlows

    OVERRIDABLE = (
        *Server.OVERRIDABLE,
        "create_oauth1_request",
        "handle_response",
        "handle_error_response",
        "validate_temporary_credentials_request",
        "validate_authorization_request",
        "validate_token_request",
        "create_temporary_credential",
        "get_temporary_credential",
        "delete_temporary_credential",
        "create_authorization_verifier",
        "create_token_credential",
    )

    def __init__(
        self,
        app: App | None = None,
        query_client: Callable[..., Any] | None = None,
        token_generator: Callable[..., Any] | None = None,
    ) -> None:
        """Make a server, for an application now or with `init_app` later.

        Args:
            app: of Flask or Quart.
            query_client: looks a client up by its identifier.
            token_generator: makes a dict of ``oauth_token`` and ``oauth_token_secret``.
        """
        super().__init__()
        check_signatures(query_client=query_client, token_generator=token_generator)
        self.app = app
        self.query_client = query_client
        self.token_generator = token_generator
        self._made_generators: WeakKeyDictionary[Any, Callable[[], Any]] = WeakKeyDictionary()
        self._first_made: Callable[[], Any] | None = None
        self._hooks: dict[str, Callable[..., Any] | None] = {
            "exists_nonce": None,
            "create_temporary_credential": None,
            "get_temporary_credential": None,
            "delete_temporary_credential": None,
            "create_authorization_verifier": None,
            "create_token_credential": None,
        }
        self._more_hooks: dict[str, Callable[..., Any] | None] = {
            "get_ended_temporary_credential": None,
            "requested_scope": None,
            "token_response_parameters": None,
            "audit": None,
        }
        self._flows = AuthorizationFlows(self)
        if app is not None:
            self.init_app(app)

    def init_app(
        self,
        app: App,
        query_client: Callable[..., Any] | None = None,
        token_generator: Callable[..., Any] | None = None,
    ) -> None:
        """Take an application's configuration.

        Args:
            app: of Flask or Quart.
            query_client: looks a client up by its identifier.
            token_generator: makes a dict of ``oauth_token`` and ``oauth_token_secret``.

        Raises:
            TypeError: the application is neither Flask's nor Quart's, or a value of its configuration has a wrong type.
            ValueError: a value of its configuration is out of range.
        """
        check_signatures(query_client=query_client, token_generator=token_generator)
        self._adopt(app)
        if query_client is not None:
            self.query_client = query_client
        if token_generator is not None:
            self.token_generator = token_generator
        self._made_generators[app] = made = self.create_token_generator(app)
        if self.token_generator is None:
            self.token_generator = self._first_made = made

    def register_hook(self, name: str, func: Callable[..., Any]) -> None:
        """Set a hook, plain or async.

        Besides Authlib's six there are ``requested_scope``, ``token_response_parameters`` and ``audit``.

        Raises:
            ValueError: no hook has that name.
            TypeError: the function does not take the arguments of this hook.
        """
        hooks = self._more_hooks if name in self._more_hooks else self._hooks
        if name not in hooks:
            raise ValueError(unknown_hook(name, (*self._hooks, *self._more_hooks)))
        check_signatures(**{name: func})
        hooks[name] = func

    def find_token_generator(self) -> Callable[..., Any] | None:
        """The generator that was given, or the one that the current application configures."""
        if self._first_made is None or self.token_generator is not self._first_made:
            return self.token_generator
        return value_for_current_app(self._made_generators) or self._first_made

    def create_token_generator(self, app: App) -> Callable[[], Any]:
        """Make the generator that an application's configuration asks for."""
        token = _generator(app.config, "OAUTH1_TOKEN_GENERATOR", "OAUTH1_TOKEN_LENGTH", TOKEN_LENGTH)
        secret = _generator(
            app.config, "OAUTH1_TOKEN_SECRET_GENERATOR", "OAUTH1_TOKEN_SECRET_LENGTH", TOKEN_SECRET_LENGTH
        )

        @non_blocking
        def create_token() -> dict[str, Any]:
            return {"oauth_token": token(), "oauth_token_secret": secret()}

        async def create_token_async() -> dict[str, Any]:
            return {"oauth_token": await call_hook(token), "oauth_token_secret": await call_hook(secret)}

        if is_async(token) or is_async(secret):
            return create_token_async
        # A configured generator may block, and a partial has no mark.
        config = cast("Mapping[str, Any]", app.config)
        configured = config.get("OAUTH1_TOKEN_GENERATOR") or config.get("OAUTH1_TOKEN_SECRET_GENERATOR")
        return functools.partial(create_token) if configured else create_token

    # The endpoints ---------------------------------------------------------------------------------------------------

    def create_temporary_credentials_response(self, request: object = None) -> Any:
        """Answer a request for temporary credentials (RFC 5849 section 2.1), errors included."""
        return self._run_endpoint(
            self._flows.create_temporary_credentials_response, request, name="create_temporary_credentials_response"
        )

    def check_authorization_request(self) -> Any:
        """Find what the resource owner is asked to authorize (section 2.2).

        Returns:
            The request, with the temporary ``credential`` and its ``client``.

        Raises:
            OAuth1Error: there is no such temporary credential.
        """
        return self._run_endpoint(self._flows.check_authorization_request, name="check_authorization_request")

    def create_authorization_response(
        self, request: object = None, grant_user: object = None, *, scope: str | None = None
    ) -> Any:
        """Record the resource owner's answer, and redirect to the client.

        The same user who approves again before the exchange gets the same redirect again.

        Args:
            request: a framework's request; by default the current one.
            grant_user: the user who approves; ``None`` denies.
            scope: what the user grants, separated by spaces. The hook ``create_authorization_verifier`` must have a
                parameter of this name, and store it.

        Raises:
            OAuth1Error: there is no such temporary credential, it was decided otherwise before, or the scope is
                malformed.
            TypeError: a scope is granted, and the hook does not take it.
        """
        step = functools.partial(self._flows.create_authorization_response, scope=scope)
        return self._run_endpoint(step, request, grant_user, name="create_authorization_response")

    def create_token_response(self, request: object = None) -> Any:
        """Answer a request for token credentials (section 2.3), errors included."""
        return self._run_endpoint(self._flows.create_token_response, request, name="create_token_response")

    # What a subclass may override ------------------------------------------------------------------------------------

    @non_blocking
    def create_oauth1_request(self, request: object) -> Any:
        """Make an ``OAuth1Request`` from a framework's request, the current one if none is given."""
        return self._run(self._flows.read_request, self._read, request, name="create_oauth1_request")

    @non_blocking
    def handle_response(
        self, status_code: int, payload: str | Iterable[tuple[str | bytes, str | bytes]], headers: list[tuple[str, str]]
    ) -> Any:
        """Make a response: ``payload`` is text, or name and value pairs to be form-encoded."""
        if not isinstance(payload, str):
            payload = "&".join(f"{escape_text(as_text(name))}={escape_text(as_text(value))}" for name, value in payload)
        return self._run(self._framework().respond, payload, status_code, headers, name="handle_response")

    @non_blocking
    def handle_error_response(self, error: OAuth1Error) -> Any:
        """Make a response for an error."""
        allow, policy = ", ".join(self._flows.accepted_methods()), self._flows.policy
        reports = policy.problem_reporting
        more = error_headers(error, realm=policy.realm, allow=allow, problems=reports)
        members, headers = error_members(error, problems=reports), [*error.get_headers(), *more]
        return self._run(self._flows.respond, error.status_code, members, headers, name="handle_error_response")

    @by_default(AuthorizationFlows.default_validate_temporary_credentials_request)
    def validate_temporary_credentials_request(self, request: OAuth1Request) -> Any:
        """Verify a request for temporary credentials.

        Raises:
            OAuth1Error: it is not accepted.
        """

    @by_default(AuthorizationFlows.default_validate_authorization_request)
    def validate_authorization_request(self, request: OAuth1Request) -> Any:
        """Find the temporary credential that is to be authorized.

        Raises:
            OAuth1Error: there is none, or it was decided before.
        """

    @by_default(AuthorizationFlows.default_validate_token_request)
    def validate_token_request(self, request: OAuth1Request) -> Any:
        """Verify a request for token credentials.

        Raises:
            OAuth1Error: it is not accepted; the temporary credential stays.
        """

    @by_default(core.AuthorizationServer.create_temporary_credential)
    def create_temporary_credential(self, request: OAuth1Request) -> Any:
        """Create and keep a temporary credential; by default the hook of that name."""

    @by_default(core.AuthorizationServer.get_temporary_credential)
    def get_temporary_credential(self, request: OAuth1Request) -> Any:
        """Look a temporary credential up; by default the hook of that name."""

    @by_default(core.AuthorizationServer.delete_temporary_credential)
    def delete_temporary_credential(self, request: OAuth1Request) -> Any:
        """Delete a temporary credential; by default the hook of that name."""

    @by_default(core.AuthorizationServer.create_authorization_verifier)
    def create_authorization_verifier(self, request: OAuth1Request) -> Any:
        """Create a verifier, bind it and the user to the credential, and return it; by default by the hook."""

    @by_default(core.AuthorizationServer.create_token_credential)
    def create_token_credential(self, request: OAuth1Request) -> Any:
        """Create and keep a token credential; by default the hook of that name."""

    def find_hook(self, name: str) -> Callable[..., Any] | None:
        """What was given as a hook."""
        if name == "query_client":
            return self.query_client
        return self._more_hooks[name] if name in self._more_hooks else self._hooks[name]

    def _given(self) -> tuple[Any, ...]:
        return (self.query_client, self.token_generator, *self._hooks.values(), *self._more_hooks.values())


def _generator(
    config: Mapping[str, Any], generator_key: str, length_key: str, default_length: int
) -> Callable[[], Any]:
    generator: Any = config.get(generator_key)
    if isinstance(generator, str):
        generator = import_string(generator)
    if generator is None:
        return functools.partial(generate_token, config.get(length_key, default_length))
    if not callable(generator):
        raise TypeError(f"{generator_key} must be a function or an import string, not {type(generator).__name__}")
    made: Callable[[], Any] = generator
    return made
