"""Models and sessions that cannot be used are refused when hooks are registered, by one error."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession, async_scoped_session, async_sessionmaker
from sqlalchemy.orm import scoped_session, sessionmaker

from flask_compat.sqla import UnsuitableModelError, create_exists_nonce_func, create_query_client_func

from . import photo_app


def test_a_model_without_a_column_is_refused() -> None:
    """The error names the class, the columns and the mixin."""
    with pytest.raises(UnsuitableModelError) as caught:
        create_exists_nonce_func(scoped_session(sessionmaker()), photo_app.Client)
    assert str(caught.value) == (
        "Client cannot be used: it has no column 'nonce'; it has no column 'timestamp'; it has no column 'oauth_token'"
        ". Derive it from flask_compat.sqla.OAuth1TimestampNonceMixin, or add these."
    )


@pytest.mark.parametrize(
    "session", [AsyncSession(), async_scoped_session(async_sessionmaker(), lambda: 1), async_sessionmaker()]
)
def test_an_async_session_is_refused(session: Any) -> None:
    """The error names the class of the session, and where async sessions are taken."""
    with pytest.raises(UnsuitableModelError, match=r"async_oauth1\.sqlalchemy"):
        create_query_client_func(session, photo_app.Client)


def test_a_session_factory_is_refused() -> None:
    """A scoped session is needed."""
    with pytest.raises(UnsuitableModelError, match="not sessionmaker: give it a scoped_session"):
        create_query_client_func(sessionmaker(), photo_app.Client)
