"""Clients by the API: over each store, from registration to removal."""

from __future__ import annotations

from typing import Any

import pytest

from async_oauth1 import Client, ResourceProtector
from async_oauth1.admin.api import AdminAPI
from tests.attacks.signer import Keys, sign
from tests.attacks.wire import Answer
from tests.attacks.wire import call as send

from .calling import call


async def register(api: AdminAPI, **members: Any) -> dict[str, Any]:
    """Register a client, and return the answer."""
    answer = await call(api, "POST", "/admin/clients", {"name": "Printer", **members})
    assert answer.status == 201, answer.body
    document: dict[str, Any] = answer.json
    return document


async def verify(store: Any, client: dict[str, Any], secret: str | None = None) -> int:
    """The status of a request that a client signs."""
    from async_oauth1.asgi import OAuth1Middleware

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    protector = ResourceProtector()
    protector.register_hooks(store)
    keys = Keys(client_id=client["client_id"], client_secret=secret or client["client_secret"])
    guarded = OAuth1Middleware(app, protector, ["/"], two_legged=True)
    return (await send(guarded, sign(keys, "GET", "/photos", content_type=None))).status


async def test_a_client_that_is_registered_works_and_its_secret_is_shown_once(api: AdminAPI, store: Any) -> None:
    """The answer has the secret, and neither the client's own document nor the list has it."""
    answer = await call(
        api, "POST", "/admin/clients", {"name": " Printer ", "callbacks": ["oob", "https://a.example/"]}
    )
    assert answer.status == 201
    assert answer.header("cache-control") == "no-store"
    created = answer.json
    assert answer.header("location") == f"/admin/clients/{created['client_id']}"
    assert created["name"] == "Printer"
    assert await verify(store, created) == 200
    found = await call(api, "GET", f"/admin/clients/{created['client_id']}")
    assert found.status == 200
    assert found.json == {name: value for name, value in created.items() if name != "client_secret"}
    listed = await call(api, "GET", "/admin/clients")
    assert listed.json == [found.json]
    assert created["client_secret"] not in (found.body + listed.body).decode()


async def test_a_client_with_a_chosen_identifier_is_registered_once(api: AdminAPI) -> None:
    """Another one of that identifier is a conflict."""
    await register(api, client_id="a/b c%é")
    again = await call(api, "POST", "/admin/clients", {"name": "Other", "client_id": "a/b c%é"})
    assert (again.status, again.json["status"]) == (409, 409)
    answer = await call(api, "GET", "/admin/clients/a%2Fb%20c%25%C3%A9")
    assert (answer.status, answer.json["client_id"]) == (200, "a/b c%é")


async def test_what_is_changed_takes_effect_and_the_rest_stays(api: AdminAPI) -> None:
    """PATCH takes JSON Patch and a merge patch; PUT also resets what is left out."""
    client = await register(api, callbacks=["oob"])
    path = f"/admin/clients/{client['client_id']}"
    patch = [
        {"op": "test", "path": "/name", "value": "Printer"},
        {"op": "add", "path": "/callbacks/-", "value": "https://a.example/"},
        {"op": "replace", "path": "/nonce_policy", "value": "log-only"},
    ]
    answer = await call(api, "PATCH", path, patch, content_type="application/json-patch+json")
    assert (answer.status, answer.json["callbacks"]) == (200, ["oob", "https://a.example/"])
    assert (await call(api, "PATCH", path, patch)).json["callbacks"] == [
        "oob",
        "https://a.example/",
        "https://a.example/",
    ]
    merged = await call(
        api, "PATCH", path, {"callback_query_may_differ": True}, content_type="application/merge-patch+json"
    )
    assert merged.json["callback_query_may_differ"] is True
    assert merged.json["nonce_policy"] == "log-only"
    replaced = await call(api, "PUT", path, {**merged.json, "callbacks": ["https://b.example/"]})
    assert replaced.json == {**merged.json, "callbacks": ["https://b.example/"]}
    reset = await call(api, "PUT", path, {"callbacks": ["oob"]})
    assert (reset.json["nonce_policy"], reset.json["callback_query_may_differ"]) == ("strict", False)
    assert (await call(api, "GET", path)).json == reset.json


async def test_a_disabled_client_is_refused_until_it_is_enabled(api: AdminAPI, store: Any) -> None:
    """By the operations of these names, and by a change of the member."""
    client = await register(api)
    path = f"/admin/clients/{client['client_id']}"
    assert (await call(api, "POST", f"{path}/disable")).json["disabled"] is True
    assert await verify(store, client) == 401
    assert (await call(api, "GET", path)).json["disabled"] is True
    assert (await call(api, "POST", f"{path}/enable")).json["disabled"] is False
    assert await verify(store, client) == 200
    patch = [{"op": "replace", "path": "/disabled", "value": True}]
    assert (await call(api, "PATCH", path, patch)).json["disabled"] is True
    assert await verify(store, client) == 401
    assert (await call(api, "PUT", path, {"callbacks": ["oob"]})).json["disabled"] is True, "it was not said"
    assert (await call(api, "PUT", path, {"disabled": False})).json["disabled"] is False


async def test_a_rotated_secret_is_shown_once_and_the_former_one_ends(api: AdminAPI, store: Any) -> None:
    """By default the former one stays valid for a day; with an overlap of 0 it ends at once."""
    client = await register(api)
    path = f"/admin/clients/{client['client_id']}"
    rotated = await call(api, "POST", f"{path}/secrets/rotate")
    assert rotated.status == 200
    new = rotated.json["client_secret"]
    assert new != client["client_secret"]
    assert len(rotated.json["former_secrets_end_at"]) == 1
    assert new not in (await call(api, "GET", path)).body.decode()
    assert [await verify(store, client, secret) for secret in (new, client["client_secret"])] == [200, 200]
    at_once = await call(api, "POST", f"{path}/secrets/rotate", {"overlap": 0})
    assert at_once.json["former_secrets_end_at"] == []
    statuses = [
        await verify(store, client, each) for each in (at_once.json["client_secret"], new, client["client_secret"])
    ]
    assert statuses == [200, 401, 401]


async def test_a_removed_client_is_gone(api: AdminAPI, store: Any) -> None:
    """Every operation on it is a 404 then."""
    client = await register(api)
    path = f"/admin/clients/{client['client_id']}"
    gone = await call(api, "DELETE", path)
    assert (gone.status, gone.body) == (204, b"")
    assert await verify(store, client) == 401
    for method, target, body in (
        ("GET", path, None),
        ("PUT", path, {}),
        ("PATCH", path, []),
        ("DELETE", path, None),
        ("POST", f"{path}/disable", None),
        ("POST", f"{path}/enable", None),
        ("POST", f"{path}/secrets/rotate", None),
    ):
        answer = await call(api, method, target, body)
        assert (answer.status, answer.header("content-type")) == (404, "application/problem+json"), method


async def follow(api: AdminAPI, target: str, relation: str = "next") -> tuple[list[dict[str, Any]], list[int]]:
    """All items of a list by its links, and the sizes of the pages."""
    items: list[dict[str, Any]] = []
    sizes: list[int] = []
    while target:
        answer = await call(api, "GET", target)
        assert answer.status == 200, answer.body
        items += answer.json
        sizes.append(len(answer.json))
        target = links_of(answer).get(relation, "")
    return items, sizes


def links_of(answer: Answer) -> dict[str, str]:
    """The targets of the Link field."""
    links = (link.split(">; rel=") for link in (answer.header("link") or "").split(", "))
    return {relation.strip('"'): target.lstrip("<") for target, relation in links}


async def test_a_list_is_read_page_by_page_also_while_it_changes(api: AdminAPI, store: Any) -> None:
    """Link leads through all clients, each once, also if the client of the cursor is removed meanwhile."""
    for number in range(7):
        await store.add_client(Client(client_id=f"id-{number}", client_secret="s", name=f"Client {number}"))
    items, sizes = await follow(api, "/admin/clients?page_size=3")
    assert [item["client_id"] for item in items] == [f"id-{number}" for number in range(7)]
    assert sizes == [3, 3, 1]
    first = await call(api, "GET", "/admin/clients?page_size=3")
    await store.remove_client("id-2")
    items, _ = await follow(api, links_of(first)["next"])
    assert [item["client_id"] for item in items] == ["id-3", "id-4", "id-5", "id-6"]
    items, _ = await follow(api, "/admin/clients?page_size=1&search=CLIENT+5")
    assert [item["client_id"] for item in items] == ["id-5"]


async def test_tokens_are_listed_without_secrets_and_revoked(api: AdminAPI, store: Any) -> None:
    """One by one, those of a user, and those of a client."""
    client = await register(api)
    issued = [await store.issue_token_credential(client["client_id"], user) for user in ("jane", "jane", "john", "joe")]
    tokens = f"/admin/oauth1/tokens?client_id={client['client_id']}"
    listed = await call(api, "GET", tokens)
    assert {item["oauth_token"] for item in listed.json} == {token.oauth_token for token in issued}
    assert not any(token.oauth_token_secret in listed.body.decode() for token in issued)
    assert len((await call(api, "GET", f"{tokens}&user_id=jane")).json) == 2
    assert (await call(api, "DELETE", f"/admin/oauth1/tokens/{issued[0].oauth_token}")).status == 204
    assert (await call(api, "DELETE", f"/admin/oauth1/tokens/{issued[0].oauth_token}")).status == 404
    assert (await call(api, "DELETE", f"{tokens}&user_id=john")).status == 204
    assert [item["user_id"] for item in (await call(api, "GET", tokens)).json] == ["jane", "joe"]
    assert (await call(api, "DELETE", tokens)).status == 204
    assert (await call(api, "GET", tokens)).json == []
    assert (await call(api, "DELETE", "/admin/oauth1/tokens")).status == 400


@pytest.mark.parametrize("method", ["HEAD", "GET"])
async def test_head_is_get_without_a_body(api: AdminAPI, method: str) -> None:
    """The status and the length are the same."""
    await register(api)
    answer = await call(api, method, "/admin/clients")
    assert answer.status == 200
    assert bool(answer.body) == (method == "GET")
