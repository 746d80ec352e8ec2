"""Requests over a limit are refused before any costly work, and without reading the rest of the body."""

from __future__ import annotations

import asyncio
import tracemalloc
from dataclasses import replace
from typing import Any

import pytest

from async_oauth1 import Policy
from async_oauth1.quart import ResourceProtector
from tests.attacks.provider import CLIENT, JANE, Provider, make_provider
from tests.attacks.signer import FORM, Message, authorization, protocol_parameters, sign
from tests.attacks.wire import PATIENCE, Answer, scope_of

KIB = 1024
HOST = (b"host", b"provider.example")


@pytest.fixture(autouse=True)
def verifications(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record the verifications during a test; a request refused for its size must cause none."""
    verified: list[str] = []
    original = ResourceProtector.verify_signature

    async def counted(self: ResourceProtector, message: Any, **how: Any) -> None:
        verified.append(message.method)
        await original(self, message, **how)

    monkeypatch.setattr(ResourceProtector, "verify_signature", counted)
    return verified


def refused_cheaply(provider: Provider, answer: Answer, verified: list[str], *statuses: int) -> bool:
    """Return whether the request was refused in the endpoint's format before any look-up or signature check."""
    assert answer.status in statuses, answer
    assert answer.error in ("invalid_request", "request_too_large")
    return not provider.store.calls and not verified


async def test_a_thousand_parameters_are_accepted_and_one_more_is_refused(
    provider: Provider, verifications: list[str]
) -> None:
    """Parameters in header, query and form count together, including the protocol's."""
    own = len(protocol_parameters(JANE, {})) + 1
    free = 1_000 - own
    for count, status in [(free, 200), (free + 1, 400)]:
        pairs = b"&".join(b"a=%d" % n for n in range(count))
        for answer in (
            await provider.get(b"/echo?" + pairs),
            await provider.get(method="POST", body=pairs),
            await provider.get(also=[(b"xoauth_a", b"%d" % n) for n in range(count)]),
            await provider.get(b"/echo?" + pairs[: len(pairs) // 2], method="POST", body=pairs[len(pairs) // 2 + 1 :])
            if status == 200
            else await provider.get(b"/echo?a&" + pairs[:200], method="POST", body=pairs),
        ):
            assert answer.status == status
    before = len(verifications)
    provider.store.calls.clear()
    answer = await provider.get(method="POST", body=b"&".join([b"a"] * 1_001))
    assert refused_cheaply(provider, answer, verifications[before:], 400)


async def test_four_hundred_thousand_parameters_are_refused_unparsed(
    provider: Provider, verifications: list[str]
) -> None:
    """A form within its size limit and a query over its limit are refused by counting; parsing would take 40 MB."""
    many = b"a&" * 400_000
    headers = (HOST, (b"content-type", FORM), (b"content-length", b"%d" % len(many)))
    form = Message(method="POST", target=b"/echo", headers=headers, body=many)
    query = Message(method="GET", target=b"/echo?" + many, headers=(HOST,))
    for message, status in [(form, 400), (query, 413)]:
        tracemalloc.start()
        try:
            answer = await provider.send(message)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert refused_cheaply(provider, answer, verifications, status)
        assert peak < 12 * KIB * KIB


async def test_the_authorization_header_may_have_64_kib(provider: Provider, verifications: list[str]) -> None:
    """64 KiB are accepted, and one octet more is answered with 413."""
    pairs = protocol_parameters(JANE, {"signature": "x"})
    short = len(authorization([*pairs, (b"xoauth_x", b"")]))
    for size, statuses in [(64 * KIB, (401,)), (64 * KIB + 1, (413,))]:
        header = authorization([*pairs, (b"xoauth_x", b"x" * (size - short))])
        assert len(header) == size
        for method, target in [("GET", b"/echo"), ("POST", b"/initiate"), ("POST", b"/token")]:
            message = Message(method=method, target=target, headers=(HOST, (b"authorization", header)))
            assert (await provider.send(message)).status in (*statuses, 400 if size == 64 * KIB else 413)
    assert verifications == ["GET"]


async def test_a_query_may_have_64_kib(provider: Provider, verifications: list[str]) -> None:
    """64 KiB are accepted, and one octet more is answered with 413."""
    assert (await provider.get(b"/echo?a=" + b"x" * (64 * KIB - 2))).status == 200
    provider.store.calls.clear()
    verifications.clear()
    answer = await provider.get(b"/echo?a=" + b"x" * (64 * KIB - 1))
    assert refused_cheaply(provider, answer, verifications, 413)


@pytest.mark.parametrize("framing", ["content-length", "chunked"])
async def test_a_form_may_have_a_mebibyte(provider: Provider, verifications: list[str], framing: str) -> None:
    """1 MiB is accepted with or without Content-Length, and one octet more is answered with 413."""
    for size, status in [(KIB * KIB, 200), (KIB * KIB + 1, 413)]:
        message = sign(JANE, "POST", "/echo", body=b"a=" + b"x" * (size - 2))
        if framing == "chunked":
            message = message.without(b"content-length").adding((b"transfer-encoding", b"chunked"))
        pieces = [message.body[at : at + 100_000] for at in range(0, size, 100_000)]
        answer = await provider.send(message, pieces=pieces)
        assert answer.status == status
    assert verifications == ["POST"]


class Endless:
    """A client that never stops sending, and counts the octets that were read."""

    def __init__(self, piece: bytes) -> None:
        self.piece = piece
        self.taken = 0
        self.sent: list[dict[str, Any]] = []

    async def receive(self) -> dict[str, Any]:
        """Return the next piece after a switch to other tasks, as a network would."""
        await asyncio.sleep(0)
        self.taken += len(self.piece)
        return {"type": "http.request", "body": self.piece, "more_body": True}

    async def send(self, event: dict[str, Any]) -> None:
        """Keep the response."""
        self.sent.append(event)


@pytest.mark.parametrize("length", [b"2000000", b"16777217", b"99999999999999999999", None])
async def test_the_rest_of_a_form_that_is_too_large_is_not_read(provider: Provider, length: bytes | None) -> None:
    """A Content-Length over the limit is refused at once; without one, reading stops at the limit."""
    client = Endless(b"a" * 50_000)
    message = sign(JANE, "POST", "/echo", body=b"a").without(b"content-length")
    if length is not None:
        message = message.adding((b"content-length", length))
    async with asyncio.timeout(PATIENCE):
        await provider.app(scope_of(message), client.receive, client.send)  # type: ignore[arg-type]
    assert client.sent[0]["status"] == 413
    assert b"request_too_large" in client.sent[1]["body"]
    assert client.taken < 3 * KIB * KIB
    assert not provider.store.calls


@pytest.mark.parametrize("length", [b"0", b"5", b"20", b"-1", b"x", b"1_0", b"+9", b" 9 ", b"9, 9"])
async def test_a_wrong_content_length_does_not_change_the_signed_body(provider: Provider, length: bytes) -> None:
    """Servers refuse such lengths; if a server does not, the signature must cover the body that arrives."""
    for signed in (b"", b"amount=100"[:5], b"a"):
        message = sign(JANE, "POST", "/form", body=b"amount=100", signed_body=signed).without(b"content-length")
        answer = await provider.send(message.adding((b"content-length", length)))
        assert answer.status in (400, 401)
    message = sign(JANE, "POST", "/form", body=b"amount=100").without(b"content-length")
    answer = await provider.send(message.adding((b"content-length", length)))
    assert answer.status in (200, 400)


async def test_a_form_over_quarts_limit_is_refused_in_the_endpoints_format() -> None:
    """Quart's MAX_CONTENT_LENGTH may be lower; the error keeps the endpoint's format, with either framing."""
    provider = await make_provider()
    provider.app.config["MAX_CONTENT_LENGTH"] = 1_000
    for target, keys in [("/echo", JANE), ("/initiate", CLIENT)]:
        message = sign(keys, "POST", target, body=b"a=" + b"x" * 5_000)
        for framed in (message, message.without(b"content-length")):
            pieces = [framed.body[at : at + 100] for at in range(0, len(framed.body), 100)]
            answer = await provider.send(framed, pieces=pieces)
            assert (answer.status, answer.error) == (413, "request_too_large")


async def test_a_form_that_does_not_arrive_times_out(provider: Provider) -> None:
    """After Quart's BODY_TIMEOUT the endpoint answers with 408 in its format."""
    provider.app.config["BODY_TIMEOUT"] = 0.05
    message = sign(JANE, "POST", "/echo", body=b"a=1")
    for stalled in (message, message.without(b"content-length")):
        sent: list[dict[str, Any]] = []

        async def receive() -> Any:
            await asyncio.Event().wait()

        async def send(event: Any, sent: list[dict[str, Any]] = sent) -> None:
            sent.append(event)

        async with asyncio.timeout(PATIENCE):
            await provider.app(scope_of(stalled), receive, send)
        assert sent[0]["status"] == 408
        assert b"invalid_request" in sent[1]["body"]


async def test_a_megabyte_of_nonce_is_refused(provider: Provider, verifications: list[str]) -> None:
    """In the header it is over the size limit, in a form over the length limit; the store is not called."""
    nonce = b"n" * 1_000_000
    answer = await provider.get(oauth={"nonce": nonce})
    assert refused_cheaply(provider, answer, verifications, 413)
    answer = await provider.get(method="POST", place="body", oauth={"nonce": nonce})
    assert refused_cheaply(provider, answer, verifications, 400)
    answer = await provider.get(place="query", oauth={"nonce": nonce})
    assert refused_cheaply(provider, answer, verifications, 413)


async def test_limits_are_set_in_the_policy() -> None:
    """Each limit can be changed, and holds at the endpoints and at resources."""
    policy = Policy(
        max_identifier_bytes=8, max_parameters=20, max_header_bytes=600, max_query_bytes=100, max_form_bytes=100
    )
    provider = await make_provider(policy=policy)
    assert (await provider.get(oauth={"nonce": "n" * 8})).status == 200
    assert (await provider.get(oauth={"nonce": "n" * 9})).status == 400
    assert (await provider.get("/echo?" + "&".join("abcdefghijklmno"))).status == 400
    assert (await provider.get("/echo?" + "a" * 101)).status == 413
    assert (await provider.get(method="POST", body=b"a" * 101)).status == 413
    assert (await provider.get(also=[(b"xoauth_a", b"b" * 600)])).status == 413
    long = replace(CLIENT, client_id="client-number-9")
    assert (await provider.initiate(long)).status == 400
    assert (await provider.initiate(body=b"a" * 101)).status == 413


async def test_other_headers_are_not_limited(provider: Provider) -> None:
    """Odd, large and repeated headers outside the protocol are ignored."""
    headers = [
        (b"x-odd", b"\xff\xfe"),
        (b"x-huge", b"x" * 60_000),
        (b"cookie", b"a=" + b"b" * 60_000),
        (b"proxy-authorization", b"OAuth oauth_nonce=x"),
        (b"x-authorization", b"OAuth oauth_nonce=x"),
        (b"authorization2", b"OAuth oauth_nonce=x"),
        (b"www-authenticate", b"OAuth"),
        (b"", b"empty"),
        *[(b"x-many", b"%d" % n) for n in range(2_000)],
    ]
    assert (await provider.get(headers=headers)).status == 200
