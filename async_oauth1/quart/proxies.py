"""Proxies for the request that a protected view handles, its credential and its client."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, cast

from quart import g, has_app_context
from werkzeug.local import LocalProxy

from async_oauth1.credentials import Client, TokenCredential
from async_oauth1.protocol.request import OAuth1Request

__all__ = ["current_client", "current_credential", "current_oauth1_request"]

if TYPE_CHECKING:
    # For type checkers, a proxy is the object behind it, except that it may be false: then there is none.

    class CurrentClient(Client):
        """What `current_client` looks like."""

        def __bool__(self) -> bool: ...

    class CurrentCredential(TokenCredential):
        """What `current_credential` looks like."""

        def __bool__(self) -> bool: ...

    class CurrentRequest(OAuth1Request):
        """What `current_oauth1_request` looks like."""

        def __bool__(self) -> bool: ...


def _verified(attribute: str | None) -> Any:
    request = g.get("async_oauth1_request") if has_app_context() else None
    return request if attribute is None else getattr(request, attribute, None)


#: The verified request of the current view: its parameters in the order received, its path as sent. False outside of a
#: protected view.
current_oauth1_request = cast("CurrentRequest", LocalProxy(functools.partial(_verified, None)))
#: The token credential of the current view, as the shipped stores return it. False if the request has none. With models
#: of your own, use the attribute of this name of your `ResourceProtector`: it has their type.
current_credential = cast("CurrentCredential", LocalProxy(functools.partial(_verified, "credential")))
#: The client of the current view; like `current_credential`.
current_client = cast("CurrentClient", LocalProxy(functools.partial(_verified, "client")))
