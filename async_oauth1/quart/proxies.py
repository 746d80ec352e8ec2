"""What a protected view wants to know of its request."""

from __future__ import annotations

import functools
from typing import Any

from quart import g, has_app_context
from werkzeug.local import LocalProxy

__all__ = ["current_client", "current_credential", "current_oauth1_request"]


def _verified(attribute: str | None) -> Any:
    request = g.get("async_oauth1_request") if has_app_context() else None
    return request if attribute is None else getattr(request, attribute, None)


#: The verified request of the current view, or ``None``: its parameters in the order received, its path as sent.
current_oauth1_request: Any = LocalProxy(functools.partial(_verified, None))
#: The token credential of the current view, or ``None``.
current_credential: Any = LocalProxy(functools.partial(_verified, "credential"))
#: The client of the current view, or ``None``.
current_client: Any = LocalProxy(functools.partial(_verified, "client"))
