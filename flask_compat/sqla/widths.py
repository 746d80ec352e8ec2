"""Refuses a table that would lose characters: MySQL without strict mode cuts off what its column is too short for."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from weakref import WeakSet

from sqlalchemy import Connection, Table, inspect, text
from sqlalchemy.engine import Engine
from sqlalchemy.exc import NoSuchTableError
from sqlalchemy.orm import Mapper, class_mapper

from async_oauth1.errors import StoreUnavailableError

__all__ = ["Widths"]

log = logging.getLogger("flask_compat")

#: The attributes that hooks fill.
_FILLED = (
    "client_id",
    "oauth_token",
    "oauth_token_secret",
    "oauth_verifier",
    "oauth_callback",
    "user_id",
    "nonce",
    "timestamp",
)


class Widths:
    """The columns of one model's table, compared with the model once for each engine."""

    def __init__(self, model: type[Any]) -> None:
        """Take a mapped class; no I/O."""
        self._model = model
        self._fitting: WeakSet[Engine] = WeakSet()

    def check(self, connection: Connection) -> None:
        """Compare before the first transaction on an engine, and leave the connection as it was.

        Raises:
            StoreUnavailableError: a column is shorter than the model's, and the database would cut a value off.
        """
        if connection.dialect.name not in ("mysql", "mariadb") or connection.engine in self._fitting:
            return
        was_open = connection.in_transaction()
        mode = str(connection.scalar(text("SELECT @@sql_mode")))
        short = [] if "STRICT_" in mode else list(self._shorter(connection))
        if not was_open:
            connection.rollback()
        if short:
            log.error("%s. MySQL without strict mode would cut values off: migrate the table.", "; ".join(short))
            raise StoreUnavailableError()
        self._fitting.add(connection.engine)

    def _shorter(self, connection: Connection) -> Iterator[str]:
        mapper: Mapper[Any] = class_mapper(self._model, configure=False)
        table = mapper.local_table
        if not isinstance(table, Table):
            return
        lengths: dict[str, int | None] = {}
        with suppress(NoSuchTableError):  # the statement of the hook says so
            columns = inspect(connection).get_columns(table.name, schema=table.schema)
            lengths = {column["name"]: getattr(column["type"], "length", None) for column in columns}
        for name in filter(mapper.columns.__contains__, _FILLED):
            column = mapper.columns[name]
            there, wanted = lengths.get(column.name), getattr(column.type, "length", None)
            if there is not None and wanted is not None and there < wanted:
                yield f"The column {table.name}.{column.name} holds {there} characters, and its model {wanted}"
