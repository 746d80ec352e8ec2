"""Serve an application by hypercorn or uvicorn, in this process and on a free port."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import hypercorn.asyncio
import uvicorn
from hypercorn.config import Config

SERVERS = ("hypercorn", "uvicorn-h11", "uvicorn-httptools")


@asynccontextmanager
async def serving(app: Any, server: str, **options: Any) -> AsyncIterator[int]:
    """Serve an application as long as the block runs.

    Args:
        app: the application; it sees the start.
        server: one of `SERVERS`.
        options: of uvicorn.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        run = _hypercorn(app, listener) if server == "hypercorn" else _uvicorn(app, listener, server, options)
        async with run:
            yield port


@asynccontextmanager
async def _hypercorn(app: Any, listener: socket.socket) -> AsyncIterator[None]:
    config, done = Config(), asyncio.Event()
    config.errorlog, config.graceful_timeout = None, 1
    config.bind = [f"fd://{listener.fileno()}"]
    running = asyncio.ensure_future(hypercorn.asyncio.serve(app, config, shutdown_trigger=done.wait))
    yield
    done.set()
    await running
    listener.detach()  # hypercorn has closed it


@asynccontextmanager
async def _uvicorn(app: Any, listener: socket.socket, server: str, options: dict[str, Any]) -> AsyncIterator[None]:
    http: Any = server.partition("-")[2]
    config = uvicorn.Config(app, http=http, log_level="critical", proxy_headers=False, **options)
    running = uvicorn.Server(config)
    task = asyncio.ensure_future(running._serve([listener]))  # serve() would take the signal handlers
    yield
    running.should_exit = True
    await task
