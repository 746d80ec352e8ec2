"""What a store raises when it cannot be used at all."""

from __future__ import annotations

__all__ = ["StoreError"]


class StoreError(Exception):
    """A store cannot be used: one clear line, which never shows a password."""
