"""Which routes of a Litestar application need no signature: plain paths, and an option of a route."""

from __future__ import annotations

from typing import Any

import pytest
from litestar import Litestar, asgi, get
from litestar.config.cors import CORSConfig

from async_oauth1.litestar import OAuth1Auth, requires_oauth1
from tests.attacks.provider import JANE
from tests.attacks.signer import sign
from tests.attacks.wire import call

from .site import make_protector, photos, protected_site, unsigned

PREFLIGHT = ((b"origin", b"https://page.example"), (b"access-control-request-method", b"GET"))


@get(["/health", "/health/live", "/healthy", "/photos/health", "/"])
async def health() -> str:
    """Need a signature at some paths."""
    return "healthy"


@asgi("/mount", is_mount=True, copy_scope=True)
async def mounted(scope: Any, receive: Any, send: Any) -> None:
    """Tell which path arrived."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": scope["path"].encode()})


@pytest.mark.parametrize("target", ["/health", "/health/", "/health/live", "/health?a=b"])
async def test_an_excluded_path(target: str) -> None:
    """It passes unsigned, with what is below it."""
    assert (await call(await protected_site(health, exclude=["/health"]), unsigned("GET", target))).status == 200


@pytest.mark.parametrize("target", ["/healthy", "/photos/health", "/", "//health", "/%68ealth", "/health%2Flive"])
async def test_a_path_that_is_like_an_excluded_one(target: str) -> None:
    """It is no pattern: other spellings, and paths that contain it, need a signature if Litestar routes them."""
    answer = await call(await protected_site(health, exclude=["/health"]), unsigned("GET", target))
    assert answer.status in (401, 404)
    assert b"healthy" not in answer.body


@pytest.mark.parametrize("target", ["/mount", "/mount/", "/mount/health", "/mountx", "/mountx/health", "/mount/a/b"])
async def test_mounts(target: str) -> None:
    """Whatever Litestar takes to a mount needs a signature over the whole path, and nothing of it is excluded."""
    app = await protected_site(mounted, exclude=["/health", "/mountx", "/a"])
    assert (await call(app, unsigned("GET", target))).status == 401
    assert (await call(app, sign(JANE, "GET", target))).status == 200
    assert (
        await call(app, sign(JANE, "GET", target, signed_target=target.replace("/mount", "", 1) or "/"))
    ).status == 401


async def test_a_path_in_a_mount() -> None:
    """It is excluded by its whole path."""
    app = await protected_site(mounted, exclude=["/mount/health"])
    assert (await call(app, unsigned("GET", "/mount/health"))).status == 200
    assert (await call(app, unsigned("GET", "/mount/photos"))).status == 401


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/api/photos", 401),
        ("/zzz/api/photos", 401),
        ("/photos", 401),
        ("/api/health", 200),
        ("/health", 200),
        ("/health/api/photos", 401),
        ("/api/health/api/photos", 401),
    ],
)
async def test_a_root_path(target: str, status: int) -> None:
    """Litestar removes it wherever it stands, so that a path is only excluded if every reading of it is."""
    app = await protected_site(photos, health, exclude=["/health"])
    assert (await call(app, unsigned("GET", target), root_path="/api")).status in (status, 404)
    if status == 401:
        assert (await call(app, sign(JANE, "GET", target), root_path="/api")).status in (200, 404)


async def test_a_path_that_other_middleware_has_changed() -> None:
    """It is not excluded by the path that the client sent."""
    app: Any = await protected_site(photos, health, exclude=["/health"])

    async def rewriting(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "path": "/photos"}, receive, send)

    assert (await call(rewriting, unsigned("GET", "/health"))).status == 401


async def test_an_option_of_a_route() -> None:
    """As in Litestar's own backends; its name can be changed."""

    @get("/open", exclude_from_auth=True)
    async def opened() -> str:
        return "open"

    @get("/public", public=True)
    async def public() -> str:
        return "public"

    app = await protected_site(opened, public)
    assert (await call(app, unsigned("GET", "/open"))).status == 200
    assert (await call(app, unsigned("GET", "/public"))).status == 401
    app = await protected_site(opened, public, exclude_opt_key="public")
    assert (await call(app, unsigned("GET", "/open"))).status == 401
    assert (await call(app, unsigned("GET", "/public"))).status == 200


async def test_the_openapi_document() -> None:
    """It needs a signature unless it is excluded, and shows the scheme."""
    assert (await call(await protected_site(), unsigned("GET", "/schema/openapi.json"))).status == 401
    document = (await call(await protected_site(exclude=["/schema"]), unsigned("GET", "/schema/openapi.json"))).json
    [scheme] = document["components"]["securitySchemes"].values()
    assert (scheme["type"], scheme["scheme"]) == ("http", "oauth")
    assert document["security"] == [{name: [] for name in document["components"]["securitySchemes"]}]


@pytest.mark.parametrize("exclude", [["health"], ["/"], ["/a/../b"], ["/a*"]])
async def test_an_exclusion_that_is_no_plain_path(exclude: list[str]) -> None:
    """It is an error that names the path."""
    protector, _ = await make_protector()
    if exclude == ["/a*"]:  # a character of patterns, which paths may have as well
        app = await protected_site(health, exclude=exclude)
        assert (await call(app, unsigned("GET", "/"))).status == 401
        return
    with pytest.raises(ValueError, match="exclude"):
        OAuth1Auth(protector, exclude=exclude)
    with pytest.raises(TypeError, match="not one string"):
        OAuth1Auth(protector, exclude="/health")


async def test_preflights() -> None:
    """They pass with ``cors_preflight``, even if guards stand before the route; other OPTIONS requests do not."""
    from litestar import Router

    router = Router("/in", route_handlers=[photos], guards=[requires_oauth1("photos.read")])
    app = await protected_site(router, cors_preflight=True)
    assert (await call(app, unsigned("OPTIONS", "/in/photos", *PREFLIGHT))).status == 204
    assert (await call(app, unsigned("OPTIONS", "/in/photos", PREFLIGHT[0]))).status == 401
    assert (await call(app, unsigned("GET", "/in/photos", *PREFLIGHT))).status == 401
    app = await protected_site(router)
    assert (await call(app, unsigned("OPTIONS", "/in/photos", *PREFLIGHT))).status == 401


async def test_cors_of_litestar() -> None:
    """Its configuration answers preflights itself, and adds its headers to refusals."""
    protector, _ = await make_protector()
    cors = CORSConfig(allow_origins=["https://page.example"])
    app = Litestar([photos], on_app_init=[OAuth1Auth(protector).on_app_init], cors_config=cors)
    assert (await call(app, unsigned("OPTIONS", "/photos", *PREFLIGHT))).status == 204
    answer = await call(app, unsigned("GET", "/photos", PREFLIGHT[0]))
    assert (answer.status, answer.header("access-control-allow-origin")) == (401, "https://page.example")
