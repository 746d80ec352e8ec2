"""A request to the admin page whose operator is known."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from async_oauth1.asgi.origin import request_path
from async_oauth1.asgi.requests import Scope

from .form_tokens import FormToken

__all__ = ["PageRequest", "locate"]


@dataclass(frozen=True, slots=True)
class PageRequest:
    """What the views need of a request.

    Attributes:
        operator: the name that the permission hook has returned.
        base: the path of the page, as the browser knows it; empty or without a slash at its end.
        query: the fields of the query.
        form: the fields of a form that was sent; empty for a GET.
        form_token: of the form that was sent; ``None`` for a GET.
    """

    operator: str
    base: str
    query: Mapping[str, str]
    form: Mapping[str, str] = field(default_factory=dict[str, str])
    form_token: FormToken | None = None


def locate(scope: Scope) -> tuple[str, str]:
    """Where the page is mounted, and the path below it.

    Some frameworks cut a mount off ``path``, others only add it to ``root_path``; Litestar does the first without the
    second. What is cut off is still in ``raw_path``.

    Returns:
        The mount, percent-encoded for links, and the decoded path below it, which begins with a slash.
    """
    path: str = scope["path"]
    root_path: str = (scope.get("root_path") or "").rstrip("/")
    if root_path and (path == root_path or path.startswith(f"{root_path}/")):
        return quote(root_path), path[len(root_path) :] or "/"
    on_wire = request_path(scope).decode("latin-1")
    below = path if path.startswith("/") else f"/{path}"
    if not on_wire.endswith("/"):
        below = below.removesuffix("/")  # Litestar adds it
    mount = next((on_wire.removesuffix(end) for end in (quote(below), below) if on_wire.endswith(end)), "")
    # A path that began with two slashes would be another host in links and redirects.
    return re.sub("^/+", "/", mount) or quote(root_path), below or "/"
