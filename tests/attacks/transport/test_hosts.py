"""Which host a request is for: what the wire and trusted proxies say, not what a stranger makes of it."""

from __future__ import annotations

from typing import Any

import pytest

from async_oauth1 import Policy
from tests.attacks.provider import JANE, Provider, make_provider
from tests.attacks.signer import sign


@pytest.mark.parametrize(
    ("sent", "signed"),
    [
        ("provider.example", "provider.example"),
        ("PROVIDER.Example", "provider.example"),
        ("provider.example:443", "provider.example"),
        ("provider.example:0443", "provider.example"),
        ("provider.example:", "provider.example"),
        ("provider.example:8443", "provider.example:8443"),
        ("provider.example:80", "provider.example:80"),
        ("provider.example.", "provider.example."),
        ("prov_x.example", "prov_x.example"),
        ("[::1]", "[::1]"),
        ("[::1]:443", "[::1]"),
        ("[2001:DB8::1]:8443", "[2001:db8::1]:8443"),
        ("127.0.0.1:9000", "127.0.0.1:9000"),
        ("xn--caf-dma.example", "xn--caf-dma.example"),
    ],
)
async def test_a_host_verifies_as_the_client_sees_it(provider: Provider, sent: str, signed: str) -> None:
    """Section 3.4.1.2: lower case, the scheme's default port dropped, every other kept; IPv6 in brackets."""
    answer = await provider.get(origin=f"https://{sent}", signed_origin=f"https://{signed}")
    assert answer.status == 200, answer


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example, provider.example",
        "user@provider.example",
        "provider.example/echo",
        "provider.example?x",
        "provider.example#x",
        "provider.example:x",
        "provider.example:0",
        "provider.example:65536",
        "provider.example:443:443",
        "provider.example:４４３",
        "::1",
        "[::1",
        "[::1]x",
        "[::ffff:999.1.1.1]",
        "[1:2]",
        "prövider.example",
        "provider.example\x00",
        "provider example",
        "%70rovider.example",
        "a" * 300,
        "a" * 64 + ".example",
        "provider..example",
        ".provider.example",
        ".",
        "a." * 130,
    ],
    ids=ascii,
)
async def test_a_malformed_host_is_400(provider: Provider, host: str) -> None:
    """Whatever is signed for it; the reason names the Host header, and does not speak of security."""
    for signed_origin in (f"https://{host}", "https://provider.example", "https://"):
        message = sign(JANE, "GET", "/echo", signed_origin=signed_origin).without(b"host")
        answer = await provider.send(message.adding((b"host", host.encode())))
        assert (answer.status, answer.error) == (400, "invalid_request")
        assert "Host" in answer.json["error_description"]
    assert not provider.store.calls


async def test_a_missing_host_is_400(provider: Provider) -> None:
    """HTTP/1.0 allows requests without a Host header, but then the signed host is unknown."""
    for signed in ("https://", "https://provider.example"):
        message = sign(JANE, "GET", "/echo", signed_origin=signed).without(b"host")
        for version in ("1.0", "1.1"):
            answer = await provider.send(message, http_version=version)
            assert (answer.status, answer.error) == (400, "invalid_request")


async def test_two_hosts_are_400(provider: Provider) -> None:
    """In each order, and also when they say the same."""
    good = sign(JANE, "GET", "/echo").without(b"host")
    for hosts in (
        (b"provider.example", b"evil.example"),
        (b"evil.example", b"provider.example"),
        (b"provider.example",) * 2,
    ):
        answer = await provider.send(good.adding(*((b"host", host) for host in hosts)))
        assert (answer.status, answer.error) == (400, "invalid_request")


async def test_a_host_that_is_not_served_is_421() -> None:
    """Keys shared with a staging system: what was signed for that host is not replayed on this."""
    provider = await make_provider(policy=Policy(allowed_hosts=("provider.example", "*.partners.example", "[::1]")))
    for host, status in [
        ("provider.example", 200),
        ("provider.example:8443", 200),
        ("Provider.Example.", 200),
        ("a.partners.example", 200),
        ("[::1]", 200),
        ("partners.example", 421),
        ("xpartners.example", 421),
        ("a.partners.example.evil.example", 421),
        ("evil.example", 421),
        ("provider.example.evil.example", 421),
        ("staging.provider.example", 421),
    ]:
        answer = await provider.get(origin=f"https://{host}", signed_origin=f"https://{host.lower()}")
        assert answer.status == status, (host, answer)
        if status == 421:
            assert answer.error == "misdirected_request"


FORWARDED: list[list[tuple[bytes, bytes]]] = [
    [(b"x-forwarded-host", b"evil.example")],
    [(b"x-forwarded-proto", b"http")],
    [(b"x-forwarded-proto", b"javascript")],
    [(b"x-forwarded-port", b"8443")],
    [(b"x-forwarded-prefix", b"/evil")],
    [(b"x-forwarded-for", b"127.0.0.1")],
    [(b"forwarded", b"host=evil.example;proto=http")],
    [(b"forwarded", b'host="evil.example:8443"')],
    [(b"forwarded", b'host="')],
    [(b"x-forwarded-host", b"evil.example"), (b"forwarded", b"host=other.example")],
    [(b"x-original-url", b"/evil"), (b"x-rewrite-url", b"/evil"), (b"x-http-method-override", b"DELETE")],
]


@pytest.mark.parametrize("headers", FORWARDED, ids=str)
async def test_a_strangers_forwarding_headers_change_nothing(headers: list[tuple[bytes, bytes]]) -> None:
    """From a peer that is no trusted proxy they are ignored, also where there are trusted ones."""
    for policy in (Policy(), Policy(trusted_proxies=("10.0.0.0/8", "::1/128"))):
        provider = await make_provider(policy=policy)
        assert (await provider.get(headers=headers)).status == 200
        for origin in ("https://evil.example", "http://provider.example", "https://provider.example:8443"):
            assert (await provider.get(headers=headers, signed_origin=origin)).status == 401


async def test_plain_http_is_not_made_https_by_a_stranger() -> None:
    """``X-Forwarded-Proto: https`` from anybody on plain http is still plain http."""
    provider = await make_provider(policy=Policy(trusted_proxies=("10.0.0.0/8",)))
    headers = [(b"x-forwarded-proto", b"https"), (b"x-forwarded-for", b"127.0.0.1")]
    message = sign(JANE, "GET", "/echo", headers=headers)
    answer = await provider.send(message, scheme="http")
    assert (answer.status, answer.error) == (400, "insecure_transport")
    assert (await provider.send(message, scheme="http", client=("10.1.2.3", 1))).status == 200


@pytest.mark.parametrize(
    ("headers", "origin"),
    [
        ([(b"x-forwarded-proto", b"https"), (b"x-forwarded-host", b"api.example")], "https://api.example"),
        ([(b"x-forwarded-proto", b"https"), (b"x-forwarded-host", b"api.example:8443")], "https://api.example:8443"),
        (
            [(b"x-forwarded-proto", b"https"), (b"x-forwarded-host", b"api.example"), (b"x-forwarded-port", b"8443")],
            "https://api.example:8443",
        ),
        ([(b"x-forwarded-proto", b"https"), (b"x-forwarded-port", b"443")], "https://provider.example"),
        (
            [(b"x-forwarded-proto", b"https"), (b"x-forwarded-host", b"evil.example, api.example")],
            "https://api.example",
        ),
        ([(b"forwarded", b"for=1.2.3.4;Host=api.example;PROTO=https")], "https://api.example"),
        ([(b"forwarded", b'host="api.example:8443"; proto=https')], "https://api.example:8443"),
        ([(b"forwarded", b"host=evil.example;proto=http, host=api.example;proto=https")], "https://api.example"),
    ],
)
async def test_a_trusted_proxy_is_believed(headers: list[tuple[bytes, bytes]], origin: str) -> None:
    """Its own element, the last, says scheme, host and port; what a client put in front of it does not count."""
    provider = await make_provider(policy=Policy(trusted_proxies=("10.0.0.0/8",)))
    message = sign(JANE, "GET", "/echo", headers=headers, signed_origin=origin)
    behind: dict[str, Any] = {"scheme": "http", "client": ("10.1.2.3", 1)}
    assert (await provider.send(message, **behind)).status == 200
    assert (await provider.send(sign(JANE, "GET", "/echo", headers=headers), scheme="http")).status == 400


@pytest.mark.parametrize(
    "headers",
    [
        [(b"x-forwarded-proto", b"javascript")],
        [(b"x-forwarded-host", b"a b")],
        [(b"x-forwarded-host", b"user@api.example")],
        [(b"x-forwarded-port", b"x"), (b"x-forwarded-proto", b"https")],
        [(b"x-forwarded-port", b"99999"), (b"x-forwarded-proto", b"https")],
        [(b"forwarded", b'host="api.example')],
        [(b"forwarded", b"host=a;host=b")],
        [(b"forwarded", b"\xff\xff")],
        [(b"forwarded", b"host=api.example;proto=https"), (b"x-forwarded-host", b"evil.example")],
    ],
)
async def test_a_trusted_proxys_nonsense_is_refused(headers: list[tuple[bytes, bytes]]) -> None:
    """Malformed or contradictory forwarding is 400: one of the two headers may be the client's."""
    provider = await make_provider(policy=Policy(trusted_proxies=("10.0.0.0/8",)))
    message = sign(JANE, "GET", "/echo", headers=headers)
    answer = await provider.send(message, client=("10.1.2.3", 1))
    assert (answer.status, answer.error) == (400, "invalid_request")


async def test_the_external_base_url_stands_above_every_header() -> None:
    """Behind TLS termination and a prefix the client signs what it sees; no Host or header changes that."""
    policy = Policy(external_base_url="https://api.example:8443/oauth/")
    provider = await make_provider(policy=policy)
    for headers in ([], *FORWARDED):
        message = sign(
            JANE,
            "GET",
            "/echo/a%2Fb?x=1",
            signed_origin="https://api.example:8443",
            signed_target="/oauth/echo/a%2Fb?x=1",
            origin="http://10.0.0.9:5000",
            headers=headers,
        )
        assert (await provider.send(message, scheme="http")).status == 200
    assert (await provider.get(origin="https://api.example:8443")).status == 401


async def test_plain_http_is_refused_unless_both_ends_are_here() -> None:
    """The Host alone proves nothing: a stranger can write ``localhost`` into it."""
    provider = await make_provider()
    for origin, peer, status in [
        ("http://provider.example", "203.0.113.7", 400),
        ("http://localhost", "203.0.113.7", 400),
        ("http://127.0.0.1", "10.0.0.1", 400),
        ("http://provider.example", "127.0.0.1", 400),
        ("http://localhost:5000", "127.0.0.1", 200),
        ("http://[::1]:5000", "::1", 200),
    ]:
        message = sign(JANE, "GET", "/echo", origin=origin)
        assert (await provider.send(message, scheme="http", client=(peer, 1))).status == status
