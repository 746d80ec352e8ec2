"""Checks before the first request that no hook is missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from async_oauth1.errors import MissingHookError
from async_oauth1.provider.configured_server import ConfiguredServer

from .requests import ASGIApp, Message, Receive, Scope, Send

__all__ = ["check_hooks", "run_lifespan"]

# The key of a lifespan scope under which the outermost layer collects the servers of all.
_SERVERS_KEY = "async_oauth1.servers"


def check_hooks(*servers: ConfiguredServer) -> None:
    """Check that no server misses a hook, for an application's own lifespan: mounted applications never see one.

    Args:
        servers: authorization servers and resource protectors.

    Raises:
        MissingHookError: names every hook that is missing, of every server.
        ValueError: a policy enables a signature method that does not exist.
    """
    missing: list[str] = []
    for server in servers:
        try:
            server.require_hooks(again=True)
        except MissingHookError as error:
            missing.append(str(error))
    if missing:
        raise MissingHookError(" ".join(dict.fromkeys(missing)))


async def run_lifespan(
    app: ASGIApp, servers: Sequence[ConfiguredServer], scope: Scope, receive: Receive, send: Send
) -> None:
    """Pass lifespan events on, and let the start fail if a hook is missing once the application has started.

    The application may register hooks while it starts. If several layers check, the outermost one checks for all, so
    that one message names everything.

    Args:
        app: the application.
        servers: whose hooks are checked.
        scope: of type ``lifespan``.
        receive: as the server passes it.
        send: as the server passes it.

    Raises:
        MissingHookError: a hook is missing. The server has been told by then; test clients only stop at an error.
        ValueError: a policy enables a signature method that does not exist; the same.
    """
    outer: list[ConfiguredServer] | None = scope.get(_SERVERS_KEY)
    if outer is not None:
        outer.extend(servers)
        await app(scope, receive, send)
        return
    start = _Start([*servers], receive, send)
    try:
        await app({**scope, _SERVERS_KEY: start.servers}, start.receive, start.send)
    except Exception:  # of the application, whose error is kept unless hooks are missing
        if start.is_received or not await start.fails():
            raise  # an application without lifespan events raises at once, and servers expect that
    else:
        if not start.is_over:
            await start.fails()
    if start.failure is not None:
        raise start.failure


class _Start:
    """The start of an application."""

    def __init__(self, servers: list[ConfiguredServer], receive: Receive, send: Send) -> None:
        self.servers = servers
        self.is_received = False
        self.is_over = False
        self.failure: Exception | None = None
        self._receive = receive
        self._send = send

    async def receive(self) -> Message:
        if self.failure is not None:
            return {"type": "lifespan.shutdown"}  # the application cleans up
        self.is_received = True
        return await self._receive()

    async def send(self, message: Message) -> None:
        if self.failure is not None:
            return
        if not self.is_over and message["type"] == "lifespan.startup.complete" and await self.fails():
            return
        self.is_over = True
        await self._send(message)

    async def fails(self) -> bool:
        """Check the hooks, and tell the server if one is missing."""
        self.is_over = True
        try:
            check_hooks(*self.servers)
        except (MissingHookError, ValueError) as error:
            self.failure = error
            if not self.is_received:
                await self._receive()
            await self._send({"type": "lifespan.startup.failed", "message": str(error)})
        return self.failure is not None


async def serve_nothing(_: Any, receive: Any, send: Any) -> None:
    """Answer the lifespan events of an application that has nothing to start."""
    while (message := await receive())["type"] != "lifespan.shutdown":
        await send({"type": f"{message['type']}.complete"})
    await send({"type": "lifespan.shutdown.complete"})
