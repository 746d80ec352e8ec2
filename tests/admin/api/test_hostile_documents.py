"""Documents that would grow without bounds, or name what no request can name."""

from __future__ import annotations

from typing import Any

import pytest

from async_oauth1.credentials import Client
from async_oauth1.stores import MemoryStore

from .calling import api_of, call

PATCH = "application/json-patch+json"


def nested(levels: int) -> Any:
    """Objects in each other."""
    value: Any = "x"
    for _ in range(levels):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    "operations",
    [
        # Only so many that the test ends, too, if nothing refuses them.
        [{"op": "copy", "from": "/callbacks", "path": "/callbacks/-"}] * 12,
        [{"op": "copy", "from": "", "path": "/name"}] * 12,
        [{"op": "add", "path": "/name", "value": nested(900)}, {"op": "copy", "from": "/name", "path": "/name"}],
        [{"op": "add", "path": "/callbacks/0", "value": ["x"]}],
    ],
    ids=["doubled array", "doubled object", "deep value", "array in an array"],
)
async def test_a_patch_cannot_nest_values(operations: list[dict[str, Any]]) -> None:
    """A client has strings and arrays of strings; the answer is 400, and the first wrong operation is named."""
    store = MemoryStore()
    await store.add_client(Client(client_id="printer", client_secret="secret", name="Printer", callbacks=("oob",)))
    answer = await call(api_of(store), "PATCH", "/admin/clients/printer", operations, content_type=PATCH)
    assert answer.status == 400
    assert answer.json["detail"] == "Operation 0 of the patch: the value is nested deeper than those of a client."


@pytest.mark.parametrize("client_id", [".", ".."])
async def test_an_identifier_that_no_path_can_have_is_refused(client_id: str) -> None:
    """HTTP clients remove such segments from a path, so the client could be changed by no request."""
    store = MemoryStore()
    answer = await call(api_of(store), "POST", "/admin/clients", {"name": "Printer", "client_id": client_id})
    assert (answer.status, await store.list_clients()) == (400, [])
