"""A body that a framework reads as a form is signed as one, or refused; and everyone can see what covers a body."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from quart import request

from async_oauth1 import Policy
from async_oauth1.asgi import OAuth1Middleware
from async_oauth1.quart import current_oauth1_request
from tests.attacks.compat_apps import make_compat_app, send_to
from tests.attacks.conftest import Listening
from tests.attacks.provider import ALL_SIGNATURE_METHODS, CALLBACK, CLIENT, JANE, Provider, make_provider
from tests.attacks.signer import FORM, Message, body_hash, sign
from tests.attacks.sockets import talk_h2
from tests.attacks.wire import Answer

JSON = b"application/json"
#: Each is taken for a form by the parser of one framework or another.
LABELS = [
    b"application/x-url-encoded",
    b"application/x-urlencoded",
    b"Application/X-URL-Encoded; charset=utf-8",
    b"\xa0" + FORM,
    FORM + b"\x85",
    b"\x85" + FORM + b"\xa0; charset=utf-8",
    FORM + b", text/plain",
    b"text/plain, " + FORM,
    b"text/plain; a=" + FORM,
    b'"' + FORM + b'"',
    FORM + b"=x; a=b",
    FORM + b'; a="',
    FORM + b"; a=b, multipart/form-data; boundary=x",
    b"*/x-www-form-urlencoded",
    b"application/json;q=0.1, application/*",
    b"*/*, application/json;q=0, multipart/form-data;q=0",
    FORM + b"\x00",
    b"\x1f" + FORM,
    FORM + b"; charset=unicode_escape",
    FORM + b"; charset=utf-7",
    FORM + b"; charset=utf-8; charset=utf-16",
    FORM + b"; xcharset=utf-16",
    FORM + b'; a="charset=utf-16"',
    FORM + b"; a=" + b"b" * 300,
]
CHARSETS = [b"utf-8", b"UTF-8", b'"utf-8"', b"utf8", b"iso-8859-1", b"ISO-8859-15", b"us-ascii", b"windows-1252"]
FORMS = [
    FORM,
    FORM.upper(),
    b" \t" + FORM + b"\t ",
    FORM + b";",
    FORM + b"; ; ",
    FORM + b"; boundary=a; a=b/c",
    FORM + b"; version=1.0;charset=UTF-8",
    *(FORM + b"; charset=" + charset for charset in CHARSETS),
]
FRAMEWORKS = ["flask", "quart"]


def exchanged(label: bytes, *, moved: bool, target: str = "/form") -> Message:
    """A request with an unsigned body: the client sent no body, or its form was moved into the query on the way."""
    if moved:
        genuine = sign(JANE, "POST", target, body=b"amount=1")
        genuine = replace(genuine, target=genuine.target + b"?amount=1")
    else:
        genuine = sign(JANE, "POST", target)
    forged = replace(genuine.without(b"content-type").without(b"content-length"), body=b"to=mallory")
    return forged.adding((b"content-type", label), (b"content-length", b"10"))


def assert_refused(answer: Answer) -> None:
    """415, with a way out."""
    assert (answer.status, answer.error) == (415, "unsupported_media_type")
    description = str(answer.json["error_description"] if answer.body.startswith(b"{") else answer.form)
    assert "Send a form as application/x-www-form-urlencoded" in description
    assert description.isprintable()
    assert len(answer.body) < 1_500


@pytest.fixture(params=["decorator", "middleware"])
async def guarded(request: pytest.FixtureRequest) -> Provider:
    """A provider on Quart whose views are protected in either way."""
    provider = await make_provider()
    if request.param == "middleware":
        app: Any = provider.app
        app.asgi_app = OAuth1Middleware(app.asgi_app, provider.require_oauth, ["/form", "/echo"])
    return provider


@pytest.mark.parametrize("moved", [False, True], ids=["no body signed", "form moved into the query"])
@pytest.mark.parametrize("label", LABELS, ids=ascii)
async def test_a_label_that_some_parser_takes_for_a_form_is_refused(
    guarded: Provider, label: bytes, moved: bool
) -> None:
    """Whatever this framework would make of it, and before anything is stored."""
    assert_refused(await guarded.send(exchanged(label, moved=moved)))
    assert not guarded.store.written


@pytest.mark.parametrize("moved", [False, True], ids=["no body signed", "form moved into the query"])
@pytest.mark.parametrize("framework", FRAMEWORKS)
async def test_flask_compat_refuses_it(framework: str, moved: bool) -> None:
    """On both frameworks, each label, at the view and at the endpoints."""
    app = make_compat_app(framework)
    for label in LABELS:
        assert_refused(await send_to(app, exchanged(label, moved=moved)))
        for target in ("/initiate", "/token"):
            assert_refused(await send_to(app, exchanged(label, moved=moved, target=target)))


@pytest.mark.parametrize("target", ["/initiate", "/token"])
async def test_the_endpoints_refuse_it(provider: Provider, target: str) -> None:
    """With the error as a form, as everything there."""
    for label in LABELS:
        answer = await provider.send(exchanged(label, moved=False, target=target))
        assert_refused(answer)
        assert (answer.header("content-type") or "").startswith(FORM.decode())


@pytest.mark.parametrize("label", FORMS, ids=ascii)
async def test_a_form_is_signed_under_each_of_its_labels(guarded: Provider, label: bytes) -> None:
    """Genuine forms are accepted, and unsigned forms are refused."""
    genuine = sign(JANE, "POST", "/form", body=b"to=jane").without(b"content-type")
    assert (await guarded.send(genuine.adding((b"content-type", label)))).json == {"form": [["to", "jane"]]}
    assert (await guarded.send(exchanged(label, moved=False))).status == 401
    assert (await guarded.send(exchanged(label, moved=True))).status == 401
    for framework in FRAMEWORKS:
        app = make_compat_app(framework)
        genuine = sign(JANE, "POST", "/form", body=b"to=jane").without(b"content-type")
        answer = await send_to(app, genuine.adding((b"content-type", label)))
        assert answer.json == {"form": [["to", "jane"]]}
        assert (await send_to(app, exchanged(label, moved=False))).status == 401


@pytest.mark.parametrize(
    "label",
    [
        b"application/json",
        b"application/json; charset=utf-8",
        b"application/vnd.api+json",
        b"application/octet-stream",
        b"multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW",
        b"text/plain",
        b"text/xml; charset=utf-16",
        b"",
        None,
    ],
    ids=ascii,
)
async def test_other_bodies_are_served_as_before(guarded: Provider, label: bytes | None) -> None:
    """Nothing signs them unless they are hashed; the view is told so."""
    answer = await guarded.get("/form", method="POST", body=b"{}", content_type=label)
    assert answer.json == {"form": []}


async def test_a_second_content_type_hides_nothing(guarded: Provider) -> None:
    """Whatever the order and whatever the case of the name, two are 400."""
    for first in (FORM, b"text/plain"):
        for second in LABELS:
            for name in (b"content-type", b"Content-Type"):
                message = exchanged(first, moved=False).adding((name, second))
                assert (await guarded.send(message)).status == 400


async def test_the_case_of_a_header_name_hides_nothing(guarded: Provider) -> None:
    """Not every server lowers names; frameworks do not mind, so neither does the signature."""
    genuine = sign(JANE, "POST", "/form", body=b"to=jane").without(b"content-type")
    assert (await guarded.send(genuine.adding((b"Content-Type", FORM)))).json == {"form": [["to", "jane"]]}
    message = exchanged(FORM, moved=False).without(b"content-type").adding((b"Content-Type", FORM))
    assert (await guarded.send(message)).status == 401


async def test_http_2_changes_nothing(listening: Listening) -> None:
    """It lets more octets pass in a field, and several fields."""
    for labels, status in [([label], b"415") for label in LABELS[:6]] + [([FORM, LABELS[0]], b"400")]:
        message = sign(JANE, "POST", "/form", origin=listening.origin)
        [header] = [value for name, value in message.headers if name == b"authorization"]
        pseudo = [(b":method", b"POST"), (b":scheme", b"http"), (b":path", b"/form")]
        pseudo.append((b":authority", listening.origin.removeprefix("http://").encode()))
        fields = [(b"authorization", header), *((b"content-type", label) for label in labels)]
        assert (await talk_h2(listening.port, pseudo + fields))[b":status"] == status, labels


# What covers a body --------------------------------------------------------------------------------------------------


def requests(method: str = "HMAC-SHA1") -> dict[str, Message]:
    """A good request of each kind, by what covers its body."""
    keys = replace(JANE, method=method)
    hashed = {"body_hash": body_hash(b"{}")}
    return {
        "form": sign(keys, "POST", "/state", body=b"a=1"),
        "form with the protocol's parameters": sign(keys, "POST", "/state", body=b"a=1", place="body"),
        "hash": sign(keys, "POST", "/state", body=b"{}", content_type=JSON, oauth=hashed),
        "hash of nothing": sign(keys, "GET", "/state", oauth={"body_hash": body_hash(b"")}),
        "none": sign(keys, "POST", "/state", body=b"{}", content_type=JSON),
        "none, multipart": sign(keys, "POST", "/state", body=b"--x--", content_type=b"multipart/form-data; boundary=x"),
        "none, no type": sign(keys, "POST", "/state", body=b"{}", content_type=None),
        "nothing there": sign(keys, "GET", "/state"),
    }


async def make_state_provider(guard: str, policy: Policy, **how: Any) -> Provider:
    """A provider whose view ``/state`` tells what covers the body, and how much of it arrived."""
    provider = await make_provider(policy=policy)
    app: Any = provider.app

    async def state() -> dict[str, Any]:
        scope: Any = request.scope
        verified = current_oauth1_request if guard == "decorator" else scope["async_oauth1.verified"]
        return {"protection": verified.body_protection, "length": len(await request.get_data())}

    if guard == "decorator":
        state = provider.require_oauth(**how)(state)
    else:
        app.asgi_app = OAuth1Middleware(app.asgi_app, provider.require_oauth, ["/state"], **how)
    app.route("/state", methods=["GET", "POST"])(state)
    return provider


@pytest.mark.parametrize("guard", ["decorator", "middleware"])
async def test_a_view_can_ask_what_covers_the_body(guard: str) -> None:
    """In `current_oauth1_request`, and in the ASGI scope."""
    provider = await make_state_provider(guard, Policy())
    for kind, message in requests().items():
        answer = await provider.send(message)
        expected = "none" if kind == "nothing there" else kind.split()[0].rstrip(",")
        assert answer.json == {"protection": expected, "length": len(message.body)}, kind


@pytest.mark.parametrize("guard", ["decorator", "middleware"])
async def test_plaintext_covers_nothing(guard: str) -> None:
    """Its signature is the secrets alone; where signed bodies are required, it may bring none."""
    policy = Policy(signature_methods=ALL_SIGNATURE_METHODS)
    lenient = await make_state_provider(guard, policy)
    strict = await make_state_provider(guard, replace(policy, require_signed_body=True))
    for kind, message in requests("PLAINTEXT").items():
        assert (await lenient.send(message)).json == {"protection": "none", "length": len(message.body)}, kind
        assert (await strict.send(message)).status == (400 if message.body else 200), kind


@pytest.mark.parametrize("guard", ["decorator", "middleware"])
async def test_a_policy_can_require_signed_bodies(guard: str) -> None:
    """A body that nothing covers is refused with a way out, announced or not; a request without one passes."""
    provider = await make_state_provider(guard, Policy(require_signed_body=True))
    for announced in (True, False):
        for kind, message in requests().items():
            sent = message if announced else message.without(b"content-length")
            answer = await provider.send(sent, pieces=[bytes((octet,)) for octet in message.body])
            if kind.startswith("none"):
                assert (answer.status, answer.error) == (400, "invalid_request"), kind
                assert "oauth_body_hash" in answer.json["error_description"]
            else:
                assert answer.status == 200, (kind, answer)
                assert answer.json["length"] == len(message.body)


@pytest.mark.parametrize("guard", ["decorator", "middleware"])
async def test_a_route_can_require_them(guard: str) -> None:
    """``body_hash_required`` of the middleware does what it does in the decorators."""
    provider = await make_state_provider(guard, Policy(), body_hash_required=True)
    for kind, message in requests().items():
        answer = await provider.send(message)
        if kind.startswith("no"):
            assert (answer.status, answer.error) == (400, "missing_required_parameter"), kind
        else:
            assert answer.status == 200, kind


async def test_the_policy_counts_at_the_endpoints() -> None:
    """A body that nothing signs is refused there, too."""
    provider = await make_provider(policy=Policy(require_signed_body=True))
    assert (await provider.initiate()).status == 200
    assert (await provider.initiate(body=b"a=1")).status == 200
    answer = await provider.initiate(body=b"{}", content_type=JSON)
    assert (answer.status, answer.error) == (400, "invalid_request")
    hashed = {"body_hash": body_hash(b"{}")}
    assert (await provider.initiate(body=b"{}", content_type=JSON, oauth=hashed)).status == 200


@pytest.mark.parametrize("framework", FRAMEWORKS)
async def test_flask_compat_takes_it_from_the_configuration(framework: str) -> None:
    """On both frameworks; announced or in chunks, a body that nothing signs is refused."""
    app = make_compat_app(framework, OAUTH1_REQUIRE_SIGNED_BODY=True)
    hashed = {"body_hash": body_hash(b"{}")}
    good = [
        sign(JANE, "GET", "/form"),
        sign(JANE, "POST", "/form", body=b"a=1"),
        sign(JANE, "POST", "/form", body=b"{}", content_type=JSON, oauth=hashed),
        sign(CLIENT, "POST", "/initiate", oauth={"callback": CALLBACK}),
    ]
    for message in good:
        assert (await send_to(app, message)).status == 200
    multipart = b"multipart/form-data; boundary=x"
    for content_type in (JSON, multipart, None):
        for target, keys in (("/form", JANE), ("/initiate", CLIENT)):
            oauth = {"callback": CALLBACK} if target == "/initiate" else {}
            message = sign(keys, "POST", target, body=b"{}", content_type=content_type, oauth=oauth)
            answer = await send_to(app, message)
            assert (answer.status, answer.error) == (400, "invalid_request")
