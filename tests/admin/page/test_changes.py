"""What the page changes takes effect: disabling, enabling and revoking."""

from __future__ import annotations

import re

import pytest

from async_oauth1.credentials import Client, TokenCredential
from async_oauth1.stores import MemoryStore

from .visiting import Visitor


@pytest.fixture
async def token(store: MemoryStore) -> TokenCredential:
    """A token of a registered client."""
    await store.add_client(Client(client_id="printer", client_secret="s", name="Printer"))
    await store.add_client(Client(client_id="frame", client_secret="s", name="Frame"))
    await store.issue_token_credential("frame", "jane")
    return await store.issue_token_credential("printer", "jane", scope="photos.read")


async def test_a_disabled_client_is_unknown_until_it_is_enabled(
    store: MemoryStore, visitor: Visitor, token: TokenCredential
) -> None:
    """Its record and its tokens stay."""
    answer = await visitor.send("/client/disable", await visitor.token(), "id=printer")
    assert answer.status_code == 303
    assert await store.query_client("printer") is None
    assert (await store.query_credentials("printer", token.oauth_token))[0] is None
    page = await visitor.client.get(answer.headers["location"])
    assert "Every request of this client is refused" in page.text
    assert token.oauth_token in page.text
    answer = await visitor.send("/client/enable", await visitor.token(), "id=printer")
    assert await store.query_credentials("printer", token.oauth_token) == (await store.query_client("printer"), token)
    assert "Every request of this" not in (await visitor.client.get(answer.headers["location"])).text


async def test_one_token_is_revoked(store: MemoryStore, visitor: Visitor, token: TokenCredential) -> None:
    """The others stay; to send the form twice is no error."""
    other = await store.issue_token_credential("printer", "bob")
    for _ in range(2):
        fields = {"oauth_token": token.oauth_token}
        answer = await visitor.send("/client/revoke", await visitor.token(), "id=printer", **fields)
        assert answer.headers["location"] == "/client?id=printer&done=revoked"
    assert [found.oauth_token for found in await store.list_token_credentials(client_id="printer")] == [
        other.oauth_token
    ]


async def test_the_token_of_another_client_stays(store: MemoryStore, visitor: Visitor, token: TokenCredential) -> None:
    """A form of one client's page does not revoke what is another's."""
    (its,) = await store.list_token_credentials(client_id="frame")
    await visitor.send("/client/revoke", await visitor.token(), "id=printer", oauth_token=its.oauth_token)
    assert await store.query_token("frame", its.oauth_token) is not None


async def test_all_tokens_of_a_client_are_revoked(store: MemoryStore, visitor: Visitor, token: TokenCredential) -> None:
    """Those of other clients stay."""
    answer = await visitor.send("/client/revoke", await visitor.token(), "id=printer")
    assert answer.headers["location"] == "/client?id=printer&done=all-revoked"
    assert [found.client_id for found in await store.list_token_credentials()] == ["frame"]
    assert "The client has no tokens." in (await visitor.open("/client", id="printer")).text


async def test_tokens_are_listed_in_pages_without_their_secrets(store: MemoryStore, visitor: Visitor) -> None:
    """A client with many tokens has a short page."""
    await store.add_client(Client(client_id="printer", client_secret="s", name="Printer"))
    tokens = [await store.issue_token_credential("printer", f"user{number}") for number in range(25)]
    page, seen = await visitor.open("/client", id="printer"), list[str]()
    while True:
        assert not any(token.oauth_token_secret in page.text for token in tokens)
        seen += re.findall(r'name="oauth_token" value="([^"]*)"', page.text)
        following = re.search(r'href="([^"]*tokens_after[^"]*)"', page.text)
        if not following:
            break
        page = await visitor.client.get(following[1].replace("&amp;", "&"))
    assert sorted(seen) == sorted(token.oauth_token for token in tokens)


async def test_a_link_cannot_claim_what_was_not_done(store: MemoryStore, visitor: Visitor) -> None:
    """The message of a redirect is shown only if the client is as it says."""
    await store.add_client(Client(client_id="printer", client_secret="s", name="Printer"))
    await store.disable_client("printer")
    for done in ("enabled", "nonsense", "<b>"):
        page = await visitor.open("/client", id="printer", done=done)
        assert 'class="message"' not in page.text
