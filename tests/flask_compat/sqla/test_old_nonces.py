"""Old nonces are deleted."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import create_engine, insert, select
from sqlalchemy.orm import scoped_session, sessionmaker

from flask_compat.sqla import create_exists_nonce_func

from .photo_app import Base, Nonce


def test_nonces_older_than_their_lifetime_are_deleted(url: str) -> None:
    """Those within it stay, and so does the new one."""
    engine: Any = create_engine(url)
    Base.metadata.create_all(engine)
    now = int(time.time())
    rows = [
        {"client_id": "client", "nonce": nonce, "timestamp": now - age} for nonce, age in [("old", 7200), ("kept", 600)]
    ]
    with engine.begin() as connection:
        connection.execute(insert(Nonce), rows)
    exists_nonce = create_exists_nonce_func(scoped_session(sessionmaker(engine)), Nonce, expires=3600)
    assert exists_nonce("new", now, "client", None) is False
    with engine.connect() as connection:
        assert set(connection.scalars(select(Nonce.nonce))) == {"kept", "new"}
    engine.dispose()
