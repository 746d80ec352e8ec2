"""A cache for clients and token credentials over another store."""

from .store import CachingStore, ChangeFeed, open_change_feed

__all__ = ["CachingStore", "ChangeFeed", "open_change_feed"]
