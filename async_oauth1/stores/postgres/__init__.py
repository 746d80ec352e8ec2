"""The PostgreSQL store."""

from .store import PostgresStore

__all__ = ["PostgresStore"]
