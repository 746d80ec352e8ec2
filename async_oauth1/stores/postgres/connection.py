"""Connections whose prepared statements have unique names, in case a pooler is between asyncpg and PostgreSQL.

asyncpg numbers its prepared statements, so the seventh one has the same name in every process. If a pooler gives the
same server connection to several processes and does not rename the statements, it runs one process's statement with
another's arguments. A random part in each name prevents that: a statement that another process prepared is not found,
and the call fails.
"""

from __future__ import annotations

import logging
import secrets
from typing import TYPE_CHECKING, Any

import asyncpg

from async_oauth1.errors import StoreError

__all__ = ["ADVICE", "PooledConnection", "check_statement_names", "unknown_statement"]

if TYPE_CHECKING:  # asyncpg's classes take no parameters at run time
    _Connection = asyncpg.Connection[Any]
else:
    _Connection = asyncpg.Connection

_log = logging.getLogger(__name__)

#: PostgreSQL's errors for a statement that was prepared on another connection, or by another process on this one.
unknown_statement = (asyncpg.InvalidSQLStatementNameError, asyncpg.DuplicatePreparedStatementError)

#: What to do if there is a pooler.
ADVICE = (
    "a pooler between us and PostgreSQL mixes up prepared statements; set statement_cache_size=0,"
    " or let the pooler keep them (pgbouncer 1.21 and later: max_prepared_statements above 0)"
)

_OURS = "__oauth1_"
# The random marker finds this query in the view. A pooler that keeps prepared statements gives them its own names.
_OWN_NAME = (
    "SELECT pg_backend_pid(), (SELECT max(name) FROM pg_prepared_statements WHERE statement LIKE '%{marker}%'), 1"
)


class PooledConnection(_Connection):
    """An asyncpg connection whose prepared statements have names that no other connection uses.

    For the application's own pool: ``asyncpg.create_pool(..., connection_class=PooledConnection)``.
    """

    __slots__ = ("_random_part",)

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Choose the random part of the names. asyncpg passes the arguments."""
        super().__init__(*arguments, **options)
        self._random_part = secrets.token_hex(8)

    def _get_unique_id(self, prefix: str) -> str:
        return f"{_OURS}{self._random_part}{super()._get_unique_id(prefix)}"  # type: ignore[misc]  # asyncpg's own, unknown to its stubs; `check_statement_names` notices if it is not called


async def check_statement_names(connection: asyncpg.pool.PoolConnectionProxy[Any], url: str) -> None:
    """Check whether a pooler passes prepared statements on without renaming them.

    Raises:
        StoreError: it does, and the statements of several processes have the same names.
    """
    async with connection.transaction():  # a pooler keeps a transaction on one server connection
        query = _OWN_NAME.format(marker=secrets.token_hex(8))
        backend, name, _ = (await connection.fetch(query))[0]
    # A pooler sends its own process id when a client connects.
    if name is None or backend == connection.get_server_pid():
        return
    if name.startswith(_OURS):
        _log.warning("%s: in transaction mode, %s", url, ADVICE)
    elif name.startswith("__asyncpg_"):
        raise StoreError(f"{url}: {ADVICE}, or create the pool with connection_class=PooledConnection")
