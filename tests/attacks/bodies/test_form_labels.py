"""Thousands of Content-Types and the form parsers of seven frameworks: no view sees an unsigned field."""

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

# Coverage would double the time and sees the same lines in the other tests.
pytestmark = [pytest.mark.stress, pytest.mark.no_cover]

#: Litestar reads the body of such a view as a form without looking at the Content-Type: see the last tests.
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
    """Each name with each octet and each parameter around it, and 500 that chance has made of the pieces."""
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
    """The request with another body under a label."""
    bare = message.without(b"content-type").without(b"content-length")
    return replace(bare, body=body).adding((b"content-type", label), (b"content-length", b"%d" % len(body)))


def unsigned(label: bytes) -> list[Message]:
    """A request signed without a body, and a form that was moved into the query on its way."""
    moved = sign(JANE, "POST", TARGET, body=b"amount=1")
    moved = replace(moved, target=moved.target + b"?amount=1")
    return [relabelled(sign(JANE, "POST", TARGET), label), relabelled(moved, label)]


async def sees_it(app: Any, message: Message) -> bool:
    """Whether the view found the field; a framework that fails at a label has not."""
    try:
        answer = await call(app, message)
    except Exception:  # noqa: BLE001 - the frameworks' own
        return False
    return answer.status < 400 and b"mallory" in answer.body


@pytest.mark.parametrize("framework", [name for name in VIEWS if name != DECLARED])
async def test_no_view_sees_a_field_that_nobody_signed(framework: str) -> None:
    """Behind the middleware, under any label."""
    guarded = OAuth1Middleware(view(framework), await make_protector(), [TARGET])
    seen = [label for label in LABELS for message in unsigned(label) if await sees_it(guarded, message)]
    assert seen == []


async def test_the_labels_are_worth_trying() -> None:
    """Under stress there are over 10,000 requests; unprotected, each framework takes unusual labels for a form's."""
    assert 2 * len(ALL_LABELS) * (len(VIEWS) - 1) > 10_000
    odd = [label for label in LABELS if not is_form(label)]
    accepted = {}
    for framework in VIEWS:
        bare = [Message(method="POST", target=TARGET.encode(), headers=((b"host", b"provider.example"),))]
        accepted[framework] = [label for label in odd if await sees_it(view(framework), relabelled(bare[0], label))]
    assert all(len(found) >= 5 for found in accepted.values()), {name: len(found) for name, found in accepted.items()}
    assert accepted[DECLARED] == odd


async def test_every_framework_serves_genuine_forms() -> None:
    """Every label of ours with which a framework finds the form is served with it signed."""
    labels = [label for label in ALL_LABELS if is_form(label)]
    assert len(labels) > 10
    for framework in VIEWS:
        guarded = OAuth1Middleware(view(framework), await make_protector(), [TARGET])
        for label in labels:
            plain = Message(method="POST", target=TARGET.encode(), headers=((b"host", b"provider.example"),))
            found = await sees_it(view(framework), relabelled(plain, label))
            genuine = relabelled(sign(JANE, "POST", TARGET, body=b"to=mallory"), label)
            assert await sees_it(guarded, genuine) == found, (framework, label)


async def test_no_decorated_view_sees_one() -> None:
    """The same of the decorators: Quart's own, and `flask_compat` on Flask and on Quart."""
    provider = await make_provider()
    flask_app, quart_app = make_compat_app("flask"), make_compat_app("quart")
    for label in sample(LABELS, 150):
        if b"\r" in label or b"\n" in label:
            continue  # no server passes them on, and Werkzeug raises
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
    """Neither without a Content-Type: only a view of Litestar's that declares a form does not look."""
    message = Message(method="POST", target=TARGET.encode(), headers=((b"host", b"provider.example"),))
    message = replace(message, body=b"to=mallory").adding((b"content-length", b"10"))
    if label is not None:
        message = message.adding((b"content-type", label))
    assert [framework for framework in VIEWS if await sees_it(view(framework), message)] == [DECLARED]


@pytest.mark.parametrize("framework", VIEWS)
async def test_required_signed_bodies_close_every_view(framework: str) -> None:
    """Litestar's declared forms, too, whatever the label is, and without one."""
    protector = await make_protector(Policy(require_signed_body=True))
    guarded = OAuth1Middleware(view(framework), protector, [TARGET])
    labels = LABELS if framework == DECLARED else LABELS[:: len(LABELS) // 50]
    assert [label for label in labels for message in unsigned(label) if await sees_it(guarded, message)] == []
    bare = sign(JANE, "POST", TARGET, body=b"to=mallory", content_type=None)
    assert not await sees_it(guarded, bare)
    genuine = sign(JANE, "POST", TARGET, body=b"to=mallory")
    assert await sees_it(guarded, genuine)


# Over real servers ---------------------------------------------------------------------------------------------------

#: One for each way in which a parser is lenient.
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


async def test_no_view_sees_one_over_a_real_server(port: int) -> None:
    """Octets of the wire; a genuine form is served, and what the server itself refuses is refused."""
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
