"""CORS preflights: which OPTIONS requests pass unsigned on Quart and through the middleware, and which do not."""

from __future__ import annotations

from typing import Any

import pytest
import quart_cors
from quart import Quart, request
from starlette.middleware.cors import CORSMiddleware

from async_oauth1 import Client, TemporaryCredential
from async_oauth1.asgi import OAuth1Middleware
from async_oauth1.quart import ResourceProtector
from async_oauth1.stores import MemoryStore
from tests.attacks.provider import JANE
from tests.attacks.signer import Message, sign
from tests.attacks.wire import Answer, call

PAGE = b"https://page.example"
HOST = (b"host", b"provider.example")
ORIGIN = (b"origin", PAGE)
PREFLIGHT = (
    HOST,
    ORIGIN,
    (b"access-control-request-method", b"GET"),
    (b"access-control-request-headers", b"authorization"),
)


class Site:
    """An application with one protected view, which counts its calls."""

    def __init__(self, store: MemoryStore) -> None:
        """Start with no view."""
        self.app = Quart("cors")
        self.protector = ResourceProtector(self.app)
        self.protector.register_hooks(store)
        self.methods: list[str] = []

    async def view(self) -> dict[str, Any]:
        """Count the call."""
        self.methods.append(request.method)
        return {}

    def add(self, *decorators: Any, **options: Any) -> None:
        """Decorate the view, the innermost decorator first, and route it."""
        view: Any = self.view

        async def photos() -> Any:
            return await view()

        decorated: Any = photos
        for decorator in decorators:
            decorated = decorator(decorated)
        self.app.add_url_rule("/photos", "photos", decorated, **options)

    async def options(self, *headers: tuple[bytes, bytes], target: bytes = b"/photos") -> Answer:
        """Send OPTIONS."""
        return await call(self.app, Message(method="OPTIONS", target=target, headers=headers))


async def make_store() -> MemoryStore:
    """A store with one client and one token."""
    store = MemoryStore()
    await store.add_client(Client(client_id="client", client_secret="secret", callbacks=("oob",)))
    pending = TemporaryCredential(
        oauth_token="t", oauth_token_secret="s", client_id="client", oauth_callback="oob", user_id="jane"
    )
    await store.create_token_credential({"oauth_token": "tok", "oauth_token_secret": "toksecret"}, pending)
    return store


@pytest.fixture
async def site() -> Site:
    """An application without CORS."""
    return Site(await make_store())


async def test_quarts_automatic_options_pass(site: Site) -> None:
    """Quart answers them with the methods and calls no view, so there is nothing to protect."""
    site.add(site.protector())
    answer = await site.options(HOST)
    assert answer.status == 200
    assert set((answer.header("allow") or "").split(", ")) == {"GET", "HEAD", "OPTIONS"}
    assert (await call(site.app, Message(method="GET", target=b"/photos", headers=(HOST, ORIGIN)))).status == 401
    assert site.methods == []


async def test_a_preflight_passes_with_quart_cors_around_the_application(site: Site) -> None:
    """A page of another origin may call the view, and read a refusal."""
    site.add(site.protector())
    quart_cors.cors(site.app, allow_origin=PAGE.decode())
    answer = await site.options(*PREFLIGHT)
    assert (answer.status, answer.header("access-control-allow-origin")) == (200, PAGE.decode())
    assert answer.header("access-control-allow-headers") == "authorization"
    answer = await call(site.app, Message(method="GET", target=b"/photos", headers=(HOST, ORIGIN)))
    assert (answer.status, answer.header("access-control-allow-origin")) == (401, PAGE.decode())
    answer = await call(site.app, sign(JANE, "GET", "/photos", headers=[ORIGIN]))
    assert (answer.status, answer.header("access-control-allow-origin")) == (200, PAGE.decode())
    assert site.methods == ["GET"]


@pytest.mark.parametrize("protected_last", [True, False], ids=["@require_oauth on top", "@route_cors on top"])
async def test_a_preflight_passes_in_either_order_of_decorators(site: Site, protected_last: bool) -> None:
    """The extension answers it, and the view is not called; everything else wants a signature."""
    decorators = [quart_cors.route_cors(allow_origin=PAGE.decode()), site.protector()]
    site.add(*decorators if protected_last else reversed(decorators))
    answer = await site.options(*PREFLIGHT)
    assert (answer.status, answer.header("access-control-allow-origin")) == (200, PAGE.decode())
    assert answer.header("access-control-allow-headers") == "authorization"
    refused = await call(site.app, Message(method="GET", target=b"/photos", headers=(HOST, ORIGIN)))
    assert refused.status == 401
    assert refused.header("access-control-allow-origin") == (None if protected_last else PAGE.decode())
    assert (await call(site.app, sign(JANE, "GET", "/photos", headers=[ORIGIN]))).status == 200
    assert site.methods == ["GET"]


async def test_two_protectors_over_a_cors_decorator_let_a_preflight_pass(site: Site) -> None:
    """Both see that the extension answers it."""
    site.add(quart_cors.route_cors(), site.protector(), site.protector("photos.read"))
    assert (await site.options(*PREFLIGHT)).status == 200
    assert site.methods == []


@pytest.mark.parametrize("missing", [b"origin", b"access-control-request-method"])
async def test_what_is_no_preflight_wants_a_signature_under_the_protector(site: Site, missing: bytes) -> None:
    """A preflight has both fields, and no credentials."""
    site.add(quart_cors.route_cors(), site.protector())
    headers = [header for header in PREFLIGHT if header[0] != missing]
    assert (await site.options(*headers)).status == 401
    assert (await site.options(*PREFLIGHT, (b"authorization", b"OAuth x"))).status in (400, 401)


async def test_a_view_that_declares_options_stays_protected(site: Site) -> None:
    """By its route, by the attributes that CORS decorators set, too, and under a CORS decorator that passes it on."""
    site.add(site.protector(), methods=["GET", "OPTIONS"])
    assert (await site.options(*PREFLIGHT)).status == 401

    def declared(view: Any) -> Any:
        view.required_methods, view.provide_automatic_options = {"OPTIONS"}, False
        return view

    for decorators in (
        [declared, site.protector()],
        [declared, quart_cors.route_cors(provide_automatic_options=False), site.protector()],
    ):
        other = Site(await make_store())
        other.add(*decorators)
        assert (await other.options(*PREFLIGHT)).status == 401
        assert other.methods == []
    assert (await call(site.app, sign(JANE, "OPTIONS", "/photos", headers=[ORIGIN]))).status == 200
    assert site.methods == ["OPTIONS"]


async def test_the_middleware_lets_preflights_pass_if_it_is_told_to(site: Site) -> None:
    """Off by default; OPTIONS that is no preflight, and every other method, is refused in either case."""
    site.add(site.protector())
    quart_cors.cors(site.app)
    for allowed in (False, True):
        app = OAuth1Middleware(site.app, site.protector, ["/photos"], cors_preflight=allowed)
        for method in ("OPTIONS", "options"):
            answer = await call(app, Message(method=method, target=b"/photos", headers=PREFLIGHT))
            assert answer.status == (200 if allowed else 401)
        for headers in (
            PREFLIGHT[:2],
            (HOST, PREFLIGHT[2]),
            (*PREFLIGHT, (b"Authorization", b"Bearer x")),
        ):
            assert (await call(app, Message(method="OPTIONS", target=b"/photos", headers=headers))).status == 401
        assert (await call(app, Message(method="GET", target=b"/photos", headers=PREFLIGHT))).status == 401
        assert (await call(app, sign(JANE, "GET", "/photos", headers=[ORIGIN]))).status == 200


async def test_refusals_of_the_middleware_have_the_headers_of_cors_middleware_in_front(site: Site) -> None:
    """Then the page can read why it was refused, and preflights need no exception."""
    site.add(site.protector())
    app = CORSMiddleware(
        OAuth1Middleware(site.app, site.protector, ["/photos"]),
        allow_origins=[PAGE.decode()],
        allow_headers=["authorization"],
    )
    answer = await call(app, Message(method="OPTIONS", target=b"/photos", headers=PREFLIGHT))
    assert (answer.status, answer.header("access-control-allow-origin")) == (200, PAGE.decode())
    answer = await call(app, Message(method="GET", target=b"/photos", headers=(HOST, ORIGIN)))
    assert (answer.status, answer.header("access-control-allow-origin")) == (401, PAGE.decode())
    assert answer.error == "unsigned_request"
    assert (await call(app, sign(JANE, "GET", "/photos", headers=[ORIGIN]))).status == 200
