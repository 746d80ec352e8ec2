"""The warning of a pool that is smaller than the threads finds the engine behind the hooks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import scoped_session, sessionmaker

from flask_compat import AuthorizationServer
from flask_compat.execution.database_pools import warn_of_small_pools
from flask_compat.sqla import (
    create_exists_nonce_func,
    create_query_client_func,
    create_query_token_func,
    register_temporary_credential_hooks,
    register_token_credential_hooks,
)

from . import photo_app


def registered(register: Callable[..., None], name: str) -> Callable[..., Any]:
    def hook(session: Any, model: Any) -> Any:
        server = AuthorizationServer()
        register(server, session, model)
        return server.find_hook(name)

    return hook


@pytest.mark.parametrize(
    ("make", "model"),
    [
        (create_query_client_func, photo_app.Client),
        (create_query_token_func, photo_app.TokenCredential),
        (create_exists_nonce_func, photo_app.Nonce),
        (registered(register_token_credential_hooks, "create_token_credential"), photo_app.TokenCredential),
        (
            registered(register_temporary_credential_hooks, "get_temporary_credential"),
            photo_app.TemporaryCredential,
        ),
    ],
)
def test_a_small_pool_behind_each_hook_is_warned_of(
    make: Callable[..., Any], model: type[Any], caplog: pytest.LogCaptureFixture
) -> None:
    """The warning is logged once for an engine, and names the number of connections."""
    engine = create_engine("postgresql+psycopg://localhost/x", pool_size=1, max_overflow=1)
    hook = make(scoped_session(sessionmaker(engine)), model)
    for _ in range(2):
        warn_of_small_pools([hook], 8)
    [record] = caplog.records
    assert "has 2 connections at most, and 8 threads" in record.getMessage()
