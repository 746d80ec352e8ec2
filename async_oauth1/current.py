"""Proxies for the verified request that is being handled, its credential and its client."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, cast

from async_oauth1.credentials import Client, TokenCredential
from async_oauth1.protocol.request import OAuth1Request

__all__ = ["Proxy", "current_client", "current_credential", "current_oauth1_request", "sources", "verified_request"]

if TYPE_CHECKING:
    # For type checkers, a proxy is the object behind it, except that it is false outside a verified request.

    class CurrentClient(Client):
        """What `current_client` looks like."""

        def __bool__(self) -> bool: ...

    class CurrentCredential(TokenCredential):
        """What `current_credential` looks like."""

        def __bool__(self) -> bool: ...

    class CurrentRequest(OAuth1Request):
        """What `current_oauth1_request` looks like."""

        def __bool__(self) -> bool: ...


#: The request that `OAuth1Middleware` or an adapter has verified. Frameworks copy it to the threads of plain functions.
verified_request: ContextVar[OAuth1Request | None] = ContextVar("async_oauth1.verified_request", default=None)
#: Frameworks with contexts of their own, such as Quart's ``g``. They are asked first.
sources: list[Callable[[], OAuth1Request | None]] = []


def _find(attribute: str | None) -> Any:
    request = None
    for source in sources:
        if (request := source()) is not None:
            break
    request = request or verified_request.get()
    return request if attribute is None else getattr(request, attribute, None)


class Proxy:
    """Behaves like the current object of one kind; false outside a verified request."""

    __slots__ = ("_attribute", "_name")

    def __init__(self, name: str, attribute: str | None) -> None:
        """Look nothing up yet.

        Args:
            name: of the proxy, for errors.
            attribute: of the verified request; ``None`` for the request itself.
        """
        object.__setattr__(self, "_name", name)
        object.__setattr__(self, "_attribute", attribute)

    def _get_current_object(self) -> Any:
        """The object itself, or ``None``; named as in Werkzeug's proxies."""
        return _find(self._attribute)

    if not TYPE_CHECKING:

        @property
        def __class__(self) -> type:  # so that isinstance() sees the class of the object
            return type(self._get_current_object())

    def __getattr__(self, name: str) -> Any:
        found = _find(self._attribute)
        if found is None:
            raise AttributeError(
                f"{self._name} has no {name!r}: no verified request is being handled here, or the request has no token."
            )
        return getattr(found, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._get_current_object(), name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._get_current_object(), name)

    def __bool__(self) -> bool:
        return bool(self._get_current_object())

    def __eq__(self, other: object) -> bool:
        found: Any = self._get_current_object()
        return bool(found == (other._get_current_object() if type(other) is Proxy else other))

    def __hash__(self) -> int:
        return hash(self._get_current_object())

    def __repr__(self) -> str:
        return repr(self._get_current_object())

    def __str__(self) -> str:
        return str(self._get_current_object())

    def __dir__(self) -> list[str]:
        return dir(self._get_current_object())

    def __getitem__(self, key: Any) -> Any:  # models may be mappings
        return self._get_current_object()[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._get_current_object())

    def __len__(self) -> int:
        return len(self._get_current_object())

    def __contains__(self, item: object) -> bool:
        return item in self._get_current_object()

    def __copy__(self) -> Any:
        return self._get_current_object()

    def __deepcopy__(self, memo: Any) -> Any:
        return self._get_current_object()


#: The verified request that is being handled: its parameters in the order received, its path as sent. False outside of
#: a protected handler.
current_oauth1_request = cast("CurrentRequest", Proxy("current_oauth1_request", None))
#: The token credential of the request, as the shipped stores return it. False if the request has none.
current_credential = cast("CurrentCredential", Proxy("current_credential", "credential"))
#: The client of the request; like `current_credential`.
current_client = cast("CurrentClient", Proxy("current_client", "client"))
