"""Links of the API stay on its host."""

from __future__ import annotations

from async_oauth1.admin.api import AdminAPI
from async_oauth1.credentials import Client
from async_oauth1.stores import MemoryStore
from tests.attacks.signer import Message
from tests.attacks.wire import call


async def test_a_path_with_two_slashes_is_no_other_host() -> None:
    """If something in front cuts a part off ``path``, that part is never a host."""
    store = MemoryStore()
    for name in "ab":
        await store.add_client(Client(client_id=name, client_secret="secret", name=name))
    api = AdminAPI(store, operator=lambda _: "alice")
    target, headers = b"//evil.example/clients?page_size=1", ((b"host", b"provider.example"),)
    answer = await call(api, Message(method="GET", target=target, headers=headers), path="/clients")
    assert answer.status == 200
    links = (answer.header("link") or "").split(", ")
    assert len(links) == 2
    assert all(link.startswith("</evil.example/clients?") for link in links)
