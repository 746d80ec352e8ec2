"""A request as octets, for code that signs requests or explains them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from async_oauth1.policy import SizeLimits

from .request import OAuth1Request

__all__ = ["Place", "RawRequest"]

#: Where parameters can be (RFC 5849 section 3.4.1.3.1).
Place: TypeAlias = Literal["header", "query", "form"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RawRequest:
    """A request as it is sent. Query, header fields and body are not in its ``repr``, since they may hold secrets.

    Attributes:
        method: HTTP method.
        scheme: ``http`` or ``https``.
        host: host and port.
        path: with a leading slash; octets.
        query: without the question mark; octets.
        headers: the header fields; octets.
        body: octets.
        peer: address of the client; ``None`` if unknown.
    """

    method: str
    scheme: str
    host: str
    path: bytes
    query: bytes = field(default=b"", repr=False)
    headers: tuple[tuple[bytes, bytes], ...] = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)
    peer: str | None = None

    def parse(self, limits: SizeLimits) -> OAuth1Request:
        """The request as a provider reads it; its ``deviations`` are not judged.

        Args:
            limits: of sizes; a policy has them, too.

        Raises:
            OAuth1Error: the request is malformed, repeats a protocol parameter, or is too large.
        """
        return OAuth1Request(
            self.method,
            scheme=self.scheme,
            host=self.host,
            raw_path=self.path,
            raw_query=self.query,
            headers=self.headers,
            body=self.body,
            peer=self.peer,
            limits=limits,
        )
