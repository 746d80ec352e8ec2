"""Checks when an application starts that no hook is missing."""

from __future__ import annotations

from async_oauth1.asgi.startup import check_hooks
from async_oauth1.provider.configured_server import ConfiguredServer

__all__ = ["HookCheck"]


class HookCheck:
    """A function for ``on_startup``: one for all protectors of an application, so that one message names everything."""

    def __init__(self) -> None:
        """Check nothing yet."""
        self.servers: list[ConfiguredServer] = []

    def __call__(self) -> None:
        """Check the hooks.

        Raises:
            MissingHookError: names every hook that is missing.
        """
        check_hooks(*self.servers)
