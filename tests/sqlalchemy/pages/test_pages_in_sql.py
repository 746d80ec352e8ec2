"""The database finds the rows of a page, also in models without the optional columns."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from async_oauth1.sqlalchemy import SQLAlchemyStore
from tests.sqlalchemy.provider import PlainProvider

pytestmark = pytest.mark.parametrize("driver", ["sqlite", "asyncpg", "mariadb"])
NAMES = ["b", "B", "é", "e", "E", "a", "\U0001f600", "\uffee", "_"]


async def every_page(read: Any, limit: int, **options: Any) -> list[list[Any]]:
    """All pages."""
    pages: list[list[Any]] = []
    after = ""
    while True:
        page = await read(limit=limit, after=after, **options)
        pages.append(page.items)
        if page.next is None:
            return pages
        after = page.next


def fetched(engine: AsyncEngine) -> list[str]:
    """The statements from now on."""
    sent: list[str] = []
    event.listen(engine.sync_engine, "before_cursor_execute", lambda *args: sent.append(args[2]))
    return sent


async def test_clients_come_by_code_points(store: SQLAlchemyStore[Any, Any, Any], engine: AsyncEngine) -> None:
    """Whatever the database's collation is; each page is one statement that fetches one row more."""
    client: Any = (await store.list_clients())[0]
    for name in NAMES:
        await store.add_client(type(client)(client_id=name, client_secret="s", **plain(client)))
    sent = fetched(engine)
    pages = await every_page(store.page_clients, 3)
    found = [each.client_id for page in pages for each in page]
    assert found == sorted([*NAMES, client.client_id])
    assert [len(page) for page in pages] == [3, 3, 3, 1]
    selects = [each for each in sent if each.startswith("SELECT")]
    assert len(selects) == len(pages)
    assert all("LIMIT" in each for each in selects)


def plain(client: Any) -> dict[str, Any]:
    """What a model of the application needs besides."""
    return {name: getattr(client, name) for name in ("title",) if hasattr(client, name)}


async def test_tokens_of_users_that_are_numbers(provider: PlainProvider, store: SQLAlchemyStore[Any, Any, Any]) -> None:
    """All of them once, and those that a search finds."""
    client: Any = (await store.list_clients())[0]
    tokens = [await store.issue_token_credential(client.client_id, 7 + number % 2) for number in range(7)]
    pages = await every_page(store.page_token_credentials, 3)
    names = [each.oauth_token for page in pages for each in page]
    assert sorted(names) == sorted(each.oauth_token for each in tokens)
    assert names == [each.oauth_token for each in await store.list_token_credentials()]
    wanted = tokens[0].oauth_token
    (found,) = await every_page(store.page_token_credentials, 3, search=wanted[4:20])
    assert [each.oauth_token for each in found] == [wanted]
    of_user = await every_page(store.page_token_credentials, 3, user_id="8")
    assert sum(map(len, of_user)) == 3
