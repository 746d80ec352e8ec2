"""Host and path of an OAuth1Request (RFC 5849 section 3.4.1.2)."""

from __future__ import annotations

import pytest

from async_oauth1.errors import InvalidRequestError
from tests.protocol.wire import Signer, Wire

SIGNER = Signer()


@pytest.mark.parametrize(
    ("scheme", "host", "expected"),
    [
        ("https", "Photos.Example.NET", "photos.example.net"),
        ("https", "a.example:443", "a.example"),
        ("https", "a.example:0443", "a.example"),
        ("https", "a.example:80", "a.example:80"),
        ("http", "a.example:80", "a.example"),
        ("http", "a.example:", "a.example"),
        ("http", "a.example:443", "a.example:443"),
        ("http", "a.example:65535", "a.example:65535"),
        ("https", "[::1]:443", "[::1]"),
        ("https", "[::1]:8443", "[::1]:8443"),
        ("https", "[2001:DB8::1]", "[2001:db8::1]"),
        ("https", "prov_x.test", "prov_x.test"),
        ("https", "a.example.", "a.example."),
        ("https", "127.0.0.1:8000", "127.0.0.1:8000"),
    ],
)
def test_hosts(scheme: str, host: str, expected: str) -> None:
    """Hosts become lower case and lose the scheme's default port; IPv6 keeps its brackets (section 3.4.1.2)."""
    assert Wire(scheme=scheme, host=host).read().host == expected


@pytest.mark.parametrize(
    "host",
    [
        "", " ", "a b", "a,b", "user@a.example", "a.example/x", "a.example?x", "a.example#x", "a.example:x", "a:b:c",
        "a.example:-1", "a.example:0", "a.example:65536", "a.example:123456", "a.example:١", "::1", "[::1", "[::1]x",
        "[]", "[1.2.3.4]", "[:::]", "[fe80::1%eth0]", "ä.example", "a.example\n", "a\x00", "a" * 256, "a\\b", '"a"',
    ],
)  # fmt: skip
def test_malformed_hosts(host: str) -> None:
    """A malformed host is answered with 400 and never raises another exception."""
    with pytest.raises(InvalidRequestError):
        Wire(host=host).read()


@pytest.mark.parametrize(
    ("host", "hostname"), [("A.example:8000", "a.example"), ("[::1]:8000", "::1"), ("[::1]", "::1"), ("a", "a")]
)
def test_hostname(host: str, hostname: str) -> None:
    """`hostname` is the host without port and brackets."""
    assert Wire(host=host).read().hostname == hostname


@pytest.mark.parametrize(
    "path",
    [b"/", b"//a", b"/a/", b"/a%2Fb", b"/a%2fb", b"/%7Euser", b"/~user", b"/caf%C3%A9", b"/a%2Bb", b"/a+b", b"/a%25b",
     b"/a;b=c", b"/a%20b", b"/a%40b", b"/%zz", b"/..//./x", b"/a:b@c", b"/a%5Bx%5D", b"/a%22b", b"/'()*!"],
)  # fmt: skip
def test_paths_are_signed_as_sent(path: bytes) -> None:
    """The path is neither decoded nor normalised: its octets are what the client signed."""
    from urllib.parse import quote

    request = SIGNER.wire(path=path).read()
    assert request.base_string_uri == f"https://photos.example.net{path.decode()}"
    assert request.signature_base_string.split("&")[1] == quote(f"https://photos.example.net{path.decode()}", safe="")


def test_path_beyond_ascii_is_signed_as_octets() -> None:
    """A raw octet in the path is %FF in the base string, although clients should not send one."""
    assert Wire(raw_path=b"/\xff").read().signature_base_string.split("&")[1].endswith("%2F%FF")


@pytest.mark.parametrize("path", [b"", b"*", b"photos", b"?a=b", b"http://x/", b" /"])
def test_targets_that_are_not_a_path(path: bytes) -> None:
    """A target that does not begin with a slash is refused."""
    with pytest.raises(InvalidRequestError, match="not a path"):
        Wire(raw_path=path).read()
