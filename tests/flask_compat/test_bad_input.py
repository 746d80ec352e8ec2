"""No request of a client causes a 500 on either framework, and no refused request stores or deletes anything."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .client import FORM, fetch
from .ported import Client as ClientModel
from .ported import Token, Variant, make_provider

VARIANTS = [Variant("flask", False, False), Variant("quart", True, True), Variant("quart", False, False)]

HEADERS = [
    "Bearer abc",
    "Basic YTpi",
    "OAuth",
    "OAuth foo",
    "OAuth oauth_token=",
    "OAuth ,,,",
    "OAuth\tx",
    'OAuth oauth_consumer_key="client", oauth_signature="%C3%A9"',
    'OAuth oauth_consumer_key="%00"',
    'OAuth oauth_consumer_key="%FF"',
    'OAuth oauth_consumer_key="' + "x" * 300 + '"',
]
BODIES = [
    "",
    "q[]=1",
    "a=%zz",
    "oauth_token=%FF",
    "a='b'&%%%",
    "oauth_nonce=1&oauth_nonce=2",
    "\ud83d".encode("utf-16", "surrogatepass").decode("latin-1"),
]
QUERIES = ["", "q[]=1", "a='b'", "%zz", "a=%E4%BD%A0", "a=%22", "a|b^`{}", "oauth_nonce=1&oauth_nonce=2", "&&=&"]
PATHS = ["/photos", "/initiate", "/token", "/authorize"]


def provider(variant: Variant) -> Any:
    ported = make_provider(variant)
    ported.app.testing = False
    ported.app.config["PROPAGATE_EXCEPTIONS"] = True
    ported.database.clients["rsa"] = ClientModel("rsa", None, rsa="no key at all")
    ported.database.tokens["t"] = Token("client", "t", "s", "7")
    return ported


def complete(**changes: str) -> str:
    """An Authorization header with every parameter."""
    parameters = {
        "oauth_consumer_key": "client",
        "oauth_token": "t",
        "oauth_signature_method": "HMAC-SHA1",
        "oauth_timestamp": str(int(time.time())),
        "oauth_nonce": "n",
        "oauth_callback": "oob",
        "oauth_verifier": "v",
        "oauth_signature": "x",
        **changes,
    }
    return "OAuth " + ", ".join(f'{name}="{quote(value, safe="%")}"' for name, value in parameters.items())


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
@pytest.mark.parametrize("path", PATHS)
async def test_a_malformed_request_gets_a_4xx_and_stores_nothing(variant: Variant, path: str) -> None:
    """This includes the requests that crash Authlib."""
    ported = provider(variant)
    headers = [
        *HEADERS,
        complete(oauth_signature="%C3%A9"),
        complete(oauth_signature_method="PLAINTEXT", oauth_signature="%C3%A9"),
        complete(oauth_consumer_key="rsa", oauth_signature_method="RSA-SHA1", oauth_signature="a"),
        complete(oauth_timestamp="1" * 400),
        complete(oauth_timestamp="1_754_000_000"),
        complete(oauth_version="2.0"),
        complete(oauth_callback="https://[::1"),
        complete(oauth_callback="https://a.test/\r\nX: y"),
    ]
    requests = [("POST", path, "", {"Authorization": header}) for header in headers]
    requests += [("POST", path, body, {"Content-Type": FORM}) for body in BODIES]
    requests += [("POST", path, body, {"Content-Type": FORM, "Authorization": complete()}) for body in BODIES]
    requests += [("POST", f"{path}?{query}", "", {"Authorization": complete()}) for query in QUERIES]
    requests += [("POST", path, "", {"Host": host}) for host in ("prov_x.test", "a:99999", "user@x", "")]
    for method, target, body, fields in requests:
        answer = await fetch(ported.app, method, target, body, fields)
        assert 400 <= answer.status < 500, (target, body, fields, answer.body)
    assert not ported.database.nonces
    assert ported.database.tokens.keys() == {"t"}


async def test_a_large_request_is_refused_before_any_hook() -> None:
    """The answer is 400 or 413."""
    for variant in VARIANTS:
        ported = provider(variant)
        many = "&".join(f"a{number}=" for number in range(5_000))
        answer = await fetch(ported.app, "POST", "/photos", many, {"Content-Type": FORM, "Authorization": complete()})
        assert answer.status == 400
        answer = await fetch(ported.app, "POST", "/initiate", "a=" + "x" * 2_000_000, {"Content-Type": FORM})
        assert answer.status == 413
        answer = await fetch(ported.app, "GET", "/photos?a=" + "x" * 70_000)
        assert answer.status == 413
        assert ported.database.calls == []


TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=60)
FLASK, QUART = provider(VARIANTS[0]), provider(VARIANTS[1])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(header=TEXT, query=TEXT, body=TEXT, path=st.sampled_from(PATHS))
async def test_any_request_gets_the_same_status_below_500_on_both_frameworks(
    header: str, query: str, body: str, path: str
) -> None:
    """Hypothesis makes up header, query and body."""
    answers = []
    for ported in (FLASK, QUART):
        fields = {"Content-Type": FORM, "Authorization": ("OAuth " + header).strip()}
        target = path + "?" + quote(query, safe="%&=+[]{}'|")
        answers.append((await fetch(ported.app, "POST", target, body, fields)).status)
    assert answers[0] == answers[1]
    assert answers[0] < 500
