"""Reading takes time in proportion to the length of the input, for any input."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from urllib.parse import unquote

import pytest

from async_oauth1 import OAuth1Error, Policy
from async_oauth1.asgi import request_from_scope
from async_oauth1.asgi.routing.covered_paths import CoveredPaths, Layout
from async_oauth1.protocol.authorization_header import parse_authorization
from async_oauth1.protocol.callbacks import check_callback_syntax
from async_oauth1.protocol.encoding import canonical, canonical_form
from async_oauth1.protocol.request import is_form, normalize_host

from .wire import Wire

# Coverage would distort the ratio of times.
pytestmark = pytest.mark.no_cover

COVERED = CoveredPaths(["/photos", "/static/private"])
PROXIES = Policy(trusted_proxies=("0.0.0.0/0",))
SMALL, FACTOR = 8 * 1024, 8
#: Maximum ratio for eight times the input. Linear time gives 8, quadratic time 64.
MOST = 32

PIECES = [
    b" ", b"\t", b",", b", ", b'"', b'\\"', b"\\", b"=", b"a", b"a=", b'a="', b'a="",', b'a="b" ', b"a=b,", b"%", b"%4",
    b"%41", b"%7e", b"&", b"a&", b"a=b&", b"+", b"~", b"/", b":", b"[", b"::", b".", b";", b"; ", b'realm="', b"\xff",
    b"/..", b"%25", b"%2%35", b"/;", b"/api", b"/mount", b"\xc3\xa9",
]  # fmt: skip


def _forwarded(value: bytes) -> None:
    request_from_scope(
        {
            "type": "http",
            "method": "GET",
            "path": "/",
            "query_string": b"",
            "headers": [(b"host", b"a"), (b"forwarded", value), (b"x-forwarded-host", value)],
            "client": ("10.0.0.1", 1),
        },
        PROXIES,
    )


def _cover(value: bytes) -> None:
    layout = Layout(frozenset(["/api"]), frozenset(["/mount"]))
    COVERED.cover({"path": "/" + unquote(value.decode("latin-1")), "raw_path": b"/" + value}, layout)


READERS: dict[str, Callable[[bytes], object]] = {
    "header": lambda value: parse_authorization(b"OAuth " + value, 1_000),
    "header after a realm": lambda value: parse_authorization(b'OAuth realm="x", ' + value + b'"', 1_000),
    "canonical": lambda value: canonical(value.decode("latin-1")),
    "form": lambda value: canonical_form(value, max_parameters=10**9),
    "content type": lambda value: is_form(b"application/x-www-form-urlencoded" + value),
    "white space and content type": lambda value: is_form(value + b"application/x-www-form-urlencodedx"),
    "host": lambda value: normalize_host(value.decode("latin-1"), "https"),
    "callback": lambda value: check_callback_syntax("https://a.example/?" + value.decode("latin-1")),
    "host of a callback": lambda value: check_callback_syntax("https://" + value.decode("latin-1")),
    "forwarded": _forwarded,
    "covered path": _cover,
    "absolute-form": lambda value: Wire(raw_path=b"/" + value).read(),
}


def _seconds(read: Callable[[bytes], object], value: bytes) -> float:
    best = 1e9
    for _ in range(3):
        start = time.thread_time()
        with contextlib.suppress(OAuth1Error):
            read(value)
        best = min(best, time.thread_time() - start)
    return best


@pytest.mark.parametrize("reader", READERS)
def test_reading_takes_linear_time(reader: str) -> None:
    """Eight times the input takes about eight times as long, with a margin for shared machines."""
    read = READERS[reader]
    for piece in PIECES:
        small = piece * (SMALL // len(piece))
        # CPU time is independent of other processes. Below 0.1 ms it is only the clock's resolution.
        limit = MOST * max(_seconds(read, small), 1e-4)
        large = small * FACTOR
        assert any(_seconds(read, large) < limit for _ in range(3)), piece
