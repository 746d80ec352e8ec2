"""Names of prepared statements, and what a pooler between asyncpg and PostgreSQL does with them.

asyncpg numbers its prepared statements, so the seventh one has the same name in every process. A pooler that hands the
same server connection to several processes, and does not rename the statements, then runs one process's statement with
the arguments of another's. A random part in each name makes that impossible: a statement that was prepared elsewhere is
not found, and the call fails.
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

#: What PostgreSQL says of a statement that was prepared on another connection, or by another process on this one.
unknown_statement = (asyncpg.InvalidSQLStatementNameError, asyncpg.DuplicatePreparedStatementError)

#: How to get along with a pooler.
ADVICE = (
    "a pooler between us and PostgreSQL mixes up prepared statements; set statement_cache_size=0,"
    " or let the pooler keep them (pgbouncer 1.21 and later: max_prepared_statements above 0)"
)

_OURS = "__oauth1_"
# The marker finds the query itself. A pooler that keeps prepared statements gives them names of its own.
_OWN_NAME = (
    "SELECT pg_backend_pid(), (SELECT max(name) FROM pg_prepared_statements WHERE statement LIKE '%{marker}%'), 1"
)


class PooledConnection(_Connection):
    """An asyncpg connection whose prepared statements have names that no other connection uses.

    For the application's own pool: ``asyncpg.create_pool(..., connection_class=PooledConnection)``.
    """

    __slots__ = ("_random_part",)

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Choose the random part; asyncpg passes the arguments."""
        super().__init__(*arguments, **options)
        self._random_part = secrets.token_hex(8)

    def _get_unique_id(self, prefix: str) -> str:
        return f"{_OURS}{self._random_part}{super()._get_unique_id(prefix)}"  # type: ignore[misc]  # asyncpg's own, unknown to its stubs; `check_statement_names` notices if it is not called


async def check_statement_names(connection: asyncpg.pool.PoolConnectionProxy[Any], url: str) -> None:
    """Look for a pooler that does not rename prepared statements.

    Raises:
        StoreError: there is one, and the statements of several processes have the same names.
    """
    async with connection.transaction():  # a pooler leaves a transaction on one server connection
        query = _OWN_NAME.format(marker=secrets.token_hex(8))
        backend, name, _ = (await connection.fetch(query))[0]
    # A pooler answers with a process id of its own when it is connected to.
    if name is None or backend == connection.get_server_pid():
        return
    if name.startswith(_OURS):
        _log.warning("%s: in transaction mode, %s", url, ADVICE)
    elif name.startswith("__asyncpg_"):
        raise StoreError(f"{url}: {ADVICE}, or create the pool with connection_class=PooledConnection")
