"""The example provider on Django, under WSGI and ASGI, with requests-oauthlib as its client."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.servers.processes import PATIENCE
from tests.stress import STRESS

from .serving import SERVERS, Provider, serving


@pytest.mark.stress
@pytest.mark.parametrize("server", list(SERVERS) if STRESS else ["gunicorn", "uvicorn"])
def test_a_client_goes_through_the_flow_and_reads_both_views(server: str, tmp_path: Path, repository: Path) -> None:
    """The client reads the photos with its token; a repeated exchange and unsigned requests are refused."""
    with serving(server, tmp_path, repository) as provider:
        pending = provider.pending()
        browser = provider.signed_in()
        callback = provider.decide(browser, pending["oauth_token"]).headers["Location"]
        token = provider.exchanged(pending, callback)
        assert set(token) == {"oauth_token", "oauth_token_secret"}
        session = provider.session(
            resource_owner_key=token["oauth_token"], resource_owner_secret=token["oauth_token_secret"]
        )
        for path in ("/photos", "/photos/async", "/photos?q=a%20b&q=%E4%BD%A0&empty="):
            answer = session.get(provider.url(path), timeout=PATIENCE)
            assert (answer.status_code, answer.json()["owner"]) == (200, "jane")
        assert (
            session.post(provider.url("/photos"), data={"a": ["1", "2"], "b": "ü"}, timeout=PATIENCE).status_code == 200
        )
        refused = browser.get(provider.url("/photos/async"), timeout=PATIENCE)
        assert refused.status_code == 400
        assert refused.json()["error"] == "missing_required_parameter"
        with pytest.raises(Exception, match=r"token_rejected|invalid_token"):
            provider.exchanged(pending, callback)
        check_denial(provider)


def check_denial(provider: Provider) -> None:
    """A denial is final: the callback hears of it, and the consent page does not open again."""
    pending, browser = provider.pending(), provider.signed_in()
    answer = provider.decide(browser, pending["oauth_token"], "deny")
    assert "error=access_denied" in answer.headers["Location"]
    again = browser.get(provider.url(f"/oauth/authorize?oauth_token={pending['oauth_token']}"), timeout=PATIENCE)
    assert again.status_code == 401
    assert "Go back to the application" in again.text
