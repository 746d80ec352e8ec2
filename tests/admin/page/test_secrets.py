"""A secret is shown once: in the answer to the form that made it."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from async_oauth1.credentials import Client
from async_oauth1.stores import MemoryStore

from .visiting import Visitor, outputs

SECRET = "a secret that no page may show"


@pytest.fixture
async def printer(store: MemoryStore) -> Client:
    """A registered client."""
    record = Client(client_id="printer", client_secret=SECRET, name="Printer", callbacks=("oob",))
    await store.add_client(record)
    return record


async def rotate(visitor: Visitor, token: str, overlap: str = "3600") -> httpx.Response:
    """Rotate the printer's secret."""
    return await visitor.send("/client/rotate", token, "id=printer", overlap=overlap)


async def test_a_new_client_and_its_secret_are_shown_once(store: MemoryStore, visitor: Visitor) -> None:
    """The secret is right, no page shows it again, and no cache may keep it."""
    answer = await visitor.send("/new", await visitor.token(), name="Printer", callbacks="https://a.example/\r\noob")
    client_id, secret = outputs(answer)
    (client,) = await store.list_clients()
    assert (client.client_id, client.client_secret) == (client_id, secret)
    assert client.callbacks == ("https://a.example/", "oob")
    assert answer.headers["cache-control"] == "no-store"
    for path in ("/", f"/client?id={client_id}", "/new"):
        assert secret not in (await visitor.open(path)).text


async def test_a_reload_after_registration_makes_no_second_client(store: MemoryStore, visitor: Visitor) -> None:
    """A reload sends the form again; the page says that it was sent before."""
    token = await visitor.token()
    first = await visitor.send("/new", token, name="Printer")
    again = await visitor.send("/new", token, name="Printer")
    assert again.status_code == 409
    assert "sent before" in again.text
    assert outputs(first)[1] not in again.text
    assert len(await store.list_clients()) == 1


@pytest.mark.usefixtures("printer")
async def test_a_reload_after_a_rotation_does_not_rotate_again(store: MemoryStore, visitor: Visitor) -> None:
    """The secret of the first rotation stays the client's, and is not shown again."""
    token = await visitor.token()
    first = await rotate(visitor, token)
    _, secret = outputs(first)
    assert SECRET not in first.text
    again = await rotate(visitor, token)
    assert again.status_code == 409
    client = await store.query_client("printer")
    assert client is not None
    assert client.client_secret == secret not in again.text
    assert client.overlapping_secrets == (SECRET,)


@pytest.mark.usefixtures("printer")
async def test_a_double_click_rotates_once(store: MemoryStore, visitor: Visitor) -> None:
    """Of forms that are sent at once, one makes a secret."""
    token = await visitor.token()
    answers = await asyncio.gather(*(rotate(visitor, token) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]
    client = await store.query_client("printer")
    assert client is not None
    assert client.overlapping_secrets == (SECRET,)


@pytest.mark.usefixtures("printer")
async def test_a_leaked_secret_ends_at_once(store: MemoryStore, visitor: Visitor) -> None:
    """With "not at all", only the new secret verifies, and the page says so."""
    answer = await rotate(visitor, await visitor.token(), "0")
    assert "No other secret is valid." in answer.text
    client = await store.query_client("printer")
    assert client is not None
    assert client.get_client_secrets() == (outputs(answer)[1],)


@pytest.mark.usefixtures("printer")
@pytest.mark.parametrize("overlap", ["", "-1", "1e9", "nan", "5"])
async def test_an_overlap_that_is_no_choice_changes_nothing(store: MemoryStore, visitor: Visitor, overlap: str) -> None:
    """The form must say how long the former secret stays valid, and may be sent again."""
    token = await visitor.token()
    assert (await rotate(visitor, token, overlap)).status_code == 400
    client = await store.query_client("printer")
    assert client is not None
    assert client.client_secret == SECRET
    assert (await rotate(visitor, token)).status_code == 200


@pytest.mark.usefixtures("printer")
async def test_former_secrets_are_listed_without_being_shown(visitor: Visitor) -> None:
    """The client's page tells until when each of them verifies."""
    _, secret = outputs(await rotate(visitor, await visitor.token()))
    text = (await visitor.open("/client", id="printer")).text
    assert text.count("valid until") == 1
    assert secret not in text
    assert SECRET not in text


async def test_the_addresses_of_forms_lead_back_to_the_client(visitor: Visitor) -> None:
    """If the browser asks for the address of a form that was sent, it gets the client, and no secret."""
    client_id, _ = await visitor.register()
    for path in ("rotate", "disable", "enable", "revoke"):
        answer = await visitor.open(f"/client/{path}", id=client_id)
        assert answer.status_code == 303
        assert answer.headers["location"] == f"/client?id={client_id}"
