"""A provider of notes on Quart, whose clients and tokens are its own SQLAlchemy models, with Alembic migrations.

Run it from the repository's root:

    python -m examples.sqlalchemy_provider init      creates the tables, a user and a client, and prints their secrets
    python -m examples.sqlalchemy_provider serve     serves on port 8000

``NOTES_DATABASE`` is the URL of the database, for SQLAlchemy; by default a file in the current folder.
"""
