"""Which path a request is for: the octets of the request line, and nothing that a framework makes of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.attacks.provider import JANE, Provider
from tests.attacks.signer import Message, sign


@pytest.mark.parametrize(
    "path",
    [
        "/echo/a%2Fb",
        "/echo/%7Euser",
        "/echo/~user",
        "/echo/caf%C3%A9",
        "/echo/caf%c3%a9",
        "/echo/a%2Bb",
        "/echo/a+b",
        "/echo/a%25b",
        "/echo/a%252Fb",
        "/echo/a%40b",
        "/echo/a@b",
        "/echo/a%3Db",
        "/echo/a%5Bx%5D",
        "/echo/a[x]",
        "/echo/a%22b",
        "/echo/a%20b",
        "/echo/a;b=c",
        "/echo/a%3Bb",
        "/echo/*'()!",
        "/echo/a|b",
        "/echo/a^b`c{d}",
        "/echo/a%zz",
        "/echo/a%",
        "/echo/%FF",
        "/echo/%C0%AF",
        "/echo/%ED%A0%80",
        "/echo/%00",
        "/echo/%0A",
        "/echo/a%3Fb",
        "/echo/a%23b",
        "/echo/a#b",
        "/echo/",
        "/echo//a",
        "/echo/./a",
        "/echo/a/../b",
        "/echo/%2E%2E/b",
        "/ech%6F/a",
        "/%65cho",
        "/echo/http://x.example/",
        "/echo/" + "a/" * 2_000,
    ],
)
async def test_a_path_verifies_as_it_was_sent(provider: Provider, path: str) -> None:
    """No decoding, no cleaning, no redirect: the octets of the request line are what was signed."""
    answer = await provider.get(path + "?a=1")
    assert answer.status == 200, answer
    assert answer.json["raw_path"] == path
    assert (await provider.get(path + "?a=1", signed_target="/echo/other?a=1")).status == 401


@pytest.mark.parametrize(
    ("signed", "sent"),
    [
        ("/echo/a%2Fb", "/echo/a/b"),
        ("/echo/a/b", "/echo/a%2Fb"),
        ("/echo/a%252Fb", "/echo/a%2Fb"),
        ("/echo/~u", "/echo/%7Eu"),
        ("/echo/%c3%a9", "/echo/%C3%A9"),
        ("/echo/a/../b", "/echo/b"),
        ("/echo/", "/echo"),
        ("/echo", "/echo/"),
        ("/echo/a", "/echo//a"),
        ("/echo/a", "/ech%6F/a"),
        ("/echo/a;b", "/echo/a"),
        ("/echo/a%00", "/echo/a"),
        ("/echo/%EF%BF%BD", "/echo/%FF"),
        ("/echo/a", "/echo/A"),
    ],
)
async def test_paths_that_a_framework_takes_for_equal_are_not(provider: Provider, signed: str, sent: str) -> None:
    """A signature for one spelling of a path does not verify for another."""
    assert (await provider.get(sent, signed_target=signed)).status == 401


@pytest.mark.parametrize(
    "target",
    [
        "?a=b",
        "",
        "*",
        "echo",
        "a?b",
        "http://",
        "http://[",
        "https://",
        "ftp://provider.example/echo",
        "javascript:alert(1)",
        "http:/echo",
        "http:echo",
        "mailto:a@b",
        "provider.example:443",
        "[",
        "%2Fecho",
        "\\echo",
    ],
)
@pytest.mark.parametrize("method", ["GET", "OPTIONS", "POST", "CONNECT"])
async def test_a_target_that_is_no_path_is_answered(provider: Provider, target: str, method: str) -> None:
    """Empty, an asterisk, an authority, another scheme: a 4xx, and no route is reached by it."""
    message = Message(method=method, target=target.encode(), headers=((b"host", b"provider.example"),))
    answer = await provider.send(message)
    assert 400 <= answer.status < 500
    signed = sign(JANE, method, target)
    assert 400 <= (await provider.send(signed)).status < 500
    assert provider.seen == []
    assert not provider.store.calls


async def test_an_absolute_target_of_this_host_is_served_and_signed_as_its_path(provider: Provider) -> None:
    """RFC 9112 section 3.2.2: a server must accept it; the path inside is what counts."""
    for authority in ("provider.example", "PROVIDER.example", "provider.example:443"):
        for path in ("/echo/a%2Fb", "/echo//x", "/echo"):
            good = sign(JANE, "GET", path + "?a=1")
            message = replace(good, target=f"https://{authority}{path}?a=1".encode())
            answer = await provider.send(message)
            assert answer.status == 200, answer
            assert answer.json["raw_path"] == path
    good = sign(JANE, "GET", "/echo/a?a=1")
    moved = replace(good, target=b"https://provider.example/echo/b?a=1")
    assert (await provider.send(moved)).status == 401


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/echo",
        "http://evil.example/echo",
        "https://provider.example.evil.example/echo",
        "https://provider.example@evil.example/echo",
        "https://evil.example@provider.example/echo",
        "https://user:pw@provider.example/echo",
        "https://provider.example:8443/echo",
        "https://provider.example:99999/echo",
        "https://provider.example:x/echo",
        "https://provider.example\\@evil.example/echo",
        "https://[::1]/echo",
        "https://[::1/echo",
        "https://[zz]/echo",
        "https:///echo",
        "https://provider.example/echo#fragment",
        "https://provider.example#/echo",
        "https://provider.example%2Fecho",
        "https://provider.example /echo",
    ],
)
async def test_an_absolute_target_of_another_host_is_not_served(provider: Provider, target: str) -> None:
    """Another's authority is 421, a malformed one 400; neither reaches a route, however it is signed."""
    for signed_target, origin in [("/echo", "https://provider.example"), ("/echo", "https://evil.example")]:
        message = sign(JANE, "GET", target, signed_target=signed_target, origin="https://provider.example")
        assert (await provider.send(message)).status in (400, 421)
        message = sign(JANE, "GET", target, signed_target=signed_target, signed_origin=origin)
        assert (await provider.send(message)).status in (400, 421)
    assert provider.seen == []
    assert not provider.store.calls


async def test_without_a_path_an_absolute_target_means_the_root(provider: Provider) -> None:
    """``GET https://host`` and ``GET https://host?a=b`` are the path "/"."""
    for target in (b"https://provider.example", b"https://provider.example?a=b"):
        message = Message(method="GET", target=target, headers=((b"host", b"provider.example"),))
        assert (await provider.send(message)).status == 404


async def test_a_server_that_keeps_no_raw_path_is_helped_out(provider: Provider) -> None:
    """ASGI lets raw_path be absent; what its path encodes to is what most clients sent."""
    message = sign(JANE, "GET", "/echo/a%20b/caf%C3%A9;x=1,2")
    assert (await provider.send(message, raw_path=None)).status == 200
