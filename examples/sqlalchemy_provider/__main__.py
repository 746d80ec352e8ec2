"""Creates the tables with Alembic, or serves the provider."""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
from pathlib import Path

from alembic import command
from alembic.config import Config
from hypercorn.asyncio import serve
from hypercorn.config import Config as ServerConfig
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from werkzeug.security import generate_password_hash

from .app import create_app
from .models import Client, Note, User

DATABASE = "sqlite+aiosqlite:///notes.db"


def migrations(database_url: str) -> Config:
    """The configuration of Alembic for a database."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["database_url"] = database_url
    return config


async def add_example(database_url: str, callback: str) -> dict[str, str]:
    """Add a user with a note, and a client.

    Returns:
        The user's name and password, and the client's identifier and secret.
    """
    engine = create_async_engine(database_url)
    made = {"user": "jane", "client_id": "printer"}
    made |= {"password": secrets.token_urlsafe(12), "client_secret": secrets.token_urlsafe(32)}
    async with async_sessionmaker(engine)() as session, session.begin():
        user = User(name=made["user"], password_hash=generate_password_hash(made["password"]))
        session.add(user)
        await session.flush()
        session.add(Note(user_id=user.id, text="Buy paper"))
        session.add(
            Client(
                client_id=made["client_id"],
                client_secret=made["client_secret"],
                name="Printer",
                callbacks=[callback],
                owner_id=user.id,
            )
        )
    await engine.dispose()
    return made


def main() -> None:
    """Run one of the two commands."""
    parser = argparse.ArgumentParser(prog="python -m examples.sqlalchemy_provider", description=__doc__)
    parser.add_argument("command", choices=["init", "serve"])
    parser.add_argument("--callback", default="http://127.0.0.1:8001/ready", help="of the client that init adds")
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args()
    database_url = os.environ.get("NOTES_DATABASE", DATABASE)
    if options.command == "init":
        command.upgrade(migrations(database_url), "head")
        for name, value in asyncio.run(add_example(database_url, options.callback)).items():
            print(f"{name}={value}")
        return
    config = ServerConfig()
    config.bind = [f"127.0.0.1:{options.port}"]
    asyncio.run(serve(create_app(database_url, secret_key=os.environ.get("NOTES_SECRET_KEY", "")), config))


if __name__ == "__main__":
    main()
