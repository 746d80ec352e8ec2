"""Requests with thousands of Content-Types to the form parsers of seven frameworks: no view sees an unsigned field."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from async_oauth1 import Policy
from async_oauth1.asgi import OAuth1Middleware
from async_oauth1.protocol.request import is_form
from tests.attacks.compat_apps import make_compat_app, send_to
from tests.attacks.form_views import TARGET, VIEWS, make_protector, view
from tests.attacks.provider import JANE, make_provider
from tests.attacks.signer import FORM, Message, sign
from tests.attacks.sockets import request_octets, talk
from tests.attacks.wire import call
from tests.stress import sample

# With coverage these tests take twice as long, and the other tests cover the same lines.
pytestmark = [pytest.mark.stress, pytest.mark.no_cover]

#: This Litestar view parses the body as a form without checking the Content-Type; see the last tests.
DECLARED = "litestar, declared"
NAMES = [
    FORM,
    FORM.upper(),
    b"application/x-url-encoded",
    b"application/x-urlencoded",
    b"application/x-www-urlencoded",
    b"application/www-form-urlencoded",
    b"text/x-www-form-urlencoded",
    b"x-www-form-urlencoded",
    b"*/x-www-form-urlencoded",
    b"application/*",
    b"*/*",
    b"*",
    b"text/plain",
    b"application/json",
    b"multipart/form-data",
]
OCTETS = [bytes((code,)) for code in range(256)]
PARAMETERS = [
    b"",
    b";",
    b"; charset=utf-8",
    b'; charset="utf-8"',
    b"; charset=utf-7",
    b"; a=" + FORM,
    b'; a="' + FORM + b'"',
    b"; " + FORM,
    b'; a="',
    b"; a=b, " + FORM,
    b";q=0.1, application/*",
    b";q=0, */*",
    b", " + FORM,
    b", text/plain",
    b"=a; b=c",
    b" " + FORM,
    b"; boundary=x",
    b"; charset*=utf-8''utf-7",
]
MORE_RANGES = [
    b"application/json;q=0.1,application/*",
    b"application/json;q=0,multipart/form-data;q=0,*/*",
    b"*/*;q=1,application/json;q=0.5,multipart/*;q=0",
    b"application/json; a=b, application/x-www-form-urlencoded",
    b'application/json; a=";q=0.1,application/*;b="',
]


def make_labels() -> list[bytes]:
    """Each name combined with each octet and each parameter, and 500 random combinations of the pieces."""
    labels = [name + parameters for name, parameters in product(NAMES, PARAMETERS)]
    labels += MORE_RANGES
    for octet in OCTETS:
        labels += [octet + FORM, FORM + octet, FORM + octet + b"; charset=utf-8", FORM.replace(b"/", b"/" + octet)]
        labels += [b"application/x-url-encoded" + octet, FORM + b";" + octet]
    chance = random.Random(5849)
    pieces = [*NAMES, *PARAMETERS, *(chance.choice(OCTETS) for _ in range(20)), b"\xa0", b"\x85", b'"', b",", b"\\"]
    labels += [b"".join(chance.choices(pieces, k=chance.randrange(1, 5))) for _ in range(500)]
    return list(dict.fromkeys(labels))


ALL_LABELS = make_labels()
LABELS = [*sample(ALL_LABELS, 300), *MORE_RANGES]


def relabelled(message: Message, label: bytes, body: bytes = b"to=mallory") -> Message:
    """Replace the body and the Content-Type of a request."""
    bare = message.without(b"content-type").without(b"content-length")
    return replace(bare, body=body).adding((b"content-type", label), (b"content-length", b"%d" % len(body)))


def unsigned(label: bytes) -> list[Message]:
    """Two requests with an unsigned form: one signed without a body, one whose form was moved into the query."""
    moved = sign(JANE, "POST", TARGET, body=b"amount=1")
    moved = replace(moved, target=moved.target + b"?amount=1")
    return [relabelled(sign(JANE, "POST", TARGET), label), relabelled(moved, label)]


async def sees_field(app: Any, message: Message) -> bool:
    """Return whether the view found the field; if the framework raises an error, it did not."""
    try:
        answer = await call(app, message)
    except Exception:  # noqa: BLE001 - any error of the framework
        return False
    return answer.status < 400 and b"mallory" in answer.body


@pytest.mark.parametrize("framework", [name for name in VIEWS if name != DECLARED])
async def test_no_view_sees_an_unsigned_field(framework: str) -> None:
    """Behind the middleware no Content-Type makes a view accept an unsigned field."""
    guarded = OAuth1Middleware(view(framework), await make_protector(), [TARGET])
    seen = [label for label in LABELS for message in unsigned(label) if await sees_field(guarded, message)]
    assert seen == []


async def test_frameworks_parse_forms_under_unusual_labels() -> None:
    """Without protection each framework parses a form under some unusual labels; all labels make 10,000 requests."""
    assert 2 * len(ALL_LABELS) * (len(VIEWS) - 1) > 10_000
    odd = [label for label in LABELS if not is_form(label)]
    accepted = {}
    for framework in VIEWS:
        bare = [Message(method="POST", target=TARGET.encode(), headers=((b"host", b"provider.example"),))]
        accepted[framework] = [label for label in odd if await sees_field(view(framework), relabelled(bare[0], label))]
    assert all(len(found) >= 5 for found in accepted.values()), {name: len(found) for name, found in accepted.items()}
    assert accepted[DECLARED] == odd


async def test_every_framework_serves_genuine_forms() -> None:
    """A signed form is served under each label that this package and the framework treat as a form."""
    labels = [label for label in ALL_LABELS if is_form(label)]
    assert len(labels) > 10
    for framework in VIEWS:
        guarded = OAuth1Middleware(view(framework), await make_protector(), [TARGET])
        for label in labels:
            plain = Message(method="POST", target=TARGET.encode(), headers=((b"host", b"provider.example"),))
            found = await sees_field(view(framework), relabelled(plain, label))
            genuine = relabelled(sign(JANE, "POST", TARGET, body=b"to=mallory"), label)
            assert await sees_field(guarded, genuine) == found, (framework, label)


async def test_no_decorated_view_sees_an_unsigned_field() -> None:
    """The decorators of `async_oauth1.quart`, and of `flask_compat` on Flask and on Quart, refuse unsigned fields."""
    provider = await make_provider()
    flask_app, quart_app = make_compat_app("flask"), make_compat_app("quart")
    for label in sample(LABELS, 150):
        if b"\r" in label or b"\n" in label:
            continue  # servers refuse these, and Werkzeug raises an error
        for send in (
            provider.send,
            lambda message: send_to(flask_app, message),
            lambda message: send_to(quart_app, message),
        ):
            answer = await send(relabelled(sign(JANE, "POST", "/form"), label))
            assert answer.status in (200, 401, 415), label
            assert b"mallory" not in answer.body, label
            assert answer.status != 200 or answer.json == {"form": []}


@pytest.mark.parametrize("label", [None, b"", b"text/plain", b"application/json", b"application/octet-stream"])
async def test_no_framework_reads_a_form_under_any_other_label(label: bytes | None) -> None:
    """Nor without a Content-Type; only the Litestar view that declares a form ignores the Content-Type."""
    message = Message(method="POST", target=TARGET.encode(), headers=((b"host", b"provider.example"),))
    message = replace(message, body=b"to=mallory").adding((b"content-length", b"10"))
    if label is not None:
        message = message.adding((b"content-type", label))
    assert [framework for framework in VIEWS if await sees_field(view(framework), message)] == [DECLARED]


@pytest.mark.parametrize("framework", VIEWS)
async def test_require_signed_body_protects_every_view(framework: str) -> None:
    """With ``require_signed_body``, even Litestar's declared form gets no unsigned field, with or without a label."""
    protector = await make_protector(Policy(require_signed_body=True))
    guarded = OAuth1Middleware(view(framework), protector, [TARGET])
    labels = LABELS if framework == DECLARED else LABELS[:: len(LABELS) // 50]
    assert [label for label in labels for message in unsigned(label) if await sees_field(guarded, message)] == []
    bare = sign(JANE, "POST", TARGET, body=b"to=mallory", content_type=None)
    assert not await sees_field(guarded, bare)
    genuine = sign(JANE, "POST", TARGET, body=b"to=mallory")
    assert await sees_field(guarded, genuine)


# Over real servers ---------------------------------------------------------------------------------------------------

#: One label for each way in which a parser is lenient.
SAMPLE = [
    b"application/x-url-encoded",
    b"\xa0" + FORM,
    FORM + b"\x85",
    FORM + b", text/plain",
    b"text/plain; a=" + FORM,
    b"*/x-www-form-urlencoded",
    b"application/json;q=0.1,application/*",
    FORM + b"=a; b=c",
    FORM + b"; charset=utf-7",
]


async def test_no_view_sees_an_unsigned_field_over_a_real_server(port: int) -> None:
    """Unsigned forms are refused by the provider or by the server, and signed forms are served."""
    origin = f"http://127.0.0.1:{port}"
    for framework in VIEWS:
        if framework == DECLARED:
            continue
        header = (b"x-framework", framework.encode())
        genuine = sign(JANE, "POST", TARGET, body=b"to=jane", origin=origin, headers=[header])
        answer = await talk(port, request_octets(genuine))
        assert dict(json.loads(answer.body[answer.body.find(b"[[") : answer.body.rfind(b"]]") + 2])) == {"to": "jane"}
        for label in SAMPLE:
            forged = relabelled(sign(JANE, "POST", TARGET, origin=origin, headers=[header]), label)
            answer = await talk(port, request_octets(forged))
            assert answer.status in (400, 415), (framework, label, answer)
            assert b"mallory" not in answer.body
