"""Parameters of the query or a form cannot be moved into the Authorization header, where applications ignore them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from async_oauth1 import Policy
from async_oauth1.asgi import OAuth1Middleware
from tests.attacks.compat_apps import make_compat_app, send_to
from tests.attacks.provider import CALLBACK, CLIENT, JANE, Provider, make_provider
from tests.attacks.signer import FORM, Message, Pairs, authorization, encode, sign
from tests.attacks.wire import Answer

TOLERANT = Policy(tolerances=("other_header_parameters",))
FRAMEWORKS = ["flask", "quart"]


def moved_into_the_header(message: Message) -> Message:
    """Move the query and the form of a signed request into its Authorization header."""
    [header] = [value for name, value in message.headers if name == b"authorization"]
    target, _, query = message.target.partition(b"?")
    form = b"" if (b"content-type", FORM) not in message.headers else message.body
    added = [piece for piece in (*query.split(b"&"), *form.split(b"&")) if piece]
    header += b"".join(b', %s="%s"' % tuple(piece.split(b"=")) for piece in added)
    kept = replace(message, target=target, body=b"").without(b"authorization").without(b"content-length")
    return kept.without(b"content-type").adding((b"authorization", header))


def assert_named(answer: Answer, name: str = "id") -> None:
    """Assert that the answer is 400, names the parameter, and says what the client and the provider can do."""
    assert (answer.status, answer.error) == (400, "invalid_request")
    description = str(answer.json["error_description"] if answer.body.startswith(b"{") else answer.form)
    assert re.search(rf"parameter \\*'{re.escape(name)}\\*'", description), description
    assert "query or in a form" in description
    assert '"other_header_parameters"' in description


@pytest.mark.parametrize(
    "make_original",
    [
        pytest.param(partial(sign, JANE, "DELETE", "/echo?id=5"), id="query"),
        pytest.param(partial(sign, JANE, "POST", "/form", body=b"id=5"), id="form"),
        pytest.param(partial(sign, CLIENT, "GET", "/signed?id=5"), id="two-legged"),
        pytest.param(partial(sign, CLIENT, "POST", "/initiate?id=5", oauth={"callback": CALLBACK}), id="initiate"),
        pytest.param(partial(sign, JANE, "POST", "/token?id=5", oauth={"verifier": "v"}), id="token"),
    ],
)
async def test_a_moved_parameter_is_refused_by_name(provider: Provider, make_original: Callable[[], Message]) -> None:
    """The base string stays the same, so the signature is still correct."""
    original = make_original()
    assert_named(await provider.send(moved_into_the_header(original)))
    assert not provider.store.written
    if original.target.startswith((b"/echo", b"/form", b"/signed", b"/initiate")):
        assert (await provider.send(original)).status == 200


async def test_the_middleware_refuses_a_moved_parameter(provider: Provider) -> None:
    """The framework is not called."""
    app: Any = provider.app
    app.asgi_app = OAuth1Middleware(app.asgi_app, provider.require_oauth, ["/echo"])
    original = sign(JANE, "DELETE", "/echo?id=5")
    assert_named(await provider.send(moved_into_the_header(original)))
    assert provider.seen == []
    assert (await provider.send(original)).status == 200


@pytest.mark.parametrize("framework", FRAMEWORKS)
async def test_flask_compat_refuses_a_moved_parameter(framework: str) -> None:
    """It is refused at each endpoint and on each framework, unless the configuration tolerates it."""
    originals = [
        sign(JANE, "POST", "/form", body=b"id=5"),
        sign(JANE, "GET", "/form?id=5"),
        sign(CLIENT, "POST", "/initiate?id=5", oauth={"callback": CALLBACK}),
        sign(JANE, "POST", "/token?id=5", oauth={"verifier": "v"}),
    ]
    strict = make_compat_app(framework)
    tolerant = make_compat_app(framework, OAUTH1_TOLERANCES=["other_header_parameters"])
    for original in originals:
        assert (await send_to(strict, original)).status == 200
        moved = moved_into_the_header(original)
        assert_named(await send_to(strict, moved))
        assert (await send_to(tolerant, moved)).status == 200


@pytest.mark.parametrize(
    "also",
    [
        [(b"id", b"5")],
        [(b"id", b"")],
        [(b"xoauth_requestor_id", b"me"), (b"id", b"5")],
        [(b"id", b"5"), (b"id", b"6")],
    ],
    ids=ascii,
)
async def test_the_tolerance_accepts_signed_parameters(also: Pairs) -> None:
    """With the tolerance, other header parameters are accepted, and are still signed."""
    strict, tolerant = await make_provider(), await make_provider(policy=TOLERANT)
    message = sign(JANE, "GET", "/echo", also=also)
    assert_named(await strict.send(message))
    assert (await tolerant.send(message)).status == 200
    [header] = [value for name, value in message.headers if name == b"authorization"]
    changed = message.without(b"authorization").adding((b"authorization", header + b', more="1"'))
    assert (await tolerant.send(changed)).status == 401


@pytest.mark.parametrize("name", [b"OAuth_note", b"OAUTH_NOTE", b"oauth", b"oauth-note", b"xoauth", b"XOAuth_note"])
async def test_similar_prefixes_are_refused(provider: Provider, name: bytes) -> None:
    """A name that only resembles the protocol's could be a parameter of the application."""
    answer = await provider.get(also=[(name, b"1")])
    assert_named(answer, name.decode())


@pytest.mark.parametrize("name", [b"oauth_note", b"xoauth_requestor_id"])
async def test_protocol_names_are_accepted(provider: Provider, name: bytes) -> None:
    """Extensions of the protocol are sent in the header (section 3.5.1), and so is the realm."""
    assert (await provider.get(also=[(name, b"1")], realm=b"Photos")).status == 200


async def test_header_parameters_are_refused_if_the_protocols_are_in_the_query(provider: Provider) -> None:
    """An application's parameter in the header is refused, even if the protocol's parameters are in the query."""
    original = sign(JANE, "DELETE", "/echo?id=5", place="query")
    hidden = replace(original, target=original.target.replace(b"id=5&", b""))
    hidden = hidden.adding((b"authorization", b'OAuth realm="", id="5"'))
    assert_named(await provider.send(hidden))
    assert (await provider.send(original)).status == 200


async def test_names_are_escaped_in_the_error(provider: Provider) -> None:
    """Any name is answered with 400 and a short error in printable ASCII."""
    for name in (b"a\r\nSet-Cookie: x", b"\xff\x00", "é".encode(), b"x" * 5_000, b"%", b"&=", b'"'):
        header = authorization([(b"oauth_consumer_key", b"client")]) + b", " + encode(name) + b'="1"'
        message = sign(JANE, "GET", "/echo", also=[(name, b"1")])
        answer = await provider.send(message)
        assert (answer.status, answer.error) == (400, "invalid_request"), header
        assert len(answer.body) < 1_000
        assert answer.json["error_description"].isprintable()


@pytest.mark.parametrize("name", ["any_header_parameter", "", "Other_header_parameters"])
def test_an_unknown_tolerance_is_refused_by_name(name: str) -> None:
    """The policy raises an error that lists the known tolerances."""
    with pytest.raises(ValueError, match=rf"Unknown tolerance '{name}'; known are .*other_header_parameters"):
        Policy(tolerances=(name,))
