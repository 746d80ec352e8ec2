"""The user of a verified request, as Starlette's authentication has it; Starlette itself is not needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, cast

from async_oauth1.credentials import ClientT_co, TokenT_co
from async_oauth1.protocol.encoding import as_text
from async_oauth1.protocol.request import OAuth1Request
from async_oauth1.provider.hooks import call_hook, optional

from .requests import Scope

__all__ = ["AnonymousUser", "Granted", "OAuth1User", "UserKinds", "identity_of", "scopes_of", "with_user"]


class OAuth1User(Generic[ClientT_co, TokenT_co]):
    """The user whose token signed a request; of a two-legged request, the client."""

    def __init__(self, identity: str, credential: TokenT_co | None, client: ClientT_co) -> None:
        """Keep what was verified."""
        self._identity = identity
        self._credential = credential
        self._client = client

    @property
    def is_authenticated(self) -> bool:
        """True."""
        return True

    @property
    def identity(self) -> str:
        """The user's id; of a two-legged request, the client's."""
        return self._identity

    @property
    def display_name(self) -> str:
        """The identity."""
        return self._identity

    @property
    def credential(self) -> TokenT_co | None:
        """The token credential; ``None`` if the request is two-legged. For a bearer token, its principal."""
        return self._credential

    @property
    def client(self) -> ClientT_co:
        """The client. ``None`` for a bearer token."""
        return self._client


class AnonymousUser:
    """The user of a request that was not verified."""

    is_authenticated = False
    identity = ""
    display_name = ""


class Granted:
    """What Starlette's ``requires`` checks.

    Attributes:
        scopes: ``authenticated``, and the scopes of the token; none if the request was not verified.
    """

    def __init__(self, scopes: Sequence[str]) -> None:
        """Keep them."""
        self.scopes = [*scopes]


class UserKinds:
    """The classes of users and of what they are granted, which a framework may have of its own."""

    def __init__(
        self,
        user: Callable[[str, Any, Any], Any] = OAuth1User,
        anonymous: Callable[[], Any] = AnonymousUser,
        granted: Callable[[Sequence[str]], Any] = Granted,
    ) -> None:
        """Keep the classes."""
        self._user = user
        self._anonymous = anonymous
        self._granted = granted

    async def add(self, scope: Scope, request: OAuth1Request | None) -> Scope:
        """Add ``user`` and ``auth`` to the scope of a request.

        Args:
            scope: of the request.
            request: the verified request; ``None`` if it needed no signature. Then what is there already stays.
        """
        if request is None:
            return {"user": self._anonymous(), "auth": self._granted([]), **scope}
        credential, client = request.credential, request.client
        if not request.protocol_parameters:  # a bearer token, and the credential is its principal
            user = self._user(await identity_of(credential), credential, client)
            return {**scope, "user": user, "auth": self._granted(["authenticated", *await scopes_of(credential)])}
        user_id = await optional(credential, "get_user_id")
        identity = request.client_id if credential is None else user_id
        granted = await optional(credential, "get_scope") or ()
        names = granted.split() if isinstance(granted, str) else [*granted]
        user = self._user("" if identity is None else as_text(identity), credential, client)
        return {**scope, "user": user, "auth": self._granted(["authenticated", *names])}


with_user = UserKinds().add


async def scopes_of(principal: object) -> list[str]:
    """The scopes of a principal: of ``get_scope()``, or its attribute or key ``scope`` or ``scopes``."""
    found = await _read(principal, "get_scope", "scope", "scopes")
    return found.split() if isinstance(found, str) else [*map(str, found or ())]


async def identity_of(principal: object) -> str:
    """The id of a principal's user: of ``get_user_id()``, or its attribute or key ``user_id`` or ``sub``."""
    if isinstance(principal, str):
        return principal
    found = await _read(principal, "get_user_id", "user_id", "sub")
    return "" if found is None else as_text(found)


async def _read(principal: object, method: str, *names: str) -> Any:
    if callable(func := getattr(principal, method, None)):
        return await call_hook(func)
    if isinstance(principal, Mapping):
        values = cast("Mapping[str, Any]", principal)
        return next((values[name] for name in names if name in values), None)
    return next((getattr(principal, name) for name in names if hasattr(principal, name)), None)
