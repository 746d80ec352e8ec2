"""The audit trail by the API: what operators did, and page by page."""

from __future__ import annotations

from typing import Any

import pytest

from async_oauth1.admin.api import AdminAPI

from .calling import call
from .test_clients import follow, register


async def test_each_change_is_recorded_once_under_the_operators_name(api: AdminAPI, store: Any) -> None:
    """In the order of the changes; requests that change nothing are not recorded."""
    client = await register(api, callbacks=["oob"])
    path = f"/admin/clients/{client['client_id']}"
    token = await store.issue_token_credential(client["client_id"], "jane")
    await call(api, "PUT", path, {"callbacks": ["https://a.example/"]})
    await call(api, "PUT", path, {"callbacks": ["https://a.example/"]})
    await call(api, "PATCH", path, [{"op": "replace", "path": "/client_id", "value": "refused"}])
    await call(api, "POST", f"{path}/secrets/rotate")
    await call(api, "POST", f"{path}/disable")
    await call(api, "POST", f"{path}/enable")
    await call(api, "DELETE", f"/admin/oauth1/tokens/{token.oauth_token}")
    await call(api, "DELETE", path)
    await call(api, "DELETE", path)
    trail = await call(api, "GET", f"{path}/audit")
    assert trail.status == 200
    assert [(record["event"], record["actor"]["kind"]) for record in trail.json] == [
        ("client.created", "operator"),
        ("token.created", "application"),
        ("client.changed", "operator"),
        ("client.rotated", "operator"),
        ("client.disabled", "operator"),
        ("client.enabled", "operator"),
        ("token.revoked", "operator"),
        ("client.removed", "operator"),
    ]
    assert {record["actor"]["name"] for record in trail.json if record["actor"]["kind"] == "operator"} == {"alice"}
    assert client["client_secret"] not in trail.body.decode()


async def test_the_trail_is_read_page_by_page(api: AdminAPI) -> None:
    """Link leads through all records of all clients, or of one."""
    clients = [await register(api, client_id=f"id-{number}") for number in range(5)]
    items, sizes = await follow(api, "/admin/audit?page_size=2")
    assert [item["client_id"] for item in items] == [client["client_id"] for client in clients]
    assert sizes == [2, 2, 1]
    assert [item["client_id"] for item in (await call(api, "GET", "/admin/audit?client_id=id-3")).json] == ["id-3"]
    later = int(items[-1]["at"]) + 10
    assert (await call(api, "GET", f"/admin/audit?since={later}")).json == []
    assert len((await call(api, "GET", f"/admin/audit?since={later - 100}")).json) == 5


@pytest.mark.parametrize(
    "query", ["since=x", "since=-1", "page_token=x", "page_size=0", "page_size=1001", "since=" + "9" * 30]
)
async def test_a_query_that_is_not_valid_is_400(api: AdminAPI, query: str) -> None:
    """The parameter is named."""
    answer = await call(api, "GET", f"/admin/audit?{query}")
    assert answer.status == 400
    assert query.partition("=")[0] in answer.json["detail"]
