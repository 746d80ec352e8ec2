"""Lets the proxies of `async_oauth1.asgi` find the request that a Quart view has verified."""

from __future__ import annotations

from typing import cast

from quart import g, has_app_context

from async_oauth1.current import current_client, current_credential, current_oauth1_request, sources
from async_oauth1.protocol.request import OAuth1Request

__all__ = ["current_client", "current_credential", "current_oauth1_request"]


def _find_in_context() -> OAuth1Request | None:
    return cast("OAuth1Request | None", g.get("async_oauth1_request")) if has_app_context() else None


sources.append(_find_in_context)
