"""The migration that the documentation recommends."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import op
from alembic.migration import MigrationContext
from alembic.operations import Operations

from tests.flask_compat.client import Client
from tests.flask_compat.sqla import photo_app
from tests.flask_compat.sqla.conftest import MakeApp
from tests.stress import STRESS

PAGE = Path(__file__).parents[4] / "docs" / "porting-from-authlib-0.15.md"


#: Rows that one statement deletes, and rows with one nonce and no token, as the old constraint lets in.
BATCH, DUPLICATES = (10_000, 100_000) if STRESS else (200, 1_000)


def migrate(engine: sa.Engine) -> None:
    """Run the migration of the page, in batches of another size."""
    [code] = [
        block for block in re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL) if "op." in block
    ]
    assert "10_000" in code
    names: dict[str, Any] = {"op": op, "sa": sa}
    exec(code.replace("timestamp_nonce", "nonce").replace("10_000", str(BATCH)), names)
    with engine.begin() as connection, Operations.context(MigrationContext.configure(connection)):
        names["upgrade"]()


@pytest.mark.stress
def test_many_duplicates_are_deleted_in_batches(make_app: MakeApp) -> None:
    """No statement deletes more than a batch, and nonces with a token stay, wherever they stand between the others."""
    app = make_app(nonce_model=photo_app.MigratedNonce)
    engine = app.extensions["engine"]
    old = {"client_id": "client", "timestamp": 1, "nonce": "n", "oauth_token": None}
    kept = [old | {"oauth_token": f"t{number}"} for number in range(10)]
    for token in kept:
        with engine.begin() as connection:
            connection.execute(sa.insert(photo_app.Nonce), [*[old] * (DUPLICATES // len(kept)), token])
    deleted: list[int] = []

    def note(*arguments: Any) -> None:
        if arguments[2].startswith("DELETE"):
            deleted.append(arguments[1].rowcount)

    sa.event.listen(engine, "after_cursor_execute", note)
    migrate(engine)
    assert (max(deleted), sum(deleted)) == (BATCH, DUPLICATES)
    assert len(deleted) == DUPLICATES // BATCH
    with engine.connect() as connection:
        left = connection.scalars(sa.select(photo_app.Nonce.oauth_token)).all()
    assert sorted(map(str, left)) == [f"t{number}" for number in range(10)]


def test_the_migration_keeps_nonces_with_a_token_and_then_null_is_refused(make_app: MakeApp) -> None:
    """Afterwards requests with and without a token are accepted once."""
    app = make_app(nonce_model=photo_app.MigratedNonce)
    engine = app.extensions["engine"]
    old = {"client_id": "client", "timestamp": 1, "nonce": "n"}
    with engine.begin() as connection:
        connection.execute(sa.insert(photo_app.Nonce), [old | {"oauth_token": "t"}, old | {"oauth_token": None}])
    migrate(engine)
    [column] = [column for column in sa.inspect(engine).get_columns("nonce") if column["name"] == "oauth_token"]
    assert column["nullable"] is False
    with engine.connect() as connection:
        assert connection.scalars(sa.select(photo_app.Nonce.oauth_token)).all() == ["t"]
    client = Client(app, token="t", token_secret="s")
    signed = client.sign("GET", "/photos", client.parameters())
    answers = [asyncio.run(client.send("GET", "/photos", signed=signed)).status for _ in range(2)]
    assert answers == [200, 401]
