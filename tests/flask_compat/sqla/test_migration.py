"""The migration that the documentation recommends."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import op
from alembic.migration import MigrationContext
from alembic.operations import Operations

from tests.flask_compat.client import Client

from . import photo_app
from .conftest import MakeApp

PAGE = Path(__file__).parents[3] / "docs" / "porting-from-authlib-0.15.md"


def test_the_migration_keeps_nonces_with_a_token_and_then_null_is_refused(make_app: MakeApp) -> None:
    """Afterwards requests with and without a token are accepted once."""
    app = make_app(nonce_model=photo_app.MigratedNonce)
    engine = app.extensions["engine"]
    old = {"client_id": "client", "timestamp": 1, "nonce": "n"}
    with engine.begin() as connection:
        connection.execute(sa.insert(photo_app.Nonce), [old | {"oauth_token": "t"}, old | {"oauth_token": None}])
    [code] = [
        block for block in re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL) if "op." in block
    ]
    names: dict[str, Any] = {"op": op, "sa": sa}
    exec(code.replace("timestamp_nonce", "nonce"), names)
    with engine.begin() as connection, Operations.context(MigrationContext.configure(connection)):
        names["upgrade"]()
    [column] = [column for column in sa.inspect(engine).get_columns("nonce") if column["name"] == "oauth_token"]
    assert column["nullable"] is False
    with engine.connect() as connection:
        assert connection.scalars(sa.select(photo_app.Nonce.oauth_token)).all() == ["t"]
    client = Client(app, token="t", token_secret="s")
    signed = client.sign("GET", "/photos", client.parameters())
    answers = [asyncio.run(client.send("GET", "/photos", signed=signed)).status for _ in range(2)]
    assert answers == [200, 401]
