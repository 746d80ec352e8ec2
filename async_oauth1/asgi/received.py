"""A body that is received here, and then once more by the application."""

from __future__ import annotations

from async_oauth1.errors import InvalidRequestError
from async_oauth1.policy import Policy

from .bodies import read_pieces
from .requests import Message, Receive, Scope

__all__ = ["ClientHasLeftError", "ReceivedBody", "check_length"]


class ClientHasLeftError(Exception):
    """The client is gone, so no answer is sent."""


class ReceivedBody:
    """A body that is read here, and then once more by the application."""

    def __init__(self, receive: Receive, seconds: float) -> None:
        """Receive nothing yet.

        Args:
            receive: as the server passes it.
            seconds: in which the body must have arrived.
        """
        self.received = False
        self._receive = receive
        self._seconds = seconds
        self._ended = False
        self._octets = b""

    async def read_form(self, policy: Policy) -> bytes:
        """Read a form within a policy's limits."""
        return await self.read("form", policy.max_form_bytes, policy.max_parameters)

    async def read(self, what: str, max_bytes: int, max_parameters: int | None = None) -> bytes:
        """Read a body; see `read_pieces`."""
        self.received, self._ended = True, False
        self._octets = await read_pieces(
            self, what, max_bytes=max_bytes, seconds=self._seconds, max_parameters=max_parameters
        )
        return self._octets

    def __aiter__(self) -> ReceivedBody:
        return self

    async def __anext__(self) -> bytes:
        if self._ended:
            raise StopAsyncIteration
        message = await self._receive()
        if message["type"] != "http.request":
            raise ClientHasLeftError
        self._ended = not message.get("more_body", False)
        piece: bytes = message.get("body", b"")
        return piece

    async def receive_again(self) -> Message:
        """The body in one message, and then whatever the server says."""
        if self.received:
            self.received = False
            return {"type": "http.request", "body": self._octets, "more_body": False}
        return await self._receive()


def check_length(scope: Scope, length: int) -> None:
    """Refuse a form of which another middleware has kept a part: it is not taken for a shorter one.

    Raises:
        InvalidRequestError: Content-Length says something else.
    """
    for name, value in scope["headers"]:
        if name.lower() == b"content-length" and value.strip() != str(length).encode():
            if value.strip().isdigit() and int(value) == length:
                return
            raise InvalidRequestError(
                "The body is not as long as Content-Length says. Has another middleware read it before?"
            )
