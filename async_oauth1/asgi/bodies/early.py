"""Delivers a hashed body while it arrives, and withholds its last piece until the hash holds."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from async_oauth1.asgi.requests import ASGIApp, Message, Receive, Scope, Send
from async_oauth1.errors import OAuth1Error
from async_oauth1.protocol.request import OAuth1Request
from async_oauth1.provider.checks import check_digest, claimed_body_hash

from .received import ClientHasLeftError, ReceivedBody

__all__ = ["EarlyDelivery", "Refuse"]

log = logging.getLogger("async_oauth1")

#: Logs an error and sends the response, unless another response has begun, which the second argument says.
Refuse: TypeAlias = Callable[[OAuth1Error, bool], Awaitable[None]]


class EarlyDelivery:
    """The body and the response of one request whose hash is not known to hold yet.

    If it does not hold, the application receives ``http.disconnect``, and nothing that it sends from then on goes out.
    The client gets the refusal, or a response without an end if one had begun.
    """

    def __init__(
        self, request: OAuth1Request, body: ReceivedBody, receive: Receive, send: Send, refuse: Refuse
    ) -> None:
        """Receive nothing yet.

        Args:
            request: with an ``oauth_body_hash`` that is well-formed.
            body: of which nothing was received.
            receive: as the server passes it.
            send: as the server passes it.
            refuse: is called if the hash does not hold.
        """
        algorithm, self._claimed = claimed_body_hash(request)
        self._hashed = hashlib.new(algorithm, usedforsecurity=False)
        self._request = request
        self._body = body
        self._receive = receive
        self._send = send
        self._refuse = refuse
        self._withheld = b""
        self._has_answered = False
        self._has_failed = False
        self._has_left = False

    async def run(self, app: ASGIApp, scope: Scope) -> None:
        """Call the application."""
        try:
            await app(scope, self.receive, self.send)
        except Exception:  # of the application: most raise if a body ends early, and the client has the refusal already
            if not self._has_failed:
                raise
            log.debug("An application raised an error after its request was refused.", exc_info=True)

    async def receive(self) -> Message:
        """Receive what may be delivered of the body."""
        if self._has_failed or self._has_left:
            return {"type": "http.disconnect"}
        if self._body.ended:
            return await self._receive()
        try:
            return await self._next()
        except ClientHasLeftError:
            self._has_left = True
        except OAuth1Error as error:
            await self._fail(error)
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Send a part of the application's response."""
        if not self._has_failed:
            self._has_answered = True
            await self._send(message)

    async def _next(self) -> Message:
        while not self._body.ended:
            piece = await self._body.next_piece()
            self._hashed.update(piece)
            octets, self._withheld = self._withheld, piece
            if octets and piece and not self._body.ended:
                return {"type": "http.request", "body": octets, "more_body": True}
            self._withheld = octets + piece
        check_digest(self._hashed.digest(), self._claimed)
        self._request.body_hash_holds = True
        return {"type": "http.request", "body": self._withheld, "more_body": False}

    async def _fail(self, error: OAuth1Error) -> None:
        self._has_failed = True
        await self._refuse(error, self._has_answered)
