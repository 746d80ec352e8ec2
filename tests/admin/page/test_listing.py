"""The list of clients: searched, in pages, and safe to look at whatever the clients are called."""

from __future__ import annotations

import re
from html import unescape

import httpx
import pytest

from async_oauth1.credentials import Client
from async_oauth1.stores import MemoryStore

from .visiting import Visitor

LINK = re.compile(r'class="name" href="([^"]*)"><bdi>(.*?)</bdi>', re.DOTALL)
NEXT = re.compile(r'rel="next" href="([^"]*)"')
NAMES = {
    "<script>alert(1)</script>": "&lt;script&gt;alert(1)&lt;/script&gt;",
    '"><img src=x onerror=alert(1)>': "&#34;&gt;&lt;img src=x onerror=alert(1)&gt;",
    "gnp.\u202efdp": "gnp.\\u202efdp",
    "a\u200bb\u2066c": "a\\u200bb\\u2066c",
    "متجر الصور": "متجر الصور",
    "\U000e0041tag": "\\U000e0041tag",
    "": "(no name)",
    " ": "(no name)",
    "{{ 7 * 7 }}{% raw %}": "{{ 7 * 7 }}{% raw %}",
}
IDENTIFIERS = ["a/b", "a?b=c&d", "a#b", "a b", "a%2Fb", "..", "é", "שלום", "'\"<>", "+", "\\"]


def names(answer: httpx.Response) -> list[str]:
    """The names on a page."""
    return [unescape(name) for _, name in LINK.findall(answer.text)]


async def add(store: MemoryStore, client_id: str, name: str = "Printer") -> None:
    """Register a client."""
    await store.add_client(Client(client_id=client_id, client_secret="s", name=name))


@pytest.mark.parametrize(("name", "shown"), NAMES.items(), ids=ascii)
async def test_names_are_shown_as_text(store: MemoryStore, visitor: Visitor, name: str, shown: str) -> None:
    """Markup is text, a direction stays inside the name, and characters that are not seen are written out."""
    await add(store, "printer", name)
    answer = await visitor.open()
    assert [found for _, found in LINK.findall(answer.text)] == [shown]
    page = await visitor.open("/client", id="printer")
    assert f"<h1><bdi>{shown}</bdi>" in page.text
    assert page.text.isprintable() or set(filter(lambda char: not char.isprintable(), page.text)) == {"\n"}


@pytest.mark.parametrize("client_id", IDENTIFIERS)
async def test_odd_identifiers_lead_to_their_client(store: MemoryStore, visitor: Visitor, client_id: str) -> None:
    """The link of the list opens the client, and its forms change it."""
    await add(store, client_id)
    ((link, _),) = LINK.findall((await visitor.open()).text)
    page = await visitor.client.get(unescape(link))
    assert page.status_code == 200
    action = re.search(r'action="([^"]*/disable[^"]*)"', page.text)
    assert action
    path, _, query = unescape(action[1]).partition("?")
    answer = await visitor.send(path, await visitor.token(), query)
    assert answer.status_code == 303
    assert "The client is disabled" in (await visitor.client.get(answer.headers["location"])).text


async def test_a_search_finds_names_and_identifiers(store: MemoryStore, visitor: Visitor) -> None:
    """Upper and lower case do not matter, and no character of a search is special."""
    for client_id, name in (("aa1", "Printer"), ("aa2", "Photo frame"), ("bb1", "100% wool"), ("bb2", "<b>")):
        await add(store, client_id, name)
    for search, found in {
        "PRINT": ["Printer"],
        "aa": ["Photo frame", "Printer"],
        "%": ["100% wool"],
        "<b>": ["<b>"],
        "  frame ": ["Photo frame"],
        "_": [],
        "\u202e": [],
    }.items():
        answer = await visitor.open(q=search)
        assert names(answer) == found, search
        assert ("No client has this" in answer.text) == (not found)
    assert "“<bdi>&lt;b&gt;</bdi>”" in (await visitor.open(q="<b>")).text


async def test_ten_thousand_clients_are_read_page_by_page(store: MemoryStore, visitor: Visitor) -> None:
    """Each page is small and leads to the next one, also if clients come and go meanwhile."""
    for number in range(10_000):
        await add(store, f"c{number:05}", f"Client {number:05}")
    page = await visitor.open()
    assert names(page) == [f"Client {number:05}" for number in range(50)]
    assert len(page.content) < 60_000
    await store.remove_client("c00049")
    await add(store, "early", "Client 00000.5")
    found = NEXT.search(page.text)
    assert found
    page = await visitor.client.get(unescape(found[1]))
    assert names(page) == [f"Client {number:05}" for number in range(50, 100)]
    assert "First page" in page.text


async def test_the_last_page_leads_no_further(store: MemoryStore, visitor: Visitor) -> None:
    """And the search stays the same on every page."""
    for number in range(120):
        await add(store, f"c{number:03}", f"{'Even' if number % 2 == 0 else 'Odd'} {number:03}")
    page, seen = await visitor.open(q="even"), list[str]()
    while True:
        seen += names(page)
        found = NEXT.search(page.text)
        if not found:
            break
        page = await visitor.client.get(unescape(found[1]))
    assert seen == [f"Even {number:03}" for number in range(0, 120, 2)]


@pytest.mark.parametrize("query", ["after=x", "after=%ff", "q=a&q=b", "after=W10", "&".join(["a=b"] * 60)])
async def test_a_query_that_no_page_has_made_is_a_400(visitor: Visitor, query: str) -> None:
    """Nothing in an address is an error of the server."""
    assert (await visitor.client.get(f"/?{query}")).status_code == 400


@pytest.mark.parametrize("client_id", ["", "nobody", "a\udcffb".encode("utf-8", "surrogateescape").hex(), "\u0085"])
async def test_an_unknown_client_is_a_404(visitor: Visitor, client_id: str) -> None:
    """Also to the forms of its page."""
    assert (await visitor.open("/client", id=client_id)).status_code == 404
    token = await visitor.token()
    for path in ("rotate", "disable", "enable", "revoke"):
        answer = await visitor.client.post(
            f"/client/{path}", params={"id": client_id}, data={"form_token": token, "overlap": "0"}
        )
        assert answer.status_code == 404, path
