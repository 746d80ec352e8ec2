"""The command: opens the stores and the socket, serves, and prints errors in one line."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence

from async_oauth1.stores import StoreError

from .serving.server import ignore_stop_signals, listen, serve, url_of
from .serving.workers import supervise
from .settings import SettingsError, read_settings
from .storage import check_shared, open_storage


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT.

    Args:
        arguments: without the program's name; ``None`` for those of the process.

    Returns:
        The exit status: 0 after a stop signal, 2 if it could not start.
    """
    try:
        return _run(arguments)
    except (SettingsError, StoreError) as error:
        print(f"photos: {error}", file=sys.stderr)
        return 2


def _run(arguments: Sequence[str] | None) -> int:
    settings = read_settings(arguments)
    check_shared(settings)

    async def prepare() -> None:
        """Create the tables in this process: with an unusable store, there is one error instead of one per worker."""
        async with open_storage(settings):
            pass

    if settings.workers > 1:
        asyncio.run(prepare())
    with listen(settings.host, settings.port) as listener:
        url = url_of(listener)

        def announce() -> None:
            print(f"photos: listening on {url}", flush=True)

        if settings.workers > 1:
            return supervise(settings, listener, announce)
        asyncio.run(serve(settings, listener, announce))
        ignore_stop_signals()
        return 0
