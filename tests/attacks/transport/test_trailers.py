"""Trailers of a chunked body: whatever the server does with them, the application sees what was verified."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest

from tests.attacks.asgi_servers import PATIENCE, read_all, read_head
from tests.attacks.provider import JANE, make_provider
from tests.attacks.seven_frameworks import FRAMEWORKS
from tests.attacks.signer import FORM, Message, sign
from tests.attacks.sockets import RawAnswer, request_octets
from tests.attacks.wire import call, scope_of

TRAILERS = {
    "content-type": "application/x-www-form-urlencoded",
    "host": "evil.example",
    "x-real-user": "mallory",
    "authorization": "Basic bWFsbG9yeTo=",
}


def upload(port: int, target: str, body: bytes, content_type: bytes | None = None) -> dict[str, Any]:
    """Send a signed chunked request whose trailers come when the application has begun to read the body."""
    origin = f"http://127.0.0.1:{port}"
    signed = sign(JANE, "POST", target, origin=origin, body=body, content_type=content_type)
    message = Message(method="POST", target=target.encode(), headers=signed.without(b"content-length").headers)
    head = request_octets(message, b"Transfer-Encoding: chunked", b"Expect: 100-continue")
    chunk = b"%x\r\n%s\r\n0\r\n" % (len(body), body)
    trailers = "".join(f"{name}: {value}\r\n" for name, value in TRAILERS.items()).encode()
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        connection.sendall(head)
        # The server sends this when the application asks for the body, so the signature has been checked.
        interim = read_head(connection)
        assert interim.startswith(b"HTTP/1.1 100"), interim
        connection.sendall(chunk + trailers + b"\r\n")
        answer = RawAnswer(read_all(connection))
    assert answer.status in (200, 201), answer
    seen: dict[str, Any] = json.loads(answer.octets[answer.octets.index(b"{") : answer.octets.rindex(b"}") + 1])
    return seen


@pytest.mark.parametrize("framework", [*FRAMEWORKS, "decorated"])
def test_trailers_are_no_headers(port: int, framework: str) -> None:
    """Content-Type, Host, a proxy's header, Authorization: of none of them there is another value than was verified."""
    seen = upload(port, f"/{framework}/echo", b"to=mallory")
    assert not [pair for pair in seen["headers"] if pair[1] in TRAILERS.values()], seen
    assert ["host", f"127.0.0.1:{port}"] in seen["headers"]


@pytest.mark.parametrize("framework", [*FRAMEWORKS, "decorated"])
def test_trailers_behind_a_form_are_no_headers(port: int, framework: str) -> None:
    """A form is read before the signature is checked, so the trailers arrive before that, too."""
    seen = upload(port, f"/{framework}/echo", b"to=jane", FORM)
    assert ["x-real-user", "mallory"] not in seen["headers"]
    assert ["host", "evil.example"] not in seen["headers"]


async def test_what_a_hook_and_a_view_see_stays_as_it_was_verified() -> None:
    """A server that appends to its list at the worst moment: while the client is looked up."""
    provider = await make_provider()
    message = sign(JANE, "POST", "/echo", body=b"a=1")
    scope = scope_of(message)
    requests: list[Any] = []
    original = provider.require_oauth.exists_nonce

    def exists_nonce(nonce: str, request: Any) -> Any:
        requests.append(request)
        scope["headers"].append((b"x-real-user", b"mallory"))
        return original(nonce, request)

    provider.require_oauth.exists_nonce = exists_nonce  # type: ignore[method-assign]
    answer = await call(provider.app, message, headers=scope["headers"])
    assert answer.status == 200
    assert (b"x-real-user", b"mallory") in scope["headers"]
    assert requests[0].raw_headers == message.headers
    assert "x-real-user" not in requests[0].headers
