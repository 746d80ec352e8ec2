"""What the API refuses: strangers, other sites, and bodies, paths and queries that are not valid."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from async_oauth1 import Client
from async_oauth1.admin.api import AdminAPI
from async_oauth1.errors import StoreUnavailableError
from async_oauth1.stores import MemoryStore

from .calling import Operator, api_of, call

PATHS = [
    ("GET", "/admin/clients"),
    ("POST", "/admin/clients"),
    ("GET", "/admin/clients/id"),
    ("PUT", "/admin/clients/id"),
    ("PATCH", "/admin/clients/id"),
    ("DELETE", "/admin/clients/id"),
    ("POST", "/admin/clients/id/secrets/rotate"),
    ("POST", "/admin/clients/id/disable"),
    ("POST", "/admin/clients/id/enable"),
    ("GET", "/admin/oauth1/tokens"),
    ("DELETE", "/admin/oauth1/tokens?client_id=id"),
    ("GET", "/admin/unknown"),
    ("TRACE", "/"),
]


@pytest.fixture
async def store() -> MemoryStore:
    """A store with one client."""
    store = MemoryStore()
    await store.add_client(Client(client_id="id", client_secret="secret", name="Printer", callbacks=("oob",)))
    return store


@pytest.fixture
def api(store: MemoryStore) -> AdminAPI:
    """The API over it."""
    return api_of(store)


def test_a_store_that_cannot_be_administered_is_refused_at_start() -> None:
    """The error names what the store lacks."""
    incomplete: Any = object()
    with pytest.raises(TypeError, match="AdministersClients"):
        AdminAPI(incomplete, operator=Operator())


@pytest.mark.parametrize(("method", "target"), PATHS)
async def test_without_a_hook_everything_is_refused_and_the_start_says_so(
    store: MemoryStore, method: str, target: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The log names the argument that is missing."""
    with caplog.at_level(logging.ERROR, "async_oauth1.admin"):
        api = AdminAPI(store)
    assert "operator=" in caplog.text
    assert (await call(api, method, target, {})).status == 403
    assert await store.query_client("id") is not None


@pytest.mark.parametrize(("method", "target"), PATHS)
async def test_anyone_but_an_operator_is_refused_before_the_body_is_read(
    api: AdminAPI, method: str, target: str
) -> None:
    """Whatever the path and the body are, the answer is the same."""
    answer = await call(api, method, target, b"{" * 100_000, operator=None)
    assert answer.status == 403
    assert answer.header("content-type") == "application/problem+json"


@pytest.mark.parametrize("name", [True, "", " ", 7, b"alice", ["alice"]])
async def test_a_hook_that_names_no_operator_admits_nobody(store: MemoryStore, name: Any) -> None:
    """Only a name is a permission: operations are recorded under it."""
    answer = await call(AdminAPI(store, operator=lambda scope: name), "GET", "/admin/clients")
    assert answer.status == 403


async def test_a_hook_or_a_store_that_is_down_is_503(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is admitted, and the client may try again."""

    def operator(scope: Any) -> str:
        raise ConnectionRefusedError

    answer = await call(AdminAPI(store, operator=operator), "GET", "/admin/clients")
    assert (answer.status, answer.header("retry-after")) == (503, "1")

    async def page_clients(*args: Any, **options: Any) -> Any:
        raise StoreUnavailableError

    monkeypatch.setattr(store, "page_clients", page_clients)
    answer = await call(api_of(store), "GET", "/admin/clients")
    assert (answer.status, answer.header("retry-after")) == (503, "1")


@pytest.mark.parametrize(
    "field",
    [(b"origin", b"https://evil.example"), (b"origin", b"null"), (b"sec-fetch-site", b"cross-site")],
    ids=["origin", "null", "fetch metadata"],
)
async def test_a_page_of_another_site_changes_nothing(api: AdminAPI, store: MemoryStore, field: Any) -> None:
    """An operator's browser sends cookies with such a request."""
    assert (await call(api, "POST", "/admin/clients/id/disable", headers=(field,))).status == 403
    assert (await call(api, "DELETE", "/admin/clients/id", headers=(field,))).status == 403
    assert await store.query_client("id") is not None
    own = (b"origin", b"https://provider.example")
    assert (await call(api, "POST", "/admin/clients/id/disable", headers=(own,))).status == 200


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded", "application/jsonx"])
async def test_only_json_is_read(api: AdminAPI, content_type: str | None) -> None:
    """What a form of another site can send is refused."""
    answer = await call(api, "POST", "/admin/clients", {"name": "x"}, content_type=content_type)
    assert answer.status == 415
    fine = await call(api, "POST", "/admin/clients", {"name": "x"}, content_type="Application/JSON; charset=utf-8")
    assert fine.status == 201


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"name": "x"} x',
        b"\xff",
        b'{"name": "\xff"}',
        b'{"name": NaN}',
        b'{"name": "x", "name": "y"}',
        b"[" * 30_000,
        b'{"a":' * 10_000,
        b"9" * 10_000,
        b'"name"',
        b"[]",
        b"null",
        b"{}",
        b'{"name": null}',
        b'{"name": ""}',
        b'{"name": 1}',
        b'{"name": "a\\u0000b"}',
        b'{"name": "a\\nb"}',
        b'{"name": "\\ud800"}',
        b'{"name": "x", "client_id": ""}',
        b'{"name": "x", "client_id": "\\ud800"}',
        b'{"name": "x", "client_id": "a\\nb"}',
        b'{"name": "x", "callbacks": "oob"}',
        b'{"name": "x", "callbacks": [1]}',
        b'{"name": "x", "callbacks": ["javascript:alert(1)"]}',
        b'{"name": "x", "callbacks": ["\\ud800"]}',
        b'{"name": "x", "signature_methods": ["MD5"]}',
        b'{"name": "x", "signature_methods": ["RSA-SHA1"]}',
        b'{"name": "x", "rsa_public_key": "no key"}',
        b'{"name": "x", "nonce_policy": "none"}',
        b'{"name": "x", "callback_query_may_differ": 1}',
        b'{"name": "x", "tolerances": ["everything"]}',
        b'{"name": "x", "client_secret": "mine"}',
        b'{"name": "x", "unknown": 1}',
    ],
    ids=lambda body: repr(body[:40]),
)
async def test_a_client_that_is_not_valid_is_400(api: AdminAPI, store: MemoryStore, body: bytes) -> None:
    """The answer says what is wrong, and nothing is stored."""
    answer = await call(api, "POST", "/admin/clients", body or b" ")
    assert (answer.status, answer.header("content-type")) == (400, "application/problem+json")
    problem = json.loads(answer.body)
    assert set(problem) == {"type", "title", "status", "detail"}
    assert len(problem["detail"]) < 1_000
    assert len(await store.list_clients()) == 1


async def test_a_body_is_bounded(api: AdminAPI) -> None:
    """A larger one is 413, with a length and without."""
    large = b'{"name": "' + b"x" * 70_000 + b'"}'
    assert (await call(api, "POST", "/admin/clients", large)).status == 413
    assert (await call(api, "PATCH", "/admin/clients/id", large)).status == 413


@pytest.mark.parametrize(
    ("patch", "status"),
    [
        ({}, 400),
        ([1], 400),
        ([{"op": "spell", "path": "/name"}], 400),
        ([{"op": "add", "path": "/name"}], 400),
        ([{"op": "add", "path": "name", "value": 1}], 400),
        ([{"op": "add", "path": 1, "value": 1}], 400),
        ([{"op": "replace", "path": "", "value": 1}], 400),
        ([{"op": "remove", "path": ""}], 400),
        ([{"op": "remove", "path": "/absent"}], 409),
        ([{"op": "remove", "path": "/callbacks/1"}], 409),
        ([{"op": "remove", "path": "/callbacks/-1"}], 409),
        ([{"op": "add", "path": "/callbacks/9", "value": "oob"}], 409),
        ([{"op": "add", "path": "/name/0", "value": "oob"}], 409),
        ([{"op": "test", "path": "/name", "value": "Other"}], 409),
        ([{"op": "test", "path": "/disabled", "value": 0}], 409),
        ([{"op": "move", "path": "/name"}], 400),
        ([{"op": "replace", "path": "/name", "value": ""}], 400),
        ([{"op": "replace", "path": "/client_id", "value": "other"}], 400),
        ([{"op": "replace", "path": "/has_secret", "value": False}], 400),
        ([{"op": "add", "path": "/client_secret", "value": "mine"}], 400),
        ([{"op": "replace", "path": "/signature_methods", "value": ["RSA-SHA1"]}], 400),
        ([{"op": "add", "path": "/unknown", "value": 1}], 400),
        ([{"op": "replace", "path": "/disabled", "value": 1}], 400),
        ([{"op": "replace", "path": "/tolerances", "value": ["everything"]}], 400),
        ([{"op": "replace", "path": "/callbacks", "value": ["javascript:x"]}], 400),
        ([{"op": "test", "path": "/name", "value": "Printer"}] * 101, 400),
    ],
    ids=str,
)
async def test_a_patch_that_is_not_valid_changes_nothing(
    api: AdminAPI, store: MemoryStore, patch: Any, status: int
) -> None:
    """Also if an operation before it would apply."""
    before = await store.find_client("id")
    first = [{"op": "replace", "path": "/nonce_policy", "value": "log-only"}]
    whole = first + patch if isinstance(patch, list) else patch
    assert (await call(api, "PATCH", "/admin/clients/id", whole)).status == status
    assert await store.find_client("id") == before


@pytest.mark.parametrize("overlap", [-1, 1.5, "1", True, None, 10**12, 10**400])
async def test_an_overlap_that_is_not_valid_is_400(api: AdminAPI, store: MemoryStore, overlap: Any) -> None:
    """The secret stays."""
    answer = await call(api, "POST", "/admin/clients/id/secrets/rotate", {"overlap": overlap})
    assert answer.status == 400
    client = await store.query_client("id")
    assert client is not None
    assert client.client_secret == "secret"


async def test_a_client_without_a_secret_cannot_get_a_new_one(api: AdminAPI, store: MemoryStore) -> None:
    """It is a conflict with what the client is."""
    await store.add_client(Client(client_id="keyless", callbacks=("oob",)))
    assert (await call(api, "POST", "/admin/clients/keyless/secrets/rotate")).status == 409


@pytest.mark.parametrize(
    "query",
    [
        "page_size=0",
        "page_size=1001",
        "page_size=x",
        "page_size=%C2%B2",
        "page_size=",
        "page_token=x",
        "page_token=%00",
        "page_token=WzFd",
        "limit=1",
        "search=a&search=b",
        "search=%FF",
        "client_name=x",
    ],
)
async def test_a_query_that_is_not_valid_is_400(api: AdminAPI, query: str) -> None:
    """A parameter that is not known is not ignored: the answer would be to another question."""
    answer = await call(api, "GET", f"/admin/clients?{query}")
    assert (answer.status, answer.header("content-type")) == (400, "application/problem+json")


@pytest.mark.parametrize("target", ["/admin", "/", "/admin/clients/id/unknown", "/admin/clients/%FF", "/admin/oauth1"])
async def test_other_paths_are_404(api: AdminAPI, target: str) -> None:
    """Also for an operator."""
    assert (await call(api, "GET", target)).status == 404


@pytest.mark.parametrize(
    ("method", "target", "allow"),
    [
        ("PUT", "/admin/clients", "GET, POST, HEAD"),
        ("POST", "/admin/clients/id", "GET, PUT, PATCH, DELETE, HEAD"),
        ("GET", "/admin/clients/id/disable", "POST"),
    ],
)
async def test_other_methods_are_405(api: AdminAPI, method: str, target: str, allow: str) -> None:
    """With those that are there."""
    answer = await call(api, method, target)
    assert (answer.status, answer.header("allow")) == (405, allow)


@pytest.mark.parametrize(
    ("target", "changes"),
    [
        ("/admin/clients", {}),
        ("/clients", {}),
        ("/x/admin/clients", {"root_path": "/x"}),
        ("/x/clients", {"root_path": "/x", "path": "/clients"}),
        ("/admin/clients", {"root_path": "/admin"}),
        ("/clients/clients", {"root_path": "/clients"}),
        ("/admin/clients", {"path": "/clients/"}),
        ("/admin/clients", {"root_path": "/api", "path": "/api/admin/clients"}),
        ("/admin/clients", {"raw_path": None}),
    ],
)
async def test_wherever_the_api_is_mounted(api: AdminAPI, target: str, changes: dict[str, Any]) -> None:
    """Mounts are cut off or stay, as servers and frameworks have it; links have the path that the client used."""
    answer = await call(api, "GET", f"{target}?page_size=5", **changes)
    assert answer.status == 200
    if changes.get("raw_path", True) and not changes.get("path"):
        assert answer.header("link") == f'<{target}?page_size=5>; rel="first"'
