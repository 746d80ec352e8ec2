"""Reading saved requests: raw HTTP, curl commands, HAR files, and input that is none of them."""

from __future__ import annotations

import base64
import json

import pytest

from async_oauth1.explain import explain
from async_oauth1.explain.readers import ReadError, read_source

from .corpus import SHAPES
from .signer import policy, secrets
from .written import as_curl, as_har, as_http, url_of

_HEAD = b"POST /photos?a=b HTTP/1.1\r\nHost: photos.example.net\r\n"


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_verifies_as_http(shape: str) -> None:
    """A genuine request verifies after it was saved and read, also with LF for CR LF in its head."""
    request = SHAPES[shape]
    base_url = f"{request.scheme}://{request.host}"
    octets = as_http(request.sent())
    head, empty_line, body = octets.partition(b"\r\n\r\n")
    for saved in (octets, head.replace(b"\r\n", b"\n") + b"\n\n" + body):
        source = read_source(saved, base_url=base_url)
        assert source.format == "http"
        assert explain(source.request, secrets(request), policy=policy(request)).verifies
    assert empty_line


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_verifies_as_curl_and_har(shape: str) -> None:
    """The scheme of the URL counts; no base URL is needed."""
    request = SHAPES[shape]
    for kind, text in (("curl", as_curl(request.sent())), ("har", as_har(request.sent()))):
        source = read_source(text.encode())
        assert source.format == kind
        assert explain(source.request, secrets(request), policy=policy(request)).verifies, kind


def test_the_base_url_puts_its_prefix_in_front() -> None:
    """Scheme, host and prefix are the provider's; a path that has the prefix keeps it."""
    for path in (b"/photos", b"/api/photos"):
        source = read_source(b"GET %s HTTP/1.1\r\n\r\n" % path, base_url="https://example.net/api/")
        assert (source.request.scheme, source.request.host, source.request.path) == (
            "https", "example.net", b"/api/photos",
        )  # fmt: skip


def test_octets_behind_the_content_length_are_not_read() -> None:
    """A saved capture may go on with the next request."""
    source = read_source(_HEAD + b"Content-Length: 3\r\n\r\na=b\r\nGET / HTTP/1.1")
    assert source.request.body == b"a=b"


def test_a_chunked_body_is_put_together() -> None:
    """Extensions of chunks and trailers are ignored."""
    source = read_source(
        _HEAD + b"Transfer-Encoding: chunked\r\n\r\n3;x=y\r\na=b\r\n2\r\n&c\r\n0\r\nTrailer: x\r\n\r\n"
    )
    assert source.request.body == b"a=b&c"


def test_an_absolute_target_and_a_fragment() -> None:
    """A target may be a URL, and show a fragment."""
    source = read_source(b"GET https://Example.net:8443/a?b=c#d HTTP/1.1\r\nHost: other\r\n\r\n")
    request = source.request
    assert (request.scheme, request.host, request.path, request.query, request.fragment) == (
        "https", "Example.net:8443", b"/a", b"b=c", "d",
    )  # fmt: skip


def test_a_path_that_a_proxy_has_decoded() -> None:
    """A space in the target is kept."""
    assert read_source(b"GET /a b?c=d HTTP/1.1\nHost: x\n\n").request.path == b"/a b"


CURL = {
    "bash": """curl 'https://example.net/a?b=c' -H 'X: it'\\''s' --data-raw $'a=\\u00fc\\n\\'' --compressed""",
    "cmd": 'curl "https://example.net/a?b=c" ^\n  -H "X: it\'s" ^\n  --data-raw ^"a=ü^\n\n\'^"',
    "options": """curl -sSk -XPOST -HX:\\ it\\'s --data-raw $'a=ü\\n\\'' -o /dev/null --url=https://example.net/a?b=c""",
}


@pytest.mark.parametrize("shell", CURL)
def test_curl_commands_of_each_shell(shell: str) -> None:
    """One request, as bash and cmd write it."""
    request = read_source(CURL[shell].encode()).request
    assert (request.method, request.host, request.path, request.query) == ("POST", "example.net", b"/a", b"b=c")
    assert request.body == "a=ü\n'".encode()
    assert request.header("X") == "it's"
    assert request.header("Content-Type") == "application/x-www-form-urlencoded"


def test_curl_in_cmd_with_quotes_inside() -> None:
    """Chrome writes JSON for cmd with ^\\^" inside of ^"."""
    command = 'curl ^"https://example.net/a^" ^\n  --data-raw ^"^{^\\^"a^\\^":^\\^"b^%^c^\\^"^}^"'
    assert json.loads(read_source(command.encode()).request.body) == {"a": "b%c"}


def test_curl_that_builds_the_body() -> None:
    """Fields are joined, or moved into the query with -G, and encoded if asked for."""
    request = read_source(b"curl -G http://x/ -d a=b --data-urlencode 'c=d e'").request
    assert (request.method, request.query, request.body) == ("GET", b"a=b&c=d%20e", b"")
    request = read_source(b"curl http://x/ -d a=b -d c=d#f").request
    assert (request.method, request.body) == ("POST", b"a=b&c=d#f")
    request = read_source(b"curl http://x/#top --json '{\"a\":1}'").request
    assert (request.header("Content-Type"), request.fragment) == ("application/json", "top")
    assert b'name="a"' in read_source(b"curl http://x/ -F a=b").request.body


def test_har_entries() -> None:
    """The first entry with OAuth parameters is taken, or the one that is asked for."""
    plain = SHAPES["header"].sent()
    unsigned = read_source(b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n").request
    text = as_har(unsigned, plain).encode()
    assert read_source(text).request.host == plain.host
    assert read_source(text, entry=0).request.host == "x"
    assert read_source(text).at == 1_191_242_096.0


def test_har_with_a_binary_body() -> None:
    """A body in Base64 is decoded; fields without a text are joined."""
    document = json.loads(as_har(SHAPES["form"].sent()))
    post = document["log"]["entries"][0]["request"]["postData"]
    body = post["text"].encode()
    post.update(text=base64.b64encode(body).decode(), encoding="base64")
    assert read_source(json.dumps(document).encode()).request.body == body
    post.clear()
    post.update(mimeType="application/x-www-form-urlencoded", params=[{"name": "a", "value": "b%20c"}])
    assert read_source(json.dumps(document).encode(), entry=0).request.body == b"a=b%20c"


BAD = {
    "empty": (b"\r\n ", "empty"),
    "prose": (b"hello world", "request line"),
    "binary": (bytes(range(256)), "request line"),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", "Host"),
    "no field": (_HEAD + b"no field\r\n\r\n", "Line 3"),
    "length": (_HEAD + b"Content-Length: -1\r\n\r\n", "Content-Length"),
    "chunk": (_HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", "chunk"),
    "long head": (_HEAD + b"X: " + b" " * 2**20, "head"),
    "curl without URL": (b"curl -X POST", "URL"),
    "curl with a quote": (b"curl 'http://x", "words"),
    "curl with a file": (b"curl http://x -d @secret", "file"),
    "curl that ends": (b"curl http://x -H", "-H"),
    "curl of another scheme": (b"curl ftp://x/", "http"),
    "long curl": (b"curl http://x -d '" + b"x" * 2**21 + b"'", "MiB"),
    "JSON": (b'{"a": 1}', "log.entries"),
    "no JSON": (b'{"a": ', "JSON"),
    "HAR without entries": (b'{"log": {"entries": []}}', "log.entries"),
    "HAR of something else": (b'{"log": {"entries": [1, null, {"request": []}]}}', "sensitive"),
    "deep JSON": (b'{"log":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested"),
    "no UTF-8": (b'{"log": "\xff"}', "JSON"),
    "large": (b"x" * (32 * 2**20 + 1), "larger"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_read(name: str) -> None:
    """One line says which part cannot be read, and why."""
    octets, reason = BAD[name]
    with pytest.raises(ReadError) as caught:
        read_source(octets)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_a_har_without_the_header_says_how_to_export_it() -> None:
    """Browsers leave Authorization out of a HAR."""
    with pytest.raises(ReadError, match="sensitive data"):
        read_source(as_har(read_source(b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n").request).encode())


@pytest.mark.parametrize("entry", [-1, 1, 10**30])
def test_an_entry_that_there_is_not(entry: int) -> None:
    """The error says how many there are; other formats have no entries."""
    with pytest.raises(ReadError, match="1 entr"):
        read_source(as_har(SHAPES["header"].sent()).encode(), entry=entry)
    with pytest.raises(ReadError, match="HAR"):
        read_source(as_http(SHAPES["header"].sent()), entry=0)


@pytest.mark.parametrize(
    "url", ["example.net", "ftp://x", "https://a:b@x", "https://x/?a", "https://x:y", "https://[", ""]
)
def test_a_base_url_that_cannot_be(url: str) -> None:
    """A base URL has a scheme and a host, and neither user nor query."""
    with pytest.raises(ReadError, match="--base-url"):
        read_source(as_http(SHAPES["header"].sent()), base_url=url)


def test_32_mib_of_tiny_pieces_take_no_quadratic_time() -> None:
    """Chunks of one octet, folded header lines, and brackets are read in one pass."""
    chunks = _HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 500_000 + b"0\r\n\r\n"
    assert len(read_source(chunks).request.body) == 500_000
    folds = _HEAD + b"X: y\r\n" + b" z\r\n" * 200_000 + b"\r\n"
    assert len(read_source(folds).request.header("X") or "") == 1 + 2 * 200_000
    with pytest.raises(ReadError):
        read_source(b'{"log":' + b"[]," * 1_000_000)


def test_urls_of_the_corpus_are_absolute() -> None:
    """The helper writes what a browser would."""
    assert url_of(SHAPES["ipv6 and port"].sent()).startswith("https://[2001:db8::1]:8443/api/photos/vacation?")
