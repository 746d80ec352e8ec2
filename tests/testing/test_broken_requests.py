"""Each request with a mistake is refused, and explained by the code that it was built for."""

from __future__ import annotations

import httpx
import pytest

from async_oauth1.testing import BrokenAuth, OAuth1Server


def test_each_mistake_is_explained_by_its_code(oauth1_server: OAuth1Server) -> None:
    """A provider that explains its refusals names the code, for every code."""
    keys = oauth1_server.client()
    token = oauth1_server.token(keys)
    wrong: dict[str, object] = {}
    for code in BrokenAuth.codes:
        oauth1_server.clear()
        path = "/signed" if code == "empty_token" else "/echo"
        auth = BrokenAuth(code, keys.client_id, keys.client_secret, *(() if code == "empty_token" else token))
        url = f"{oauth1_server.url}{path}/a%20b?file=vacation.jpg&q=x%20y&u=%C3%BC&public=true"
        answer = httpx.post(url, data={"note": "x y"}, auth=auth)
        [recorded] = oauth1_server.requests
        if not 400 <= answer.status_code < 500 or code not in [str(cause) for cause in recorded.causes]:
            wrong[code] = (answer.status_code, recorded.error, recorded.causes)
    assert wrong == {}


def test_an_unknown_code() -> None:
    """The error names the codes."""
    with pytest.raises(ValueError, match="the codes are ampersand_missing, body_hash, charset"):
        BrokenAuth("nothing", "client", "secret")
