"""Runs the migrations of the application's tables, through its asynchronous driver."""

from __future__ import annotations

import asyncio

from alembic import context
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from examples.sqlalchemy_provider.models import Base


def migrate(connection: Connection) -> None:
    """Run the migrations on a connection."""
    # SQLite changes a table by copying it, which Alembic does in a batch.
    context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()


async def connect() -> None:
    """Connect, and run the migrations."""
    engine = create_async_engine(context.config.attributes["database_url"])
    async with engine.begin() as connection:
        await connection.run_sync(migrate)
    await engine.dispose()


asyncio.run(connect())
