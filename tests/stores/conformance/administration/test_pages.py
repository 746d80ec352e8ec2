"""Every store that keeps clients: clients and token credentials are read page by page, and searched."""

from __future__ import annotations

from typing import Any

import pytest

from async_oauth1.credentials import Client
from async_oauth1.stores import AdministersClients, Page, Store
from async_oauth1.testing import Clock

NAMES = ["Ärger", "photos", "Photos", "100% cotton", "a_b", "axb", "!"]


async def every_page(read: Any, *arguments: Any, **options: Any) -> list[Any]:
    """The records of all pages of two records."""
    records: list[Any] = []
    after = ""
    while True:
        page: Page[Any] = await read(*arguments, **options, limit=2, after=after)
        assert len(page.items) <= 2
        records += page.items
        if page.next is None:
            return records
        after = page.next


async def with_clients(store: Store) -> Any:
    """A store with some clients."""
    assert isinstance(store, AdministersClients)
    for number, name in enumerate(NAMES):
        await store.add_client(Client(client_id=f"id-{number}", client_secret="s", name=name))
    return store


async def test_pages_have_every_client_once(full_store: Store) -> None:
    """They come in the order of the list, also if the last client of a page is removed."""
    operators = await with_clients(full_store)
    assert await every_page(operators.page_clients) == await operators.list_clients()
    first = await operators.page_clients(limit=2)
    await operators.remove_client(first.items[-1].client_id)
    second = await operators.page_clients(limit=10, after=first.next)
    assert second == Page((await operators.list_clients())[1:], None)


@pytest.mark.parametrize(
    ("search", "names"),
    [
        ("", sorted(NAMES)),
        ("PHOTOS", ["Photos", "photos"]),
        ("Ärger", ["Ärger"]),
        ("0%", ["100% cotton"]),
        ("a_b", ["a_b"]),
        ("!", ["!"]),
        ("id-2", ["Photos"]),
        ("'; --", []),
        ("\0", []),
    ],
)
async def test_a_search_is_plain_text(full_store: Store, search: str, names: list[str]) -> None:
    """It is a part of the name or the identifier; no character has a special meaning."""
    operators = await with_clients(full_store)
    assert [client.name for client in await every_page(operators.page_clients, search)] == names


async def test_tokens_come_oldest_first(full_store: Store, clock: Clock) -> None:
    """All live ones of a user, of a client, or those that a search finds."""
    operators = await with_clients(full_store)
    tokens: list[Any] = []
    for number in range(5):
        clock.advance(1 if number != 3 else 0)
        tokens.append(await operators.issue_token_credential(f"id-{number % 2}", f"user-{number % 3}"))
    expired = await operators.issue_token_credential("id-0", "user-0", lifetime=5)
    clock.advance(10)
    tokens.sort(key=lambda token: (token.created_at, token.oauth_token))
    page = operators.page_token_credentials
    assert await every_page(page) == tokens
    assert expired not in await every_page(page)
    assert await every_page(page, client_id="id-1") == [each for each in tokens if each.client_id == "id-1"]
    assert await every_page(page, user_id="user-0") == [each for each in tokens if each.user_id == "user-0"]
    assert await every_page(page, "USER-1") == [each for each in tokens if each.user_id == "user-1"]
    assert await every_page(page, tokens[0].oauth_token[:30]) == tokens[:1]
    assert await every_page(page, "id-1", user_id="user-2") == []
    assert await every_page(page, client_id="\ud800") == []


@pytest.mark.parametrize("after", ["x", "e30", "W10", "WzEsMl0", "WyIAIiwiYSJd", "\udcff", "[]" * 1000])
async def test_a_wrong_cursor_is_refused(full_store: Store, after: str) -> None:
    """The error says what to do."""
    operators = await with_clients(full_store)
    for method in (operators.page_clients, operators.page_token_credentials):
        with pytest.raises(ValueError, match="after is not the cursor of a page; use the next of the page before"):
            await method(after=after)


@pytest.mark.parametrize("limit", [0, -1, 1001])
async def test_a_limit_out_of_range_is_refused(full_store: Store, limit: int) -> None:
    """A page has 1 to 1,000 records."""
    operators = await with_clients(full_store)
    for method in (operators.page_clients, operators.page_token_credentials):
        with pytest.raises(ValueError, match=f"limit is a number from 1 to 1000, not {limit}"):
            await method(limit=limit)
