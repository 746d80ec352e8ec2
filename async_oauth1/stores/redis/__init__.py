"""The Redis and Valkey store."""

from .store import RedisStore

__all__ = ["RedisStore"]
