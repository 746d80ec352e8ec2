"""Each decision is one record with fields, and nothing that a client sends can forge or lengthen one."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from async_oauth1 import Client, OAuth1Error
from async_oauth1.provider.records.fields import correlation
from async_oauth1.provider.refusals import log_refusal, with_scope
from tests.protocol.wire import NOW, Signer
from tests.provider.provider import CALLBACK, Provider

TRACE = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE}-b7ad6b7169203331-01"
FORGED = "a\r\nINFO forged\x1b[0m\u2028 error.type=accepted"


@pytest.fixture
def provider(caplog: pytest.LogCaptureFixture) -> Provider:
    """A provider whose log is kept, accepted requests included."""
    caplog.set_level(logging.INFO, "async_oauth1")
    caplog.set_level(logging.DEBUG, "async_oauth1.decisions")
    return Provider()


def fields(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """The fields of all records."""
    usual = {*vars(logging.makeLogRecord({})), "asctime"}  # a formatter of another test may add it
    return [{name: value for name, value in vars(record).items() if name not in usual} for record in caplog.records]


def events(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The names of all events."""
    return [str(found["event.name"]) for found in fields(caplog)]


def test_a_refusal(provider: Provider, caplog: pytest.LogCaptureFixture) -> None:
    """It has the reason and the answer, the client, the address, the request and its identifiers."""
    wire = provider.client.wire(query=[(b"q", b"secret")], oauth_timestamp=str(NOW - 301))
    headers = (*wire.headers, (b"X-Request-Id", b"7f3a"), (b"traceparent", TRACEPARENT.encode()))
    provider.refusal(wire.changed(headers=headers), two_legged=True)
    (found,) = fields(caplog)
    found.pop("message")
    assert found == {
        "event.name": "oauth1.request.refused",
        "error.type": "timestamp_refused",
        "oauth1.answered_as": "timestamp_refused",
        "http.response.status_code": 401,
        "http.request.method": "GET",
        "url.path": "/photos",
        "oauth1.client_id": "dpf43f3p2l4k3l03",
        "client.address": "192.0.2.7",
        "oauth1.request_id": "7f3a",
        "trace_id": TRACE,
    }


def test_a_uniform_answer(provider: Provider, caplog: pytest.LogCaptureFixture) -> None:
    """The reason says what was wrong, and the answer what the client was told."""
    provider.refusal(Signer("unknown").wire(), two_legged=True)
    (found,) = fields(caplog)
    assert (found["error.type"], found["oauth1.answered_as"]) == ("invalid_client", "invalid_signature")


def test_the_whole_flow(provider: Provider, caplog: pytest.LogCaptureFixture) -> None:
    """Each step that is accepted is one record, without any token or secret."""
    jane = provider.token()
    provider.protect(jane.wire())
    provider.decide(provider.temporary().token, None)
    assert events(caplog) == [
        "oauth1.temporary_credentials.issued",
        "oauth1.authorization.approved",
        "oauth1.token_credentials.issued",
        "oauth1.request.accepted",
        "oauth1.temporary_credentials.issued",
        "oauth1.authorization.denied",
    ]
    written = repr(fields(caplog)) + caplog.text
    assert str(jane.token) not in written
    assert jane.token_secret not in written
    assert jane.client_secret not in written


def test_accepted_requests_are_silent_by_default(caplog: pytest.LogCaptureFixture) -> None:
    """Refusals are shown by the level INFO, accepted requests are not."""
    caplog.set_level(logging.INFO, "async_oauth1")
    provider = Provider()
    provider.protect(provider.token().wire())
    assert not caplog.records


def test_tolerances_and_repeated_nonces(caplog: pytest.LogCaptureFixture) -> None:
    """What a client is let off with is a record with its name."""
    caplog.set_level(logging.INFO, "async_oauth1")
    provider = Provider()
    provider.add(Client(client_id="t", client_secret="s", name="T", tolerances=("repeated_nonce",)))
    wire = Signer("t", "s").wire()
    provider.protect(wire, two_legged=True)
    provider.protect(wire, two_legged=True)
    assert events(caplog) == ["oauth1.nonce.repeated"]
    assert fields(caplog)[0]["oauth1.client_id"] == "t"


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({"x-request-id": "a-1"}, {"oauth1.request_id": "a-1"}),
        ({"traceparent": TRACEPARENT}, {"oauth1.request_id": TRACE, "trace_id": TRACE}),
        ({"x-request-id": "a", "traceparent": TRACEPARENT}, {"oauth1.request_id": "a", "trace_id": TRACE}),
        ({"traceparent": TRACEPARENT.replace("00-", "ff-", 1)}, {}),
        ({"traceparent": f"00-{'0' * 32}-b7ad6b7169203331-01"}, {}),
        ({"traceparent": TRACEPARENT.upper()}, {}),
        ({"x-request-id": "a b\r\nc\xe9"}, {"oauth1.request_id": "a?b??c?"}),
        ({"x-request-id": "x" * 5_000}, {"oauth1.request_id": "x" * 100}),
        ({"x-request-id": " "}, {}),
    ],
)
def test_identifiers(sent: dict[str, str], expected: dict[str, str]) -> None:
    """Valid ones are kept, foreign characters are replaced, and long ones are cut."""
    assert correlation([(name.encode(), value.encode("latin-1")) for name, value in sent.items()]) == expected


def test_nothing_can_be_forged(provider: Provider, caplog: pytest.LogCaptureFixture) -> None:
    """A path, a nonce, a client's name and a request's identifier stay in one line of ASCII each, and are cut."""
    jane = provider.token()
    provider.add(Client(client_id="named", client_secret="s", name=FORGED, callbacks=(CALLBACK,)))
    caplog.clear()
    odd = FORGED.encode()
    for wire in (
        jane.wire(path=b"/" + odd, signature="x"),
        jane.wire(path=b"/" + odd * 5_000, signature="x"),
        jane.wire(oauth_nonce=FORGED),
        jane.wire(oauth_consumer_key=FORGED),
        Signer("named", "wrong").wire(),
    ):
        provider.refusal(wire.changed(headers=(*wire.headers, (b"x-request-id", odd))), two_legged=True)
    unread = OAuth1Error()
    scope = {"type": "http", "method": f"GET{FORGED}", "path": f"/{FORGED}", "headers": [(b"x-request-id", odd)]}
    log_refusal(with_scope(unread, {**scope, "client": (FORGED, 1)}))
    assert len(caplog.records) == 6
    for found in fields(caplog):
        texts = [value for value in found.values() if isinstance(value, str)]
        assert all(text.isascii() and text.isprintable() and len(text) < 2_500 for text in texts)
        assert "=accepted" in found["oauth1.request_id"]
        assert " " not in found["oauth1.request_id"]
