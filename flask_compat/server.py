"""What both servers of the facade share: Authlib's class attributes, the hooks they find, and how their methods run."""

from __future__ import annotations

import functools
from collections import ChainMap
from collections.abc import Callable, Collection, Mapping, MutableMapping
from types import CoroutineType
from typing import Any, ClassVar, ParamSpec, TypeVar, cast

from async_oauth1.policy import Policy
from async_oauth1.provider.hooks.limiting import LimitedByFlows
from async_oauth1.provider.hooks.signatures import check_signature
from async_oauth1.provider.verification import BaseServer

from .configurations import Configuration, Configurations
from .execution.callable_kinds import is_async, is_marked_non_blocking, may_block, set_default
from .execution.database_pools import warn_of_small_pools
from .execution.flow_runner import WORKER_THREADS, Kinds, run
from .flows.base import Flows
from .frameworks.detection import App, Framework, adopt_app, find_framework, find_runtime
from .signature import VERIFIERS, Verifier
from .wrapper import OAuth1Request

P = ParamSpec("P")
Coro = TypeVar("Coro", bound="CoroutineType[Any, Any, Any]")

#: Framework-free defaults; the application's configuration comes on top.
_POLICY = Policy(uniform_errors=False)


def by_default(step: Callable[..., Any]) -> Callable[[Callable[P, Any]], Callable[P, Any]]:
    """Make a method that runs a step of the flows; only its signature and its docstring are written out.

    Args:
        step: called with the server's flows and the method's arguments.
    """

    def decorate(method: Callable[P, Any]) -> Callable[P, Any]:
        @functools.wraps(method)
        def run_step(self: Server, *args: object, **kwargs: object) -> Any:
            step_of_flows = functools.partial(step, self._flows, **kwargs)  # pyright: ignore[reportPrivateUsage]  # its methods
            return self._run(step_of_flows, *args, name=method.__name__)  # pyright: ignore[reportPrivateUsage]  # its methods

        set_default(run_step, step)
        return cast("Callable[P, Any]", run_step)

    return decorate


def check_signatures(**hooks: object) -> None:
    """Refuse hooks that do not take the arguments that they are called with.

    Raises:
        TypeError: names the first of them.
    """
    for name, func in hooks.items():
        if callable(func):
            check_signature(name, func)


class Server(LimitedByFlows):
    """The base of `AuthorizationServer` and `ResourceProtector`."""

    #: The registered verifiers by name: this class's own before those of the classes it derives from.
    SIGNATURE_METHODS: ClassVar[MutableMapping[str, Verifier]] = ChainMap({}, cast("dict[str, Verifier]", VERIFIERS))
    #: The methods that are accepted; the configuration's ``OAUTH1_SUPPORTED_SIGNATURE_METHODS`` replaces them.
    SUPPORTED_SIGNATURE_METHODS: Collection[str] = ["HMAC-SHA1"]
    #: Seconds into the past, and into the future, that a timestamp may lie; nothing: any.
    EXPIRY_TIME: int = 300

    #: Called with each refused request, its error and perhaps its explanation, a moment after the answer.
    on_refusal: Callable[[Any, Any, Any], Any] | None = None

    VERIFIERS = VERIFIERS
    MISSING_HOOK: ClassVar[str] = '"{}" hook is required.'
    #: Methods that a subclass may override, async or not.
    OVERRIDABLE: ClassVar[tuple[str, ...]] = (
        "get_client_by_id",
        "exists_nonce",
        "validate_timestamp_and_nonce",
        "validate_oauth_signature",
    )

    app: App | None
    _flows: Any  # of the class that the subclass declares

    def __init__(self) -> None:
        """Start without an application."""
        self.configurations = Configurations()
        self._shown: dict[str, Any] = {}

    def __init_subclass__(cls, **kwargs: object) -> None:
        """Give each class a registry of its own, over those of its bases as they are at any time."""
        super().__init_subclass__(**kwargs)
        if "SIGNATURE_METHODS" not in vars(cls):
            inherited = [vars(base)["SIGNATURE_METHODS"] for base in cls.__mro__ if "SIGNATURE_METHODS" in vars(base)]
            cls.SIGNATURE_METHODS = ChainMap({}, *inherited)  # pyright: ignore[reportConstantRedefinition]  # Authlib's name

    @classmethod
    def register_signature_method(cls, name: str, verify: Callable[..., Any]) -> None:
        """Add a signature method to this class of servers and those derived from it.

        Args:
            name: what ``oauth_signature_method`` says; it has to be supported, too.
            verify: called with the request. Only ``True`` itself accepts a signature.
        """
        cls.SIGNATURE_METHODS[name] = verify

    @by_default(Flows.validate_timestamp_and_nonce)
    def validate_timestamp_and_nonce(self, request: OAuth1Request) -> Any:
        """Check the timestamp, and that there is a nonce. It is remembered once the signature holds.

        Raises:
            OAuth1Error: the request is not accepted.
        """

    @by_default(Flows.validate_oauth_signature)
    def validate_oauth_signature(self, request: OAuth1Request) -> Any:
        """Check the signature.

        Raises:
            OAuth1Error: the request is not accepted.
        """

    @by_default(BaseServer.get_client_by_id)
    def get_client_by_id(self, client_id: str) -> Any:
        """Look a client up; by default by ``query_client``."""

    @by_default(BaseServer.exists_nonce)
    def exists_nonce(self, nonce: str, request: OAuth1Request) -> Any:
        """Remember a nonce and say whether it was known; by default by the function of that name."""

    def find_hook(self, name: str) -> Callable[..., Any] | None:
        """What was given as a hook."""
        raise NotImplementedError

    def _given(self) -> tuple[Any, ...]:
        """Every hook that was given."""
        raise NotImplementedError

    def _adopt(self, app: App) -> None:
        """Take an application's configuration."""
        adopt_app(app)
        policy = _POLICY.updated({**app.config, "OAUTH1_SUPPORTED_SIGNATURE_METHODS": None})
        settings: dict[str, Any] = {}
        config = cast("Mapping[str, Any]", app.config)
        methods = config.get("OAUTH1_SUPPORTED_SIGNATURE_METHODS")
        if methods:
            if isinstance(methods, str) or not isinstance(methods, Collection):
                raise TypeError(
                    f"OAUTH1_SUPPORTED_SIGNATURE_METHODS is a collection of names, not {type(methods).__name__}"
                )
            settings["SUPPORTED_SIGNATURE_METHODS"] = methods
        if config.get("OAUTH1_TIMESTAMP_WINDOW"):
            settings["EXPIRY_TIME"] = policy.timestamp_window
        self.configurations.add(app, Configuration(policy, settings))
        self._show(settings)
        self.app = app

    def _show(self, settings: dict[str, Any]) -> None:
        """Set what a single application has configured as attributes; what the user has set stays."""
        for name, value in self._shown.items():
            if vars(self).get(name) is value:
                delattr(self, name)
        self._shown = settings if self.configurations.only is not None else {}
        vars(self).update(self._shown)

    def find_configured(self, default: Policy) -> tuple[Policy, Collection[str]]:
        """The policy of the application at work, one of several, and the signature methods that it supports."""
        configuration = self.configurations.find()
        policy = default if configuration is None else configuration.policy
        return policy, self.find_setting("SUPPORTED_SIGNATURE_METHODS")

    def find_setting(self, name: str) -> Any:
        """An attribute, or what the application at work has configured in its place."""
        if self.configurations.only is None and name not in vars(self):
            configuration = self.configurations.find()
            if configuration is not None and name in configuration.settings:
                return configuration.settings[name]
        return getattr(self, name)

    def _framework(self) -> Framework:
        return find_framework(self.app)

    def _run(self, step: Callable[..., Any], *args: object, name: str) -> Any:
        result = run(functools.partial(find_runtime, self.app), self._kinds, step, *args)
        return self._named(result, name) if CoroutineType is type(result) else result

    def _run_endpoint(self, step: Callable[..., Any], *args: object, name: str) -> Any:
        """Run what reads the current request."""
        find = functools.partial(find_runtime, self.app)
        result = run(find, self._kinds, step, *args, prepare=self._prepare)
        return self._named(result, name) if CoroutineType is type(result) else result

    def _named(self, coroutine: Coro, name: str) -> Coro:
        """Name a coroutine after the method that returns it: Python names the coroutines that are never awaited."""
        coroutine.__qualname__ = f"{type(self).__name__}.{name}"
        return coroutine

    async def _read(self, request: Any, policy: Policy) -> OAuth1Request:
        framework = self._framework()
        read = await framework.read(request, policy)
        if self.limiter is not None:
            framework.announce_later(read)
        return read

    async def _prepare(self) -> None:
        await self._framework().prepare(self._flows.policy)

    def _kinds(self) -> Kinds:
        """Classified once, and again when a hook has been replaced."""
        hooks = self._given()
        known: tuple[tuple[Any, ...], Kinds] | None = self.__dict__.get("_known_kinds")
        if known is None or known[0] != hooks:
            known = self._known_kinds = hooks, self._classify(hooks)
        return known[1]

    def _classify(self, hooks: tuple[Any, ...]) -> Kinds:
        overrides = [getattr(self, name) for name in self.OVERRIDABLE]
        own = [func for func in overrides if not is_marked_non_blocking(func)]
        if find_framework(self.app).RUNS_WORKERS:
            warn_of_small_pools(hooks, WORKER_THREADS)
        kinds = {is_async(func) for func in (*hooks, *own) if callable(func) and (is_async(func) or may_block(func))}
        return Kinds(any_plain=False in kinds, any_async=True in kinds)
