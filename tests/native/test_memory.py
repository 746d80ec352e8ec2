"""Reading leaves nothing behind in memory, whatever is read."""

from __future__ import annotations

import tracemalloc

import pytest

from async_oauth1 import native

from .comparing import GOOD, OAuth1Request, request
from .test_lane import SCOPES

pytestmark = pytest.mark.usefixtures("native_reader")

HOSTS = {"https": {b"127.0.0.1:8000": "127.0.0.1:8000"}, "http": {b"127.0.0.1:8000": "127.0.0.1:8000"}}
LIMITS = (1_000, 65_536, 65_536, 1_048_576)
#: Read natively; left to Python; not UTF-8; other types.
CALLS = (
    lambda: [OAuth1Request(**parts) for parts in GOOD],
    lambda: OAuth1Request(**request(b'OAuth a="b" x', b"oauth_a=1", b"a=" + b"\xff" * 9_000, headers=[])),
    lambda: native.read("GET", "https", "a.example", b"/", b'OAuth oauth_a="1", oauth_b="%ff"', b"", b"", 9),
    lambda: native.read("\xe4", "https", "\ud800", b"/", b"", b"", b"", 9),
    lambda: native.read("GET", "https", "a.example", b"/", b"", b"", b"", -1),
    lambda: [native.read_scope(scope, HOSTS, None, *LIMITS) for scope, _ in SCOPES],
    lambda: [native.read_scope({**SCOPES[0][0], key: None}, HOSTS, None, *LIMITS) for key in SCOPES[0][0]],
    lambda: native.read_scope({**SCOPES[0][0], "client": (1, 2, 3)}, HOSTS, b"x", *LIMITS),
)


def test_nothing_is_left_behind() -> None:
    """Memory does not grow with the number of calls, of which there are enough to notice one small object each."""
    for call in CALLS:
        for _ in range(100):
            call()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for call in CALLS:
            for _ in range(1_000):
                call()
        assert tracemalloc.get_traced_memory()[0] - before < 16_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("scope", [None, [], {}, {"headers": []}, {"headers": [None]}, {"headers": [(b"host",)]}])
def test_any_scope_is_left_to_python(scope: object) -> None:
    """Whatever is no usual scope gives no error here, and nothing is read from it."""
    assert native.read_scope(scope, HOSTS, None, *LIMITS) is None


def test_a_wrong_number_of_arguments_is_an_error() -> None:
    """As for every function."""
    with pytest.raises(TypeError):
        native.read()  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        native.read_scope({})  # type: ignore[call-arg]
