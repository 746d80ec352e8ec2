"""What can be changed of a client by the API: its name, how it signs, and its key."""

from __future__ import annotations

from typing import Any

import pytest

from async_oauth1.admin.api import AdminAPI
from tests.keys import RSA_PUBLIC_KEY

from .calling import call
from .test_clients import register

MERGE = "application/merge-patch+json"


async def change(api: AdminAPI, path: str, patch: Any) -> Any:
    """Send a merge patch."""
    return await call(api, "PATCH", path, patch, content_type=MERGE)


async def test_name_methods_and_key_are_changed(api: AdminAPI, store: Any) -> None:
    """Each is stored, recorded under the operator's name, and shown without a secret."""
    client = await register(api)
    path = f"/admin/clients/{client['client_id']}"
    changed = await change(api, path, {"name": " Plotter "})
    assert (changed.status, changed.json["name"]) == (200, "Plotter")
    keyed = await change(api, path, {"signature_methods": ["RSA-SHA256"], "rsa_public_key": RSA_PUBLIC_KEY})
    assert (keyed.json["signature_methods"], keyed.json["rsa_public_key"]) == (["RSA-SHA256"], RSA_PUBLIC_KEY)
    stored = await store.find_client(client["client_id"])
    assert (stored.name, stored.signature_methods, stored.rsa_public_key) == (
        "Plotter",
        ("RSA-SHA256",),
        RSA_PUBLIC_KEY,
    )
    assert stored.client_secret == client["client_secret"]
    removed = await change(api, path, {"signature_methods": ["HMAC-SHA256"], "rsa_public_key": None})
    assert (removed.json["signature_methods"], removed.json["rsa_public_key"]) == (["HMAC-SHA256"], None)
    trail = (await call(api, "GET", f"{path}/audit")).json
    assert [(each["event"], each["actor"]["name"]) for each in trail[1:]] == [("client.changed", "alice")] * 3
    assert "client_secret" not in removed.json


async def test_json_patch_and_put_do_so_as_well(api: AdminAPI) -> None:
    """A PUT that does not name them keeps them: it must not change how a client signs."""
    client = await register(api, signature_methods=["RSA-SHA1", "HMAC-SHA1"], rsa_public_key=RSA_PUBLIC_KEY)
    path = f"/admin/clients/{client['client_id']}"
    kept = await call(api, "PUT", path, {"callbacks": ["oob"]})
    assert (kept.json["name"], kept.json["rsa_public_key"]) == (client["name"], RSA_PUBLIC_KEY)
    patch = [{"op": "remove", "path": "/rsa_public_key"}, {"op": "remove", "path": "/signature_methods/0"}]
    patched = await call(api, "PATCH", path, patch)
    assert (patched.json["rsa_public_key"], patched.json["signature_methods"]) == (None, ["HMAC-SHA1"])
    put = await call(api, "PUT", path, {"name": "New", "signature_methods": [], "rsa_public_key": None})
    assert (put.json["name"], put.json["signature_methods"]) == ("New", [])


@pytest.mark.parametrize(
    ("patch", "said"),
    [
        ({"name": ""}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": 1}, "name"),
        ({"signature_methods": ["MD5"]}, "MD5"),
        ({"signature_methods": "HMAC-SHA1"}, "signature_methods"),
        ({"signature_methods": ["RSA-SHA1"]}, "needs the client's public key"),
        ({"rsa_public_key": RSA_PUBLIC_KEY}, "none of these uses the public key"),
        ({"rsa_public_key": "abc"}, "public key"),
        ({"rsa_public_key": "", "signature_methods": ["RSA-SHA1"]}, "rsa_public_key"),
        ({"client_id": "other"}, "client_id"),
        ({"client_secret": "chosen"}, "client_secret"),
        ({"has_secret": False}, "has_secret"),
    ],
)
async def test_what_could_not_work_is_refused(api: AdminAPI, store: Any, patch: dict[str, Any], said: str) -> None:
    """400, which names what is wrong, and nothing changes."""
    client = await register(api)
    before = await store.find_client(client["client_id"])
    answer = await change(api, f"/admin/clients/{client['client_id']}", patch)
    assert answer.status == 400
    assert said in answer.json["detail"]
    assert await store.find_client(client["client_id"]) == before


@pytest.mark.parametrize(
    ("method", "target", "operator"),
    [
        ("GET", "/admin/clients", "alice"),
        ("POST", "/admin/clients", "alice"),
        ("GET", "/admin/clients/unknown", "alice"),
        ("DELETE", "/admin/oauth1/tokens?user_id=jane", "alice"),
        ("PUT", "/admin/clients", "alice"),
        ("GET", "/admin/nothing", "alice"),
        ("GET", "/admin/clients", None),
    ],
)
async def test_every_answer_is_json_for_browsers_too(
    api: AdminAPI, method: str, target: str, operator: str | None
) -> None:
    """None is stored, and none is taken for something else."""
    body = {"name": "Printer"} if method == "POST" else None
    answer = await call(api, method, target, body, operator=operator)
    assert answer.header("x-content-type-options") == "nosniff"
    assert answer.header("cache-control") == "no-store"
