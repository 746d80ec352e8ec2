"""A cache for clients and token credentials over another store."""

from .store import CachingStore, Notifier, open_notifier

__all__ = ["CachingStore", "Notifier", "open_notifier"]
