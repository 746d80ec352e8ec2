"""The page works wherever it is mounted: its links and forms stay below the mount."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from hypercorn.middleware import DispatcherMiddleware
from litestar import Litestar, asgi
from quart import Quart
from starlette.applications import Starlette
from starlette.routing import Mount

from async_oauth1.admin.page import AdminPage
from async_oauth1.policy import Policy
from async_oauth1.stores import MemoryStore

from .visiting import KEY, ORIGIN, Visitor, alice

ADDRESS = re.compile(r'(?:href|action)="(/[^"]*)"')


def on_starlette(page: Any) -> Any:
    """A mount of Starlette."""
    return Starlette(routes=[Mount("/admin", page)])


def on_fastapi(page: Any) -> Any:
    """A mount of FastAPI."""
    app = FastAPI()
    app.mount("/admin", page)
    return app


def on_litestar(page: Any) -> Any:
    """A mount of Litestar."""

    @asgi("/admin", is_mount=True, copy_scope=True)
    async def mounted(scope: Any, receive: Any, send: Any) -> None:
        await page(scope, receive, send)

    return Litestar([mounted], openapi_config=None)


def beside_quart(page: Any) -> Any:
    """Hypercorn's dispatcher, beside a Quart application."""
    return DispatcherMiddleware({"/admin": page, "/": Quart(__name__)})


def cutting(page: Any) -> Any:
    """A dispatcher that cuts the mount off the path and leaves the rest of the scope alone."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert scope["path"].startswith("/admin")
        await page({**scope, "path": scope["path"].removeprefix("/admin")}, receive, send)

    return app


MOUNTS = [on_starlette, on_fastapi, on_litestar, beside_quart, cutting]


@pytest.mark.parametrize("mount", MOUNTS)
@pytest.mark.parametrize("root_path", ["", "/behind a proxy"])
async def test_links_and_forms_stay_below_the_mount(
    store: MemoryStore, mount: Callable[[Any], Any], root_path: str
) -> None:
    """A client can be registered, found and disabled by what the pages link to."""
    app = mount(AdminPage(store, operator=alice, secret_key=KEY))
    if root_path and mount is not on_starlette:
        return  # each framework has its own idea of a root path; the argument base_path is for these
    transport = httpx.ASGITransport(app, root_path=root_path)
    base = f"{root_path}/admin".replace(" ", "%20")
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        visitor = Visitor(client, base if root_path else "/admin")
        client_id, _ = await visitor.register()
        pages = [await visitor.open("/"), await visitor.open("/new"), await visitor.open("/client", id=client_id)]
        addresses = {unescape(found) for page in pages for found in ADDRESS.findall(page.text)}
        assert addresses
        assert all(address.startswith(f"{base}/") for address in addresses), addresses
        answer = await visitor.send("/client/disable", await visitor.token(), f"id={client_id}")
        assert answer.headers["location"] == f"{base}/client?id={client_id}&done=disabled"


@pytest.mark.parametrize(
    "options",
    [{"base_path": "/oauth/admin/"}, {"policy": Policy(external_base_url="https://provider.example/oauth/admin")}],
)
async def test_the_page_behind_a_proxy_that_removes_a_prefix(store: MemoryStore, options: dict[str, Any]) -> None:
    """``base_path`` says where browsers find it, or the policy's external URL."""
    page = AdminPage(store, operator=alice, secret_key=KEY, **options)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(page), base_url=ORIGIN) as client:
        text = (await client.get("/")).text
    assert 'href="/oauth/admin/new"' in text


async def test_the_page_alone_takes_part_in_the_lifespan(store: MemoryStore) -> None:
    """It can be served as it is, and starts without its hook: then it refuses everything."""
    sent: list[str] = []
    events = iter(["lifespan.startup", "lifespan.shutdown"])

    async def receive() -> Any:
        return {"type": next(events)}

    async def send(message: Any) -> None:
        sent.append(message["type"])

    await AdminPage(store, secret_key=KEY)({"type": "lifespan"}, receive, send)
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
