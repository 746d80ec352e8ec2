"""Routes of Quart that take any method and any path, and the view that answers what it received."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from quart import Quart, request
from werkzeug.routing import BaseConverter

from async_oauth1.quart import current_client, current_credential, current_oauth1_request

__all__ = ["add_any_method", "add_any_path", "echo"]


class AnythingConverter(BaseConverter):
    """Matches any rest of a path: empty, with several slashes, with line breaks."""

    regex = r"[\s\S]*"
    part_isolating = False


def add_any_method(app: Quart, path: str, endpoint: str, view: Callable[..., Any]) -> None:
    """Route a path for every method, also for HEAD and OPTIONS, which Quart would answer itself."""
    app.url_map.converters["anything"] = AnythingConverter
    rule = app.url_rule_class(path, endpoint=endpoint)
    rule.provide_automatic_options = False
    app.url_map.add(rule)
    app.view_functions[endpoint] = view


def add_any_path(app: Quart, path: str, view: Callable[..., Any]) -> None:
    """Route a path and everything below it for every method. The view is called with ``rest=``, or without."""
    for rule in (path, f"{path}/<anything:rest>"):
        add_any_method(app, rule, path.strip("/"), view)


async def echo(**_rest: str) -> dict[str, Any]:
    """The verified request as it was received, with its parameters in their order."""
    received = current_oauth1_request
    body = await request.get_data(cache=True, as_text=False, parse_form_data=False)
    return {
        "method": received.method,
        "raw_path": received.raw_path.decode("latin-1"),
        "query": received.query_params,
        "form": received.body_params,
        "body_sha256": hashlib.sha256(body).hexdigest(),
        "client_id": current_client.client_id,
        "user": current_credential.user_id if current_credential else None,
    }
