"""Errors of the API as problem details (RFC 9457)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from http import HTTPStatus

from async_oauth1.provider.responses import OAuth1Response

__all__ = ["NOT_SNIFFED", "NOT_STORED", "ProblemError"]

#: Answers may contain secrets, and change with each operation.
NOT_STORED = ("Cache-Control", "no-store")
#: On every answer: a browser must not take JSON for a page.
NOT_SNIFFED = ("X-Content-Type-Options", "nosniff")


class ProblemError(Exception):
    """A request that is refused.

    Attributes:
        status: HTTP status.
        detail: what is wrong, and what to do; without secrets.
        headers: more header fields of the answer.
    """

    def __init__(self, status: int, detail: str, headers: Sequence[tuple[str, str]] = ()) -> None:
        """Refuse a request."""
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, headers

    def response(self) -> OAuth1Response:
        """The answer, as problem details (RFC 9457)."""
        title = HTTPStatus(self.status).phrase
        body = json.dumps({"type": "about:blank", "title": title, "status": self.status, "detail": self.detail})
        content_type = ("Content-Type", "application/problem+json")
        return OAuth1Response(self.status, body, [content_type, NOT_STORED, NOT_SNIFFED, *self.headers])
