"""The command: opens the stores and the socket, serves, and prints errors in one line."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from functools import partial

from async_oauth1.serve.listening import ListenError, listen, url_of
from async_oauth1.stores import StoreError

from .serving.guide import guide
from .serving.log import configure_logs, log
from .serving.server import ignore_stop_signals, serve
from .serving.workers import supervise
from .settings import Settings, SettingsError, read_settings
from .storage import Storage, check_shared, open_storage


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT.

    Args:
        arguments: without the program's name; ``None`` for those of the process.

    Returns:
        The exit status: 0 after a stop signal, 2 if it could not start.
    """
    try:
        return _run(arguments)
    except (SettingsError, ListenError, StoreError) as error:
        print(f"photos: {error}", file=sys.stderr)
        return 2


def _run(arguments: Sequence[str] | None) -> int:
    settings = read_settings(arguments)
    configure_logs(settings.log_level)
    check_shared(settings)
    prepared = asyncio.run(_prepare(settings)) if settings.workers > 1 else None
    with listen(settings.host, settings.port) as listener:
        url = url_of(listener)

        def announce(storage: Storage) -> None:
            print(f"photos: listening on {url}", flush=True)
            if settings.guide:
                print(guide(settings, storage, url), flush=True)

        status = 0
        if prepared is not None:
            status = supervise(settings, listener, partial(announce, prepared))
        else:
            asyncio.run(serve(settings, listener, announce))
            ignore_stop_signals()
        if status == 0:
            log.info("stopped")
        return status


async def _prepare(settings: Settings) -> Storage:
    """Create the tables in this process: with an unusable store, there is one error instead of one per worker."""
    async with open_storage(settings) as storage:
        return storage
