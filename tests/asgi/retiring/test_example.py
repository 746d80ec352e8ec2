"""The example of a provider that retires OAuth 1.0."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

from async_oauth1.asgi import Retirement
from examples.retirement.provider import RETIREMENT, make_app
from tests.asgi.test_cors import make_store
from tests.attacks.provider import JANE
from tests.attacks.signer import sign
from tests.attacks.wire import call

from .test_bearer_or_oauth import bearer


def retirement(**changes: object) -> Retirement:
    """The example's, at other times."""
    given = {field.name: getattr(RETIREMENT, field.name) for field in dataclasses.fields(RETIREMENT) if field.init}
    return Retirement(**{**given, **changes})


async def test_a_client_leaves_oauth1() -> None:
    """It is told about the end, exchanges its token once, and uses the bearer token."""
    app = make_app(await make_store(), retirement(brownouts=[]))
    answer = await call(app, sign(JANE, "GET", "/photos"))
    assert (answer.json, answer.header("sunset")) == (
        {"owner": "jane", "scheme": "oauth"},
        "Thu, 31 Dec 2026 00:00:00 GMT",
    )
    exchanged = await call(app, sign(JANE, "POST", "/oauth/exchange/"))
    assert (exchanged.status, exchanged.json["expires_in"]) == (200, 3600)
    token: str = exchanged.json["access_token"]
    answer = await call(app, bearer(f"Bearer {token}".encode()))
    assert (answer.json, answer.header("sunset")) == ({"owner": "jane", "scheme": "bearer"}, None)
    assert (await call(app, sign(JANE, "POST", "/oauth/exchange/"))).json["error"] == "invalid_grant"


async def test_the_way_out_stays_open_in_a_brownout() -> None:
    """OAuth 1.0 is refused, and the exchange is not."""
    now = datetime.now(UTC)
    app = make_app(await make_store(), retirement(brownouts=[(now - timedelta(hours=1), now + timedelta(hours=1))]))
    assert (await call(app, sign(JANE, "GET", "/photos"))).status == 410
    assert (await call(app, sign(JANE, "POST", "/oauth/exchange/"))).status == 200
