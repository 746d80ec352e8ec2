"""A request to the API whose operator is known, and its answers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from async_oauth1.asgi.origin import request_path
from async_oauth1.asgi.requests import Receive, Scope
from async_oauth1.provider.responses import OAuth1Response
from async_oauth1.stores import Page

from .problems import NOT_SNIFFED, NOT_STORED, ProblemError

__all__ = ["MAX_PAGE_SIZE", "PAGE_PARAMETERS", "Call", "answer", "paged"]

#: Records of a page: the default, and how many may be asked for.
_PAGE_SIZE, MAX_PAGE_SIZE = 250, 1000
_MAX_DIGITS = 15
PAGE_PARAMETERS = ("page_size", "page_token")


@dataclass(frozen=True, slots=True)
class Call:
    """A request.

    Attributes:
        scope: a snapshot of the ASGI scope.
        receive: as the server passes it.
        operator: the name that the permission hook has returned.
        path: as the client knows it, percent-encoded.
        query: the parameters of the query.
        identifiers: the identifiers in the path.
    """

    scope: Scope
    receive: Receive
    operator: str
    path: str
    query: Mapping[str, str]
    identifiers: tuple[str, ...]

    @property
    def page(self) -> dict[str, Any]:
        """The arguments for a page of a list.

        Raises:
            ProblemError: 400, the size is not a number in range.
        """
        size = self.number("page_size")
        size = _PAGE_SIZE if size is None else size
        if not 1 <= size <= MAX_PAGE_SIZE:
            raise ProblemError(400, f"page_size must be from 1 to {MAX_PAGE_SIZE}.")
        return {"limit": size, "after": self.query.get("page_token", "")}

    def number(self, name: str) -> int | None:
        """A parameter that is a whole number; ``None`` if it is not there.

        Raises:
            ProblemError: 400, it is something else.
        """
        text = self.query.get(name)
        if text is None:
            return None
        if not (text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS):
            raise ProblemError(400, f"{name} must be a whole number.")
        return int(text)


def path_of(scope: Scope, prefix: str) -> str:
    """The path of a request as the client knows it: behind the prefix of the external base URL."""
    path = "/" + request_path(scope).decode("latin-1").lstrip("/")  # a link to "//host/" would lead to another host
    return path if not prefix or path.startswith(f"{prefix}/") else prefix + path


def answer(value: object, status: int = 200, headers: Sequence[tuple[str, str]] = ()) -> OAuth1Response:
    """A JSON answer; without a body for 204."""
    if status == 204:
        return OAuth1Response(204, "", [NOT_STORED, NOT_SNIFFED])
    content_type = ("Content-Type", "application/json")
    return OAuth1Response(status, json.dumps(value), [content_type, NOT_STORED, NOT_SNIFFED, *headers])


def paged(call: Call, page: Page[Any], items: list[dict[str, Any]]) -> OAuth1Response:
    """A page of a list, with links to the first and the next one (RFC 8288)."""
    first = {name: value for name, value in call.query.items() if name != "page_token"}
    targets = [("first", first)]
    if page.next is not None:
        targets.append(("next", {**first, "page_token": page.next}))
    links = ", ".join(f'<{_target(call.path, query)}>; rel="{relation}"' for relation, query in targets)
    return answer(items, headers=[("Link", links)])


def _target(path: str, query: Mapping[str, str]) -> str:
    safe_path = quote(path, safe="/%:@!$&'()*+,;=~")
    return f"{safe_path}?{urlencode(query)}" if query else safe_path
