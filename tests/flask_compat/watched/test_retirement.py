"""The announced end of OAuth 1.0 at a provider with flask_compat, in every kind of view."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from async_oauth1 import Retirement
from tests.flask_compat.client import Client
from tests.flask_compat.ported import Ported

SINCE, LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC)
PAGE = "https://provider.example/ends"


def announces(headers: Any) -> bool:
    """Whether an answer announces the end."""
    return headers.get("Deprecation") == f"@{int(SINCE.timestamp())}" and PAGE in headers.get("Link", "")


async def test_answers_announce_the_end(ported: Ported, client: Client) -> None:
    """Accepted and refused ones; and the use of the client is told once."""
    used: list[str] = []
    ported.require_oauth.retirement = Retirement(SINCE, link=PAGE, usage=lambda client_id, _: used.append(client_id))
    await client.dance()
    for _ in range(2):
        answer = await client.send("GET", "/photos")
        assert answer.status == 200
        assert announces(answer.headers)
    forger = Client(client.app, secret="guessed", token=client.token, token_secret=client.token_secret)
    refused = await forger.send("GET", "/photos")
    assert refused.status == 401
    assert announces(refused.headers)
    assert used == [client.client_id]


async def test_a_brown_out_refuses(ported: Ported, client: Client) -> None:
    """With 410, before anything is verified; it announces the end as well."""
    ported.require_oauth.retirement = Retirement(SINCE, link=PAGE, brownouts=[(LONG_AGO, None)], text="It has ended.")
    await client.dance()
    answer = await client.send("GET", "/photos")
    assert answer.status == 410
    assert "It has ended." in str(answer.json)
    assert announces(answer.headers)


def test_a_coroutine_function_cannot_tell_the_use(ported: Ported) -> None:
    """Synchronous views have no event loop."""

    async def usage(client_id: str, when: datetime) -> None:
        """Never called."""

    with pytest.raises(TypeError, match="usage must be a plain function"):
        ported.require_oauth.retirement = Retirement(SINCE, usage=usage)
