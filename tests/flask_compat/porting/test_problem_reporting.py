"""``OAUTH1_PROBLEM_REPORTING`` in the configuration: endpoints and views report problems to clients."""

from __future__ import annotations

import pytest

from tests.flask_compat.client import Client
from tests.flask_compat.ported import VARIANTS, Variant, make_provider


@pytest.mark.parametrize("variant", [VARIANTS[0], VARIANTS[-1]], ids=str)
async def test_endpoints_and_views_report_problems(variant: Variant) -> None:
    """The form, the JSON body and the challenge say what is wrong."""
    client = Client(make_provider(variant, config={"OAUTH1_PROBLEM_REPORTING": True}).app)
    await client.dance()
    endpoint = await client.send("POST", "/initiate", callback="https://client.test/ready", nonce=None)
    assert endpoint.form["oauth_problem"] == "parameter_absent"
    view = await client.send("GET", "/photos", timestamp="1")
    assert view.json["oauth_problem"] == "timestamp_refused"
    low, _, high = view.json["oauth_acceptable_timestamps"].partition("-")
    assert int(high) - int(low) in (599, 600)
    assert f'oauth_acceptable_timestamps="{low}-{high}"' in view.headers["WWW-Authenticate"]
