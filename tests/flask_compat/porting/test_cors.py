"""CORS preflights of protected views on Flask with flask-cors, and on Quart with quart-cors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flask
import flask_cors
import pytest
import quart
import quart_cors

from flask_compat import ResourceProtector
from tests.flask_compat.client import Client, fetch
from tests.flask_compat.ported import Client as ClientModel
from tests.flask_compat.ported import Token

PAGE = "https://page.example"
PREFLIGHT = {
    "Origin": PAGE,
    "Access-Control-Request-Method": "GET",
    "Access-Control-Request-Headers": "authorization",
}
ALLOWED = "Access-Control-Allow-Origin"
FRAMEWORKS = ["flask", "quart"]


class Site:
    """An application of either framework with one protected view, which counts its calls."""

    def __init__(self, framework: str, **config: Any) -> None:
        """Make the application."""
        self.app: Any = flask.Flask("cors") if framework == "flask" else quart.Quart("cors")
        self.app.testing = True
        self.app.config.update(config)
        self.is_flask = framework == "flask"
        self.calls = 0
        self.protector = ResourceProtector(
            self.app,
            lambda _: ClientModel("client", "secret"),
            lambda *_: Token("client", "t", "s", "7"),
            lambda *_: False,
        )

    def decorator(self, **options: Any) -> Callable[..., Any]:
        """The extension's decorator."""
        if self.is_flask:
            made: Callable[..., Any] = flask_cors.cross_origin(PAGE, **options)
            return made
        return quart_cors.route_cors(allow_origin=PAGE, **options)

    def add(self, *decorators: Callable[..., Any], **options: Any) -> None:
        """Decorate the view, the innermost decorator first, and route it."""

        def photos() -> dict[str, int]:
            self.calls += 1
            return {"calls": self.calls}

        async def photos_async() -> dict[str, int]:
            return photos()

        view: Any = photos if self.is_flask else photos_async
        for decorator in decorators:
            view = decorator(view)
        self.app.add_url_rule("/photos", "photos", view, **options)

    async def signed(self) -> Any:
        """Send a signed request."""
        client = Client(self.app, token="t", token_secret="s")
        return await client.send("GET", "/photos")


@pytest.mark.parametrize("framework", FRAMEWORKS)
async def test_a_preflight_passes_with_the_extension_around_the_application(framework: str) -> None:
    """The framework answers OPTIONS, the extension adds its headers, to refusals, too, and the view is not called."""
    site = Site(framework)
    site.add(site.protector())
    if site.is_flask:
        flask_cors.CORS(site.app, origins=PAGE)
    else:
        quart_cors.cors(site.app, allow_origin=PAGE)
    answer = await fetch(site.app, "OPTIONS", "/photos", headers=PREFLIGHT)
    assert (answer.status, answer.headers[ALLOWED]) == (200, PAGE)
    answer = await fetch(site.app, "GET", "/photos", headers={"Origin": PAGE})
    assert (answer.status, answer.headers[ALLOWED]) == (400, PAGE)
    assert site.calls == 0
    assert (await site.signed()).status == 200


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("protected_last", [True, False], ids=["@require_oauth on top", "CORS on top"])
async def test_a_preflight_passes_in_either_order_of_decorators(framework: str, protected_last: bool) -> None:
    """The extension answers it, and the view is not called; everything else wants a signature."""
    site = Site(framework)
    decorators = [site.decorator(), site.protector()]
    site.add(*decorators if protected_last else reversed(decorators))
    answer = await fetch(site.app, "OPTIONS", "/photos", headers=PREFLIGHT)
    assert (answer.status, answer.headers[ALLOWED]) == (200, PAGE)
    refused = await fetch(site.app, "GET", "/photos", headers={"Origin": PAGE})
    assert (refused.status, refused.headers.get(ALLOWED)) == (400, None if protected_last else PAGE)
    assert site.calls == 0
    assert (await site.signed()).status == 200


@pytest.mark.parametrize("framework", FRAMEWORKS)
async def test_a_view_that_declares_options_stays_protected(framework: str) -> None:
    """Also under a CORS decorator that is told to pass OPTIONS on."""
    for nested in (False, True):
        site = Site(framework)
        keyword = {"automatic_options" if site.is_flask else "provide_automatic_options": False}
        decorators = [site.decorator(**keyword)] if nested else []
        site.add(*decorators, site.protector(), methods=["GET", "OPTIONS"])
        assert (await fetch(site.app, "OPTIONS", "/photos", headers=PREFLIGHT)).status == 400
        assert site.calls == 0


async def test_flask_cors_may_be_configured_to_pass_options_on() -> None:
    """The setting counts for every decorator, so the view behind it stays protected."""
    site = Site("flask", CORS_AUTOMATIC_OPTIONS=False)
    site.add(site.decorator(), site.protector())
    assert (await fetch(site.app, "OPTIONS", "/photos", headers=PREFLIGHT)).status == 400
    assert site.calls == 0


@pytest.mark.parametrize("framework", FRAMEWORKS)
async def test_options_that_are_no_preflight_want_a_signature_under_the_protector(framework: str) -> None:
    """A preflight names its origin and method, and has no credentials."""
    site = Site(framework)
    site.add(site.decorator(), site.protector())
    for headers in ({}, {"Origin": PAGE}, {**PREFLIGHT, "Authorization": "OAuth x"}):
        assert (await fetch(site.app, "OPTIONS", "/photos", headers=headers)).status == 400
