"""What is made for a request is freed when the response has been sent, and does not wait for the garbage collector."""

from __future__ import annotations

import functools
import gc
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from types import FrameType
from typing import Any

import pytest

from async_oauth1 import OAuth1Request
from tests.attacks.provider import JANE
from tests.attacks.signer import Message, body_hash, sign
from tests.frameworks.registry import FRAMEWORKS

ORIGIN = "http://127.0.0.1:8000"


def applications() -> dict[str, Any]:
    """The applications, by the name of their module."""
    return {name: import_module(f"tests.frameworks.applications.{name}").app for name in FRAMEWORKS.values()}


def found_among(garbage: list[Any], *kinds: type) -> list[str]:
    """The types of garbage of some kinds; `isinstance` would ask proxies, whose objects are gone."""
    return [type(found).__name__ for found in garbage if issubclass(type(found), kinds)]


@contextmanager
def keeping_garbage() -> Iterator[list[Any]]:
    """The unreachable objects that the garbage collector has to find are kept."""
    gc.collect()  # of earlier tests
    gc.collect()  # and what the finalizers of the first have left
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        yield gc.garbage
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


async def serve(app: Any, message: Message) -> int:
    """Call an application as a server does, and return the status."""
    path, _, query = message.target.partition(b"?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": message.method,
        "scheme": "http",
        "path": path.decode(),
        "raw_path": path,
        "query_string": query,
        "root_path": "",
        "headers": [*message.headers],
        "client": ("127.0.0.1", 1234),
        "server": ("127.0.0.1", 8000),
        "extensions": {},
        "state": {},
    }
    received = [{"type": "http.disconnect"}, {"type": "http.request", "body": message.body, "more_body": False}]
    statuses = []

    async def receive() -> Any:
        return received.pop()

    async def send(event: Any) -> None:
        statuses.append(event.get("status"))

    await app(scope, receive, send)
    return statuses[0]


@pytest.mark.parametrize("path", ["/photos", "/json"])
async def test_a_request_is_freed(path: str) -> None:
    """On no framework is a verified request in a cycle of references, nor is it referred to by one."""
    apps = applications()
    for name, app in apps.items():
        for _ in range(3):
            assert await serve(app, message_to(path, name)) == 200, name
    with keeping_garbage() as garbage:  # for all of them at once, because a collection takes long
        for name, app in apps.items():
            await serve(app, message_to(path, name))
        gc.collect()
        assert not found_among(garbage, OAuth1Request)


def resigned(message: Message, pattern: bytes, replacement: bytes) -> Message:
    """The message with another Authorization field."""
    headers = [(name, re.sub(pattern, replacement, value)) for name, value in message.headers]
    return replace(message, headers=tuple(headers))


def unsigned() -> Message:
    """A request without Authorization."""
    message = message_to("/photos")
    return replace(message, headers=tuple(field for field in message.headers if field[0] != b"authorization"))


#: Requests that are refused. The last one is sent again and again.
REFUSED: dict[str, Callable[[], Message]] = {
    "a wrong signature": lambda: resigned(message_to("/photos"), b'oauth_signature="', b'oauth_signature="A'),
    "an unknown token": lambda: resigned(message_to("/photos"), b'oauth_token="', b'oauth_token="A'),
    "no signature": unsigned,
    "a malformed header": lambda: resigned(message_to("/photos"), b"^OAuth .*", b'OAuth x="'),
    "a parameter in the header": lambda: resigned(message_to("/photos"), b"$", b', more="1"'),
    "another body": lambda: replace(message_to("/json"), body=b"[]"),
    "a replay": functools.cache(lambda: message_to("/photos")),
}


@pytest.mark.parametrize("kind", REFUSED)
async def test_a_refused_request_is_freed(kind: str) -> None:
    """A refusal leaves no cycle of error, traceback and frame, which would keep the request and its body."""
    apps = applications().values()
    for app in apps:
        for _ in range(3):
            await serve(app, REFUSED[kind]())
    with keeping_garbage() as garbage:
        for app in apps:
            assert 400 <= await serve(app, REFUSED[kind]()) < 500
        gc.collect()
        assert not found_among(garbage, OAuth1Request, BaseException, FrameType)


def message_to(path: str, name: str = "") -> Message:
    """A signed request, whose URL can name the application; with a body and its hash for ``/json``."""
    target = f"{path}?{name}" if name else path
    if path == "/photos":
        return sign(JANE, "GET", target, origin=ORIGIN)
    hashed = {"body_hash": body_hash(b"{}")}
    return sign(JANE, "PUT", target, origin=ORIGIN, body=b"{}", content_type=b"application/json", oauth=hashed)
