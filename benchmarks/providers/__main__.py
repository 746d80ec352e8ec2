"""Serve a provider with one hypercorn worker, on a socket that the benchmark has opened.

    python -m benchmarks.providers NAME FILE_DESCRIPTOR

The event loop is uvloop; quart-flask-patch only works with asyncio's own loop.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config

from .collecting import collect_seldom
from .settings import Settings

OURS = "ours-"
#: Suffix of a name: keep Python's default settings of the garbage collector.
OWN_COLLECTOR = "+default-collector"


def make_app(name: str, settings: Settings) -> Any:
    """Make the application of a name: a peer, or ``ours-`` with a store and ``+middleware`` and the like."""
    name = name.removesuffix(OWN_COLLECTOR)
    if name.startswith(OURS):
        from .ours import create_app

        store, *options = name.removeprefix(OURS).split("+")
        switches = {name: name in options for name in ("middleware", "lingering", "explaining")}
        return create_app(store, settings, **switches)
    if name == "ported":
        from .ported import create_app as create_ported

        return create_ported(settings)
    if name == "oauthlib":
        from .oauthlib_quart import create_app as create_oauthlib

        return create_oauthlib(settings)
    from .flask_authlib import create_patched_app

    return create_patched_app(settings)


def main(name: str, file_descriptor: str) -> None:
    """Serve until SIGTERM."""
    app = make_app(name, Settings.from_environment())
    config = Config()
    config.bind = [f"fd://{file_descriptor}"]
    config.accesslog = None
    config.graceful_timeout = 1.0
    config.h11_max_incomplete_size = 256 * 1024  # as in the deployment guide, for headers of 64 KiB
    config.keep_alive_max_requests = 1_000_000  # the default of 1,000 would reopen connections all the time
    config.backlog = 2_048

    async def run() -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        if not name.endswith(OWN_COLLECTOR):
            collect_seldom()
        await serve(app, config, shutdown_trigger=stop.wait)

    if name == "patched":
        asyncio.run(run())
    else:
        import uvloop

        uvloop.run(run())


if __name__ == "__main__":
    main(*sys.argv[1:])
