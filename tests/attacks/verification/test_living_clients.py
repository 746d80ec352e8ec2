"""What the libraries that are out there send: odd, correct, and not to be refused."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from async_oauth1 import Client
from tests.attacks.provider import CALLBACK, CLIENT, JANE, Provider
from tests.attacks.signer import FORM, Message, body_hash, encode, sign


def rewritten(message: Message, pattern: bytes, replacement: bytes) -> Message:
    """The message with its Authorization header written another way."""
    [header] = [value for name, value in message.headers if name == b"authorization"]
    changed, count = re.subn(pattern, replacement, header)
    assert count
    return message.without(b"authorization").adding((b"authorization", changed))


@pytest.mark.parametrize(
    "nonce",
    [
        "7d8f3e4a",
        "wIjqoS",
        "d41d8cd98f00b204e9800998ecf8427e",
        "123e4567-e89b-12d3-a456-426614174000",
        "-5784227524038128492",
        "0.8612735",
        "a_b",
        "kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg",
        "aGVsbG8+d29y/GQ=",
        "x",
        "0",
        "a" * 64,
        "nonce with spaces",
        "%",
        "日本",
    ],
)
async def test_any_nonce_is_taken(provider: Provider, nonce: str) -> None:
    """Short, long, negative, dotted, Base64: the RFC asks for no format."""
    for place in ("header", "query", "body"):
        assert (await provider.get(method="POST", place=place, oauth={"nonce": f"{nonce}{place}"})).status == 200


@pytest.mark.parametrize(
    "client_id", ["dpf43f3p2l4k3l03", "ck_1234567890", "a.b.c", "key with spaces", "ключ", "a/b+c=", "%41"]
)
async def test_any_client_identifier_is_taken(provider: Provider, client_id: str) -> None:
    """WooCommerce's ``ck_``, dots, spaces, Cyrillic."""
    secret = "s%C3&+ é"
    await provider.store.store.add_client(Client(client_id=client_id, client_secret=secret))
    keys = replace(CLIENT, client_id=client_id, client_secret=secret)
    for place in ("header", "query", "body"):
        assert (await provider.get("/signed", method="POST", keys=keys, place=place)).status == 200


async def test_an_empty_token_counts_as_none_and_stays_signed(provider: Provider) -> None:
    """Some clients send ``oauth_token=""`` at the first step and on two-legged requests."""
    empty = {"token": ""}
    assert (await provider.get("/signed", keys=CLIENT, oauth=empty)).json["user"] is None
    assert (await provider.initiate(oauth=empty)).status == 200
    assert (await provider.get("/echo", keys=CLIENT, oauth=empty)).error == "missing_required_parameter"
    message = rewritten(sign(CLIENT, "GET", "/signed", oauth=empty), rb'oauth_token="", ', b"")
    assert (await provider.send(message)).status == 401


async def test_two_legged_routes_take_a_good_token_and_no_other(provider: Provider) -> None:
    """A token that is sent must verify as one of that client's."""
    assert (await provider.get("/signed", keys=CLIENT)).json["user"] is None
    assert (await provider.get("/signed", keys=JANE)).json["user"] == "jane"
    for wrong in (replace(JANE, token="x"), replace(JANE, token_secret=""), replace(CLIENT, token="tok")):
        assert (await provider.get("/signed", keys=wrong)).status == 401


@pytest.mark.parametrize("version", ["1.0", None])
@pytest.mark.parametrize("place", ["header", "query", "body"])
async def test_the_whole_dance_in_each_transport(provider: Provider, place: str, version: str | None) -> None:
    """Parameters in header, query or form at every step, the callback repeated at the last."""
    oauth = {"version": version}
    answer = await provider.initiate(place=place, oauth=oauth)
    keys = replace(CLIENT, token=answer.form["oauth_token"], token_secret=answer.form["oauth_token_secret"])
    verifier = await provider.verifier(keys)
    answer = await provider.exchange(keys, verifier, place=place, oauth={**oauth, "callback": CALLBACK})
    keys = replace(CLIENT, token=answer.form["oauth_token"], token_secret=answer.form["oauth_token_secret"])
    answer = await provider.get("/echo?a=1", keys=keys, method="POST", body=b"b=2", place=place, oauth=oauth)
    assert answer.json["user"] == "jane"


@pytest.mark.parametrize(
    ("pattern", "replacement"),
    [
        pytest.param(rb", ", b",", id="commas without spaces"),
        pytest.param(rb", ", b" ,\t ", id="white space around commas"),
        pytest.param(rb"$", b",", id="a comma at the end"),
        pytest.param(rb"^OAuth ", b"OAuth , ,", id="commas in front"),
        pytest.param(rb"^OAuth ", b"oauth ", id="the scheme in lower case"),
        pytest.param(rb"^OAuth ", b"OAUTH    ", id="the scheme in upper case and spaces"),
        pytest.param(rb"^OAuth ", b'OAuth realm="", ', id="an empty realm"),
        pytest.param(rb"^OAuth ", b'OAuth realm="https://provider.example/\xc3\xbc", ', id="a realm"),
        pytest.param(rb"^OAuth ", b'OAuth realm="a \\"quoted\\", one", ', id="a quoted realm"),
        pytest.param(rb"$", b', realm="last"', id="a realm at the end"),
        pytest.param(rb'="([^"]*)"', rb"=\1", id="no quotes"),
        pytest.param(rb'="', b' = "', id="spaces around the equals sign"),
        pytest.param(rb"%3D", b"=", id="a signature that is not escaped"),
        pytest.param(rb"%2[Ff]", b"/", id="slashes that are not escaped"),
        pytest.param(
            rb'oauth_signature_method="HMAC-SHA1"', b'oauth_signature_method="HMAC%2DSHA1"', id="a needless escape"
        ),
        pytest.param(rb"oauth_nonce", b"oauth%5fnonce", id="an escaped name"),
    ],
)
async def test_headers_as_they_are_written(provider: Provider, pattern: bytes, replacement: bytes) -> None:
    """Every spelling that the grammar or the field has."""
    for number in range(5):  # signatures differ in what they hold
        message = sign(JANE, "GET", f"/echo?x={number}", oauth={"nonce": f"a/b{number}"})
        answer = await provider.send(rewritten(message, pattern, replacement))
        assert answer.status == 200, answer


@pytest.mark.parametrize("place", ["query", "body"])
async def test_a_signature_that_is_not_escaped(provider: Provider, place: str) -> None:
    """Base64 pasted into a query or a form: its plus arrives as a space, and can only have been a plus."""
    pluses = 0
    for number in range(12):
        message = sign(JANE, "POST", "/echo", place=place, oauth={"nonce": f"p{number}"})
        raw = [
            octets.replace(b"%2B", b"+").replace(b"%2F", b"/").replace(b"%3D", b"=")
            for octets in (message.target, message.body)
        ]
        pluses += raw[0].count(b"+") + raw[1].count(b"+")
        pasted = replace(message, target=raw[0], body=raw[1]).without(b"content-length")
        assert (await provider.send(pasted)).status == 200
    assert pluses


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_a_form_type_without_a_body(provider: Provider, method: str) -> None:
    """With Content-Length 0, and with no length at all."""
    for headers in ([(b"content-type", FORM)], [(b"content-type", FORM), (b"content-length", b"0")]):
        assert (await provider.get(method=method, headers=headers)).status == 200
    assert (await provider.initiate(headers=[(b"content-type", FORM)])).status == 200


async def test_the_answers_that_clients_compare_to_the_letter(provider: Provider) -> None:
    """Go and PHP clients want ``true`` in lower case and the form's media type."""
    answer = await provider.initiate()
    assert answer.body.endswith(b"&oauth_callback_confirmed=true")
    assert answer.header("content-type") == "application/x-www-form-urlencoded"
    assert answer.header("content-length") == str(len(answer.body))


async def test_a_hash_by_another_algorithm_than_the_signatures(provider: Provider) -> None:
    """SHA-1 under HMAC-SHA256 and PLAINTEXT, SHA-256 under HMAC-SHA1."""
    for method, algorithm in [("HMAC-SHA256", "sha1"), ("PLAINTEXT", "sha1"), ("HMAC-SHA1", "sha256")]:
        oauth = {"body_hash": body_hash(b"{}", algorithm)}
        keys = replace(JANE, method=method)
        answer = await provider.get(keys=keys, method="PUT", body=b"{}", content_type=b"application/json", oauth=oauth)
        assert answer.status == 200


async def test_an_lti_launch(provider: Provider) -> None:
    """The whole of it in the form: protocol and launch parameters, a query in the URL, repeated and blank values."""
    launch = b"lti_version=LTI-1p0&lti_message_type=basic-lti-launch-request"
    launch += b"&roles=Learner%2CMentor&custom=&context_title=Caf%C3%A9+1&custom="
    answer = await provider.get(
        "/signed?course=1&foo",
        keys=CLIENT,
        method="POST",
        place="body",
        body=launch,
        oauth={"callback": "about:blank", "version": "1.0"},
    )
    assert answer.status == 200
    assert ["context_title", "Café 1"] in answer.json["form"]
    assert answer.json["query"] == [["course", "1"], ["foo", ""]]


async def test_lower_case_methods_are_signed_in_upper_case(provider: Provider) -> None:
    """Section 3.4.1.1 wants upper case, whatever the request line has."""
    answer = await provider.get("/echo?x=1", method="get", signed_method="GET")
    assert answer.status == 200
    assert answer.json["method"].upper() == "GET"
    assert (await provider.get("/echo?x=1", method="get", signed_method="POST")).status == 401


async def test_values_are_decoded_for_the_view_in_the_order_received(provider: Provider) -> None:
    """What is not UTF-8 shows as U+FFFD, and nothing is dropped."""
    query = b"b=2&a=1&b=1&=x&c&d=%FF&e=%E2%82%AC+%2B&" + encode("é") + b"=%zz"
    answer = await provider.get(b"/echo?" + query)
    expected = [["b", "2"], ["a", "1"], ["b", "1"], ["", "x"], ["c", ""], ["d", "\ufffd"], ["e", "€ +"], ["é", "%zz"]]
    assert answer.json["query"] == expected
