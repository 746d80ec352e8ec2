"""HTTP/2 in clear text, from the start or by upgrade, follows the same rules."""

from __future__ import annotations

import pytest

from tests.attacks.conftest import Listening
from tests.attacks.provider import JANE
from tests.attacks.signer import Keys, Message, sign
from tests.attacks.sockets import request_octets, talk_h2


def signed(
    listening: Listening, method: str = "GET", target: str = "/echo", keys: Keys = JANE, **how: object
) -> Message:
    """A request that this server accepts."""
    return sign(keys, method, target, origin=listening.origin, **how)  # type: ignore[arg-type]


def h2_headers(message: Message) -> list[tuple[bytes, bytes]]:
    """The headers of a message in HTTP/2."""
    [host] = [value for name, value in message.headers if name == b"host"]
    pseudo = [
        (b":method", message.method.encode()),
        (b":scheme", b"http"),
        (b":authority", host),
        (b":path", message.target),
    ]
    return pseudo + [pair for pair in message.headers if pair[0] != b"host"]


async def test_http_2_requests_need_a_signature(listening: Listening) -> None:
    """From the start or by upgrade, an unsigned request is refused, and a signature verifies with ``:authority``."""
    host = (b"host", listening.origin[7:].encode())
    bare = Message(method="GET", target=b"/echo", headers=(host,))
    assert (await talk_h2(listening.port, h2_headers(bare)))[b":status"] == b"401"
    answer = await talk_h2(listening.port, h2_headers(signed(listening, target="/echo/a%2Fb?x=1")))
    assert answer[b":status"] == b"200"
    assert b'"raw_path":"/echo/a%2Fb"' in answer[b"body"]
    answer = await talk_h2(listening.port, [], upgrade=request_octets(bare, close=False))
    assert answer[b":status"] == b"401"
    good = signed(listening)
    answer = await talk_h2(listening.port, [], upgrade=request_octets(good, close=False))
    assert answer[b":status"] == b"200"
    answer = await talk_h2(listening.port, h2_headers(good))
    assert (answer[b":status"], b"invalid_nonce" in answer[b"body"]) == (b"401", True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (b":path", b"/echo?q=\xff\xfe"),
        (b":path", b"/echo?q=\xc3\xa9"),
        (b":path", b"?a=b"),
        (b":path", b"*"),
        (b":path", b"http://evil.example/echo"),
        (b":path", b"http://["),
        (b":path", b""),
        (b":authority", b"a..b"),
        (b":authority", b"user@127.0.0.1"),
        (b":authority", b"evil.example"),
        (b":authority", b""),
        (b":method", b"get"),
        (b":method", b"G\x85T"),
        (b":method", b""),
        (b"authorization", b'OAuth oauth_nonce="\x01\xff"'),
        (b"x-odd", b"\xff\xfe"),
        (b"host", b"evil.example"),
    ],
)
async def test_odd_http_2_headers_are_answered_or_reset(listening: Listening, name: bytes, value: bytes) -> None:
    """HTTP/2 allows octets that HTTP/1.1 does not: no such request gets a 500 or an answer from a protected view."""
    host = (b"host", listening.origin[7:].encode())
    bare = h2_headers(Message(method="GET", target=b"/echo", headers=(host,)))
    changed = [(key, value if key == name else old) for key, old in bare]
    if name not in dict(bare):
        changed.append((name, value))
    answer = await talk_h2(listening.port, changed)
    assert not answer or 400 <= int(answer[b":status"]) < 500, answer
    assert listening.provider.seen == []


async def test_raw_octets_in_a_query_verify_over_http_2(listening: Listening) -> None:
    """They are signed as their percent-encoding."""
    message = signed(listening, target="/echo?q=é")
    answer = await talk_h2(listening.port, h2_headers(message))
    assert answer[b":status"] == b"200"
    assert listening.provider.seen == [""]
