"""The same provider behind hypercorn and a socket, with unusual octets on the wire."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tests.attacks.conftest import Listening
from tests.attacks.provider import CALLBACK, CLIENT, JANE
from tests.attacks.signer import FORM, Keys, Message, sign
from tests.attacks.sockets import RawAnswer, request_octets, talk


def signed(
    listening: Listening, method: str = "GET", target: str = "/echo", keys: Keys = JANE, **how: object
) -> Message:
    """A request that this server accepts."""
    return sign(keys, method, target, origin=listening.origin, **how)  # type: ignore[arg-type]


async def ask(listening: Listening, message: Message, *more: bytes, version: bytes = b"HTTP/1.1") -> RawAnswer:
    """Send a message over a new connection."""
    return await talk(listening.port, request_octets(message, *more, version=version))


async def test_the_whole_flow(listening: Listening) -> None:
    """All steps and a resource request work over sockets, and the server closes each connection as requested."""
    first = await ask(listening, signed(listening, "POST", "/initiate", CLIENT, oauth={"callback": CALLBACK}))
    assert (first.status, first.headers[b"connection"]) == (200, b"close")
    pairs = dict(pair.split("=") for pair in first.body.decode().split("&"))
    keys = replace(CLIENT, token=pairs["oauth_token"], token_secret=pairs["oauth_token_secret"])
    host = (b"host", listening.origin[7:].encode())
    page = Message(method="POST", target=f"/authorize?oauth_token={keys.token}".encode(), headers=(host,))
    second = await ask(listening, page, b"Content-Length: 0")
    verifier = second.headers[b"location"].decode().rpartition("oauth_verifier=")[2]
    third = await ask(listening, signed(listening, "POST", "/token", keys, oauth={"verifier": verifier}))
    pairs = dict(pair.split("=") for pair in third.body.decode().split("&"))
    keys = replace(CLIENT, token=pairs["oauth_token"], token_secret=pairs["oauth_token_secret"])
    answer = await ask(listening, signed(listening, target="/echo/a%2Fb;c?x=%22", keys=keys))
    assert answer.json["raw_path"] == "/echo/a%2Fb;c"
    assert answer.json["user"] == "jane"


@pytest.mark.parametrize(
    "target",
    [
        "/echo/a%2Fb",
        "/echo//a",
        "/echo/",
        "/echo/%c3%a9",
        "/echo/..",
        "/echo/../echo",
        "/echo/%2e%2e",
        "/echo/a;b",
        "/echo/%00",
        "/echo/%0A",
        "/echo/%FF",
        "/echo/a#b",
        "/echo?a#b",
        "/echo?",
        "/echo??",
        "/echo?a=1?b=2",
        '/echo/[x]|{y}^`\\"<>',
    ],
)
async def test_paths_and_queries_arrive_unchanged(listening: Listening, target: str) -> None:
    """The server does not decode, normalize or redirect them."""
    answer = await ask(listening, signed(listening, target=target))
    assert answer.status == 200, answer
    assert answer.json["raw_path"] == target.partition("?")[0]


@pytest.mark.parametrize(
    "line",
    [
        b"GET ?a=b HTTP/1.1",
        b"GET * HTTP/1.1",
        b"OPTIONS * HTTP/1.1",
        b"GET echo HTTP/1.1",
        b"GET  HTTP/1.1",
        b"GET HTTP/1.1",
        b"GET http:// HTTP/1.1",
        b"GET http://[ HTTP/1.1",
        b"GET http://evil.example/echo HTTP/1.1",
        b"GET http://user@HOST/echo HTTP/1.1",
        b"GET http://HOST@evil.example/echo HTTP/1.1",
        b"GET http://[::1]/echo HTTP/1.1",
        b"GET http://HOST/echo#fragment HTTP/1.1",
        b"GET ftp://HOST/echo HTTP/1.1",
        b"GET ///evil.example/echo HTTP/1.1",
        b"GET //evil.example/echo HTTP/1.1",
        b"CONNECT HOST HTTP/1.1",
        b"CONNECT evil.example:443 HTTP/1.1",
        b"GET /echo\x00 HTTP/1.1",
        b"GET /echo\xff HTTP/1.1",
        b"GET /ech\xc3\xb6 HTTP/1.1",
        b"GET /echo x HTTP/1.1",
        b"GET /echo",
        b"G\x00T /echo HTTP/1.1",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"",
    ],
    ids=ascii,
)
async def test_odd_request_lines_are_answered_or_cut_off(listening: Listening, line: bytes) -> None:
    """A correctly signed request with such a line gets a 4xx or a closed connection, no view and no 500."""
    host = listening.origin[7:].encode()
    good = signed(listening)
    head = request_octets(good).partition(b"\r\n")[2]
    answer = await talk(listening.port, line.replace(b"HOST", host) + b"\r\n" + head, end=True)
    assert all(400 <= status < 500 for status in answer.statuses), answer
    assert listening.provider.seen == []
    assert (await ask(listening, good)).status == 200  # the nonce has not been used


async def test_an_absolute_target_of_this_server_is_served(listening: Listening) -> None:
    """It is served as its path, with the host in any case; without a path the target is ``/``."""
    for scheme in (b"http", b"HTTP"):
        message = signed(listening, target="/echo/a%2Fb?x=1")
        absolute = replace(message, target=scheme + b"://" + listening.origin[7:].encode() + message.target)
        answer = await ask(listening, absolute)
        assert answer.json["raw_path"] == "/echo/a%2Fb"
    message = signed(listening)
    assert (await ask(listening, replace(message, target=listening.origin.encode()))).status == 404


async def test_a_folded_header_is_read_as_one_header(listening: Listening) -> None:
    """Old clients fold the Authorization header; a continuation line is never read as a separate header."""
    message = signed(listening)
    [header] = [value for name, value in message.headers if name == b"authorization"]
    for fold in (b",\r\n ", b",\r\n\t", b",\r\n   \r\n "):
        folded = message.without(b"authorization").adding((b"authorization", header.replace(b", ", fold)))
        answer = await ask(listening, folded)
        assert answer.status in (200, 400, 401)
    hidden = message.without(b"authorization").adding((b"x-note", b"a\r\n Authorization: " + header))
    assert (await ask(listening, hidden)).status == 401


@pytest.mark.parametrize(
    ("lines", "statuses"),
    [
        ([b"Host: evil.example"], {400}),
        ([b"Host: HOST"], {400}),
        ([b"host : evil.example"], {400}),
        ([b"Content-Length: 0", b"Content-Length: 5"], {400}),
        ([b"Content-Length: -1"], {400}),
        ([b"Content-Length: 1_0"], {400}),
        ([b"Transfer-Encoding: identity"], {400, 501}),
        ([b"Transfer-Encoding: gzip, chunked"], {400, 501}),
        ([b"Authorization: OAuth oauth_nonce=1"], {400}),
        ([b"Authorization: Basic Zm9v"], {400}),
        ([b"Authorization"], {400}),
        ([b"X-Bad\x00: 1"], {400}),
        ([b"X-Bad: a\x00b"], {400}),
        ([b": 1"], {400}),
        ([b"X-Many: 1"] * 2_000, {200, 431}),
        ([b"X-Huge: " + b"x" * 100_000], {200, 431}),
        ([b"X-Huge: " + b"x" * 400_000], {431}),
        ([b"Range: bytes=0-1", b"X-HTTP-Method-Override: DELETE", b"X-Original-URL: /evil"], {200}),
    ],
    ids=lambda value: str(value)[:60],
)
async def test_odd_header_lines_are_answered(listening: Listening, lines: list[bytes], statuses: set[int]) -> None:
    """With a valid signature, invalid lines are refused, and other lines are ignored."""
    host = listening.origin[7:].encode()
    answer = await ask(listening, signed(listening), *(line.replace(b"HOST", host) for line in lines))
    assert answer.status in statuses, answer
    assert len(listening.provider.seen) == (answer.status == 200)


async def test_an_upgrade_to_a_websocket_is_refused(listening: Listening) -> None:
    """A protected route has no WebSocket, with or without a signature."""
    upgrade = [b"Upgrade: websocket", b"Connection: Upgrade", b"Sec-WebSocket-Version: 13"]
    upgrade.append(b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
    for message in (signed(listening), signed(listening).without(b"authorization")):
        answer = await talk(listening.port, request_octets(message, *upgrade, close=False), end=True)
        assert all(400 <= status < 500 for status in answer.statuses)
        assert b"101" not in answer.octets[:20]
    assert listening.provider.seen == []


async def test_other_http_versions_need_a_signature(listening: Listening) -> None:
    """The server accepts some of them; each needs a signature."""
    for version in (b"HTTP/1.0", b"HTTP/1.2", b"HTTP/0.9", b"HTTP/9.9", b"HTTP/2.0"):
        answer = await ask(listening, signed(listening, signature=b"x"), version=version)
        assert all(400 <= status < 500 for status in answer.statuses)
    assert listening.provider.seen == []


async def test_http_1_0_and_a_missing_host(listening: Listening) -> None:
    """HTTP/1.0 is served with a Host header; without one the answer is a JSON 400, and the server refuses HTTP/1.1."""
    message = signed(listening)
    assert (await ask(listening, message, version=b"HTTP/1.0")).status == 200
    message = signed(listening).without(b"host")
    answer = await ask(listening, message, version=b"HTTP/1.0")
    assert (answer.status, answer.json["error"]) == (400, "invalid_request")
    assert (await ask(listening, message)).status == 400
    for host in (b"a..b", b"x" * 64 + b".example", b"a b", b"\xff", b"", b"user@" + listening.origin[7:].encode()):
        assert (await ask(listening, message.adding((b"host", host)))).status == 400


async def test_a_form_byte_by_byte(listening: Listening) -> None:
    """One octet per packet gives the same form, with Content-Length and chunked."""
    for chunked in (False, True):
        message = signed(listening, "POST", "/form", body=b"a=1&a=2&b=%C3%A9")
        octets = chunk(message, 3) if chunked else request_octets(message)
        answer = await talk(listening.port, [bytes((octet,)) for octet in octets])
        assert answer.json == {"form": [["a", "1"], ["a", "2"], ["b", "é"]]}


def chunk(message: Message, size: int, *, trailer: bytes = b"") -> bytes:
    """Serialize the message with a chunked body."""
    head = request_octets(replace(message.without(b"content-length"), body=b""), b"Transfer-Encoding: chunked")
    body = message.body
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return head + b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in pieces) + b"0\r\n" + trailer + b"\r\n"


async def test_trailers_are_not_read_as_headers(listening: Listening) -> None:
    """Credentials and a Content-Type after the body are ignored."""
    message = signed(listening, "POST", "/form", body=b"a=1")
    [header] = [value for name, value in message.headers if name == b"authorization"]
    late = chunk(message.without(b"authorization"), 2, trailer=b"Authorization: " + header + b"\r\n")
    assert (await talk(listening.port, late)).status == 401
    late = chunk(message, 2, trailer=b"Authorization: OAuth oauth_nonce=x\r\nContent-Type: text/plain\r\n")
    assert (await talk(listening.port, late)).json == {"form": [["a", "1"]]}


async def test_two_framings_do_not_hide_a_request(listening: Listening) -> None:
    """Content-Length together with chunked is one request, read by its chunks, or is refused."""
    inner = request_octets(signed(listening, target="/echo/smuggled"))
    message = signed(listening, "POST", "/form", body=b"a=1")
    octets = chunk(message, 3).replace(b"Transfer-Encoding", b"Content-Length: 3\r\nTransfer-Encoding") + inner
    answer = await talk(listening.port, octets, end=True)
    assert answer.statuses[0] in (200, 400)
    assert "smuggled" not in listening.provider.seen


async def test_a_wrong_content_length(listening: Listening) -> None:
    """If it is too long, the request never completes; if it is too short, the remaining octets are not a request."""
    message = signed(listening, "POST", "/form", body=b"a=1&b=2").without(b"content-length")
    answer = await talk(listening.port, request_octets(message, b"Content-Length: 700"), end=True)
    assert answer.statuses == []
    assert not listening.provider.store.calls
    answer = await talk(listening.port, request_octets(message, b"Content-Length: 3", close=False), end=True)
    assert answer.statuses[0] == 401
    assert not listening.provider.store.written
    assert (await ask(listening, message, b"Content-Length: 7")).status == 200


async def test_a_form_over_the_limit_is_refused_before_it_is_sent(listening: Listening) -> None:
    """The head is answered with 413, even with ``Expect: 100-continue``; a chunked form is stopped at the limit."""
    message = replace(signed(listening, "POST", "/echo", body=b"a"), body=b"").without(b"content-length")
    head = request_octets(message, b"Content-Length: 5000000", b"Expect: 100-continue")
    assert (await talk(listening.port, head)).status == 413
    assert (await talk(listening.port, request_octets(message, b"Content-Length: 5000000"))).status == 413
    endless = [request_octets(message, b"Transfer-Encoding: chunked"), *[b"8000\r\n" + b"a" * 0x8000 + b"\r\n"] * 200]
    answer = await talk(listening.port, endless)
    assert answer.status in (0, 413)  # 0: the connection was closed while the client was still sending
    assert not listening.provider.store.calls
    assert (await ask(listening, signed(listening))).status == 200


async def test_a_client_that_expects_100_continue(listening: Listening) -> None:
    """``Expect: 100-continue`` is answered, and the form that follows is signed."""
    message = signed(listening, "POST", "/form", body=b"a=1")
    octets = request_octets(message, b"Expect: 100-continue")
    head, end, body = octets.partition(b"\r\n\r\n")
    answer = await talk(listening.port, [head + end, body])
    assert answer.octets.startswith(b"HTTP/1.1 100")
    assert answer.json == {"form": [["a", "1"]]}


async def test_a_header_of_64_kib_in_many_packets(listening: Listening) -> None:
    """It is accepted up to the limit, and refused above it with a reason."""
    message = signed(listening, also=[(b"xoauth_x", b"x" * 60_000)])
    octets = request_octets(message)
    assert (await talk(listening.port, [octets[at : at + 500] for at in range(0, len(octets), 500)])).status == 200
    answer = await ask(listening, signed(listening, also=[(b"xoauth_x", b"x" * 66_000)]))
    assert (answer.status, answer.json["error"]) == (413, "request_too_large")
    answer = await ask(listening, signed(listening, target="/echo?" + "x" * 66_000))
    assert (answer.status, answer.json["error"]) == (413, "request_too_large")


async def test_pipelined_requests_are_verified_separately(listening: Listening) -> None:
    """The credentials of one request are not used for the next, and a refusal does not affect the one after it."""
    host = listening.origin[7:].encode()
    bare = b"GET /echo HTTP/1.1\r\nHost: " + host + b"\r\n\r\n"
    good = request_octets(signed(listening), close=False)
    last = request_octets(signed(listening))
    answer = await talk(listening.port, good + bare + good + last)
    assert answer.statuses == [200, 401, 401, 200]


async def test_of_twenty_connections_with_one_request_one_is_served(listening: Listening) -> None:
    """All of them send the same octets at the same time."""
    octets = request_octets(signed(listening))
    answers = await asyncio.gather(*(talk(listening.port, octets) for _ in range(20)))
    assert sorted(answer.status for answer in answers) == [200] + [401] * 19
    assert len(listening.provider.seen) == 1


async def test_clients_that_disconnect_during_the_exchange(listening: Listening) -> None:
    """Twenty clients disconnect after sending: there is one token, or the temporary credential is left; never two."""
    provider = listening.provider
    for _ in range(5):
        issued = len(await provider.tokens())
        answer = await ask(listening, signed(listening, "POST", "/initiate", CLIENT, oauth={"callback": CALLBACK}))
        pairs = dict(pair.split("=") for pair in answer.body.decode().split("&"))
        keys = replace(CLIENT, token=pairs["oauth_token"], token_secret=pairs["oauth_token_secret"])
        pending = await provider.pending(keys.token)
        await provider.store.store.create_authorization_verifier(pending, "jane", "v")

        async def hang_up(octets: bytes) -> None:
            _, writer = await asyncio.open_connection("127.0.0.1", listening.port)
            writer.write(octets)
            await writer.drain()
            writer.transport.abort()

        messages = [signed(listening, "POST", "/token", keys, oauth={"verifier": "v"}) for _ in range(20)]
        await asyncio.gather(*(hang_up(request_octets(message)) for message in messages))
        answer = await ask(listening, signed(listening, "POST", "/token", keys, oauth={"verifier": "v"}))
        assert answer.status in (200, 401)
        assert len(await provider.tokens()) == issued + 1
        assert await provider.pending(keys.token) is None


async def test_a_method_in_lower_case_is_not_another_method(listening: Listening) -> None:
    """Whether the server changes the case or not, the signature is over upper case, and is required."""
    host = (b"host", listening.origin[7:].encode())
    for method in ("get", "Get", "options", "hEAD"):
        bare = Message(method=method, target=b"/echo", headers=(host,))
        assert (await ask(listening, bare)).status in (401, 405)
        assert (await ask(listening, signed(listening, method))).status in (200, 405)
    answer = await ask(listening, signed(listening, "HEAD"))
    assert (answer.status, answer.body) == (200, b"")
    answer = await ask(listening, Message(method="HEAD", target=b"/echo", headers=(host,)))
    assert (answer.status, answer.body) == (401, b"")


async def test_multipart_and_forms_without_length(listening: Listening) -> None:
    """A POST without Content-Length and without a body is accepted, with and without a form's Content-Type."""
    for headers in ([], [(b"content-type", FORM)]):
        answer = await ask(listening, signed(listening, "POST", "/echo", headers=headers))
        assert answer.status == 200
