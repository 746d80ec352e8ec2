"""The scheme and host that the client used, with and without trusted proxies (RFC 5849 section 3.4.1.2)."""

from __future__ import annotations

from typing import Any

import pytest

from async_oauth1 import OAuth1Error, Policy
from async_oauth1.asgi import request_from_scope
from async_oauth1.errors import InvalidRequestError, MisdirectedRequestError

PROXIES = Policy(trusted_proxies=("10.0.0.0/8", "2001:db8::/32"))
PROXY = ("10.1.2.3", 40_000)


def _scope(
    *,
    host: str | None = "inner.example:8000",
    peer: tuple[str, int] | None = PROXY,
    scheme: str = "http",
    path: str = "/photos",
    raw_path: bytes | None = b"/photos",
    **headers: str,
) -> dict[str, Any]:
    fields = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    if host is not None:
        fields.append((b"host", host.encode("latin-1")))
    return {
        "type": "http",
        "method": "GET",
        "scheme": scheme,
        "path": path,
        "raw_path": raw_path,
        "query_string": b"",
        "headers": fields,
        "client": peer,
    }


def _uri(scope: dict[str, Any], policy: Policy = PROXIES) -> str:
    return request_from_scope(scope, policy).base_string_uri


@pytest.mark.rfc5849("3.4.1.2/other-port", "3.4.1.2/default-port")
@pytest.mark.parametrize(
    ("headers", "uri"),
    [
        ({}, "http://inner.example:8000/photos"),
        ({"forwarded": "proto=https;host=a.example"}, "https://a.example/photos"),
        ({"forwarded": 'for=1.2.3.4;proto=HTTPS;host="A.example:8443";by=x'}, "https://a.example:8443/photos"),
        ({"forwarded": 'Proto=https; Host="[2001:db8::1]:443"'}, "https://[2001:db8::1]/photos"),
        ({"forwarded": "host=evil.example, proto=https;host=a.example"}, "https://a.example/photos"),
        ({"forwarded": "for=1.2.3.4"}, "http://inner.example:8000/photos"),
        ({"x_forwarded_proto": "https"}, "https://inner.example:8000/photos"),
        ({"x_forwarded_proto": "https", "x_forwarded_host": "a.example"}, "https://a.example/photos"),
        ({"x_forwarded_proto": "HTTPS", "x_forwarded_host": "a.example:443"}, "https://a.example/photos"),
        (
            {"x_forwarded_proto": "https", "x_forwarded_host": "a.example", "x_forwarded_port": "8443"},
            "https://a.example:8443/photos",
        ),
        (
            {"x_forwarded_host": "a.example:9000", "x_forwarded_port": "8443", "x_forwarded_proto": "https"},
            "https://a.example:9000/photos",
        ),
        ({"x_forwarded_proto": "https", "x_forwarded_port": "443"}, "https://inner.example/photos"),
        ({"x_forwarded_host": "[::1]", "x_forwarded_port": "8443"}, "http://[::1]:8443/photos"),
        ({"x_forwarded_host": "evil.example, a.example"}, "http://a.example/photos"),
        ({"x_forwarded_for": "127.0.0.1"}, "http://inner.example:8000/photos"),
        ({"x_forwarded_prefix": "/evil"}, "http://inner.example:8000/photos"),
        (
            {
                "forwarded": "proto=https;host=a.example",
                "x_forwarded_proto": "https",
                "x_forwarded_host": "a.example",
            },
            "https://a.example/photos",
        ),
    ],
)
def test_trusted_proxy(headers: dict[str, str], uri: str) -> None:
    """The last element of a trusted proxy's header counts; quotes, case, port and IPv6 follow the RFCs."""
    assert _uri(_scope(**headers)) == uri


@pytest.mark.rfc5849("3.4.1.2/host")
@pytest.mark.parametrize("peer", [("192.0.2.7", 1), ("11.0.0.1", 1), ("::1", 1), ("unix:/x", 1), ("", 1), None])
@pytest.mark.parametrize(
    "headers",
    [
        {"forwarded": "proto=https;host=evil.example"},
        {"x_forwarded_host": "evil.example", "x_forwarded_proto": "https", "x_forwarded_port": "1"},
        {"forwarded": "nonsense", "x_forwarded_proto": "javascript"},
    ],
)
def test_untrusted_peer(peer: tuple[str, int] | None, headers: dict[str, str]) -> None:
    """The headers of other peers are ignored, whatever their values."""
    assert _uri(_scope(peer=peer, **headers)) == "http://inner.example:8000/photos"


def test_no_proxy_is_trusted_by_default() -> None:
    """Without trusted_proxies the headers are ignored, also from loopback."""
    scope = _scope(peer=("127.0.0.1", 1), x_forwarded_host="evil.example", forwarded="host=evil.example")
    assert _uri(scope, Policy()) == "http://inner.example:8000/photos"


@pytest.mark.parametrize("peer", ["10.255.0.1", "2001:db8:1::1", "::ffff:10.1.2.3"])
def test_peers_in_a_trusted_network(peer: str) -> None:
    """A peer may be IPv4, IPv6, or IPv4 as a dual-stack socket reports it."""
    assert _uri(_scope(peer=(peer, 1), x_forwarded_host="a.example")) == "http://a.example/photos"


@pytest.mark.parametrize(
    "headers",
    [
        {"forwarded": "proto=https;host=a.example", "x_forwarded_host": "b.example"},
        {"forwarded": "proto=https", "x_forwarded_proto": "http"},
        {"forwarded": "host=a.example", "x_forwarded_host": "a.example", "x_forwarded_proto": "https"},
        {"forwarded": "proto=https;proto=http"},
        {"forwarded": "nonsense"},
        {"forwarded": 'host="a'},
        {"forwarded": "host=a b"},
        {"forwarded": "proto=javascript"},
        {"x_forwarded_proto": "javascript"},
        {"x_forwarded_proto": "ws"},
        {"x_forwarded_host": "user@a.example"},
        {"x_forwarded_host": "a.example/path"},
        {"x_forwarded_host": "a\\b"},
        {"x_forwarded_port": "x"},
        {"x_forwarded_port": "99999"},
    ],
)
def test_malformed_or_contradicting_proxy_headers(headers: dict[str, str]) -> None:
    """They are answered with 400: a guess could accept a signature for another host."""
    with pytest.raises(InvalidRequestError):
        _uri(_scope(**headers))


@pytest.mark.parametrize(
    ("base_url", "uri"),
    [
        ("https://photos.example.net", "https://photos.example.net/photos"),
        ("HTTPS://Photos.Example.NET:443/", "https://photos.example.net/photos"),
        ("https://photos.example.net:8443/api/v1/", "https://photos.example.net:8443/api/v1/photos"),
        ("http://[::1]:8000", "http://[::1]:8000/photos"),
        (lambda scope: f"https://{scope['path'][1:]}.example.net", "https://photos.example.net/photos"),
        (lambda scope: None, "http://a.example/photos"),
    ],
)
def test_external_base_url(base_url: Any, uri: str) -> None:
    """The configured URL, with its path prefix, takes precedence over the Host header and over proxies."""
    policy = Policy(external_base_url=base_url, trusted_proxies=("10.0.0.0/8",))
    assert _uri(_scope(x_forwarded_host="a.example"), policy) == uri


def test_external_base_url_from_a_malformed_host_header() -> None:
    """If a function builds the base URL from a malformed Host header, the answer is 400."""
    policy = Policy(external_base_url=lambda scope: f"https://{dict(scope['headers'])[b'host'].decode()}")
    with pytest.raises(InvalidRequestError):
        _uri(_scope(host="a b"), policy)


@pytest.mark.parametrize("hosts", [[], ["a.example", "a.example"], ["a.example", "b.example"], [""], [" "]])
def test_missing_or_repeated_host_header(hosts: list[str]) -> None:
    """A request needs exactly one Host header that is not empty; otherwise the answer is 400."""
    scope = _scope(host=None)
    scope["headers"] += [(b"host", host.encode()) for host in hosts]
    with pytest.raises(InvalidRequestError, match="Host"):
        _uri(scope)


@pytest.mark.parametrize(
    ("path", "raw_path", "expected"),
    [
        ("/a/b", b"/a%2Fb", "/a%2Fb"),
        ("/a", b"/a?query", "/a"),
        ("/a b/é/%", None, "/a%20b/%C3%A9/%25"),
        ("/a;b=c,d:@!$&'()*+~", None, "/a;b=c,d:@!$&'()*+~"),
        ("/\ud800", None, "/%ED%A0%80"),
    ],
)
def test_paths(path: str, raw_path: bytes | None, expected: str) -> None:
    """The raw path is used if the server has it. Otherwise the decoded path is encoded again, without exceptions."""
    assert _uri(_scope(path=path, raw_path=raw_path)) == f"http://inner.example:8000{expected}"


@pytest.mark.parametrize(
    ("target", "uri"),
    [
        (b"http://inner.example:8000/x", "http://inner.example:8000/x"),
        (b"HTTP://INNER.example:8000/x", "http://inner.example:8000/x"),
        (b"http://inner.example:8000", "http://inner.example:8000/"),
        (b"http://inner.example:8000?a=b", "http://inner.example:8000/"),
    ],
)
def test_absolute_form_for_this_host(target: bytes, uri: str) -> None:
    """RFC 9112 section 3.2.2: a server must accept absolute-form. The path in it is the one that is signed."""
    assert _uri(_scope(path=target.decode(), raw_path=target)) == uri


@pytest.mark.parametrize(
    "target",
    [
        b"http://other.example/x",
        b"http://inner.example/x",
        b"http://inner.example:8000@other.example/x",
        b"https://other.example/x",
        b"http://inner.example:8000/x#fragment",
        b"http://",
        b"http://[",
        b"ftp://inner.example:8000/x",
        b"*",
        b"",
        b"inner.example:8000",
        b"x/y",
    ],
)
def test_refused_targets(target: bytes) -> None:
    """Another authority is answered with 421, and any other target with 400."""
    with pytest.raises(OAuth1Error) as caught:
        _uri(_scope(path=target.decode(), raw_path=target))
    assert caught.value.status_code in (400, 421)
    if target.endswith(b"other.example/x") and b"@" not in target:
        assert isinstance(caught.value, MisdirectedRequestError)
