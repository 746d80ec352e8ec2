"""Bodies with ``oauth_body_hash``: hashed while they stream, and delivered once the hash holds, or all but the end."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import pytest

from async_oauth1 import Policy, ResourceProtector
from async_oauth1.asgi import OAuth1Middleware
from async_oauth1.stores import MemoryStore
from tests.asgi.serving import SERVERS, serving
from tests.asgi.test_cors import make_store
from tests.attacks.provider import JANE, Recording
from tests.attacks.signer import Message, body_hash, sign
from tests.attacks.sockets import request_octets, talk
from tests.attacks.wire import PATIENCE, scope_of

BODY = bytes(range(256)) * 16
PIECES = [BODY[start : start + 1024] for start in range(0, len(BODY), 1024)]


class Upload:
    """An application behind the middleware, and what the two sides of it see."""

    def __init__(self, store: Recording, **how: Any) -> None:
        """Wrap the application."""
        self.store = store
        protector = ResourceProtector(policy=how.pop("policy", None))
        protector.register_hooks(cast("MemoryStore", store))  # it delegates
        self.app: Any = OAuth1Middleware(self.view, protector, ["/"], **how)
        self.called = 0
        self.answers_first = False
        self.seen: list[bytes] = []
        self.ended_with = ""
        self.sent: list[Any] = []
        self.received = 0

    async def view(self, scope: Any, receive: Any, send: Any) -> None:
        """Receive everything, then answer."""
        self.called += 1
        if self.answers_first:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:
            message = await receive()
            self.ended_with = message["type"]
            if message["type"] == "http.disconnect":
                break
            self.seen.append(message["body"])
            if not message["more_body"]:
                break
        if not self.answers_first:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})

    async def put(self, message: Message, pieces: list[Any]) -> None:
        """Send a request; an exception among the pieces is a client that hangs up."""
        events = iter(pieces)

        async def receive() -> Any:
            self.received += 1
            piece = next(events, None)
            if piece is None:
                await asyncio.Event().wait()
            if piece is ConnectionError:
                return {"type": "http.disconnect"}
            return {"type": "http.request", "body": piece, "more_body": piece is not pieces[-1]}

        async def send(event: Any) -> None:
            self.sent.append(event)

        async with asyncio.timeout(PATIENCE):
            await self.app(scope_of(message), receive, send)

    @property
    def status(self) -> int:
        """Of the response."""
        status: int = self.sent[0]["status"]
        return status


def signed(body: bytes = BODY, *, claimed: bytes | None = None, algorithm: str = "sha1", **how: Any) -> Message:
    """A PUT with a hash, by default of this body."""
    digest = body_hash(body if claimed is None else claimed, algorithm)
    return sign(JANE, "PUT", "/", body=body, content_type=b"text/plain", oauth={"body_hash": digest}, **how)


@pytest.fixture
async def store() -> Recording:
    """A store that counts its calls."""
    return Recording(await make_store())


MODES = pytest.mark.parametrize(
    "how", [{}, {"memory_limit": 100}, {"early": True}], ids=["in memory", "in a file", "early"]
)


@MODES
@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha512"])
async def test_the_application_gets_the_body(store: Recording, how: dict[str, Any], algorithm: str) -> None:
    """Octet by octet, with any of the hashes, and the nonce is used once."""
    upload = Upload(store, **how)
    await upload.put(signed(algorithm=algorithm), PIECES)
    assert (upload.status, b"".join(upload.seen)) == (200, BODY)
    assert store.calls["exists_nonce"] == 1
    assert upload.ended_with == "http.request"


@pytest.mark.parametrize("how", [{"memory_limit": 1}, {"early": True}])
async def test_a_form_is_delivered_from_memory(store: Recording, how: dict[str, Any]) -> None:
    """The limit of memory is one of hashed bodies."""
    upload = Upload(store, **how)
    await upload.put(sign(JANE, "POST", "/", body=b"a=1&b=2"), [b"a=1&", b"b=2"])
    assert (upload.status, upload.seen) == (200, [b"a=1&b=2"])


@pytest.mark.parametrize("limit", [10**6, 100])
async def test_a_wrong_hash_never_reaches_the_application(store: Recording, limit: int) -> None:
    """By default it is not called, and a forged body burns no nonce: the genuine one is accepted afterwards."""
    upload = Upload(store, memory_limit=limit)
    genuine = signed()
    await upload.put(genuine, [*PIECES[:-1], b"forged"])
    assert (upload.status, upload.called, store.calls["exists_nonce"]) == (401, 0, 0)
    again = Upload(store, memory_limit=limit)
    await again.put(genuine, PIECES)
    assert again.status == 200


@pytest.mark.parametrize("pieces", [[*PIECES[:-1], b"forged"], [*PIECES[:-1], b"forged", b""], [b"x" * len(BODY)]])
async def test_early_the_last_piece_of_a_forged_body_is_withheld(store: Recording, pieces: list[bytes]) -> None:
    """The application receives a disconnect, its answer does not go out, and the client gets 401; the nonce is used."""
    upload = Upload(store, early=True)
    await upload.put(signed(), pieces)
    assert upload.called == 1
    assert upload.ended_with == "http.disconnect"
    assert b"forged" not in b"".join(upload.seen)
    assert upload.status == 401
    assert [event["type"] for event in upload.sent] == ["http.response.start", "http.response.body"]
    assert upload.sent[1]["body"] != b"done"
    assert store.calls["exists_nonce"] == 1


async def test_early_a_response_that_had_begun_does_not_end(store: Recording) -> None:
    """The server breaks the connection of a response without an end."""
    upload = Upload(store, early=True)
    upload.answers_first = True
    await upload.put(signed(), [*PIECES[:-1], b"forged"])
    assert [event["type"] for event in upload.sent] == ["http.response.start"]


async def test_early_an_application_that_fails_after_the_disconnect(store: Recording) -> None:
    """Its exception is a consequence of the refusal, and the client still gets 401; other exceptions are its own."""
    upload = Upload(store, early=True)

    async def failing(scope: Any, receive: Any, send: Any) -> None:
        while (message := await receive())["type"] != "http.disconnect" and message["more_body"]:
            pass
        raise RuntimeError(message["type"])

    upload.app.app = failing
    await upload.put(signed(), [b"forged"])
    assert upload.status == 401
    with pytest.raises(RuntimeError, match=r"http\.request"):
        await upload.put(signed(), PIECES)


async def test_early_a_wrong_signature_does_not_reach_the_application(store: Recording) -> None:
    """Signature and nonce are verified before anything of the body is received."""
    upload = Upload(store, early=True)
    await upload.put(signed(signature=b"x"), PIECES)
    assert (upload.status, upload.called, store.calls["exists_nonce"]) == (401, 0, 0)
    genuine = signed()
    for status in (200, 401):
        upload = Upload(store, early=True)
        await upload.put(genuine, PIECES)
        assert upload.status == status


@MODES
async def test_a_hash_of_nothing(store: Recording, how: dict[str, Any]) -> None:
    """A request without a body is refused if its hash is that of a body, before the application is called."""
    for claimed, status in ((b"", 200), (b"x", 401)):
        upload = Upload(store, **how)
        await upload.put(signed(b"", claimed=claimed), [b""])
        assert (upload.status, upload.called) == (status, int(status == 200))


@MODES
async def test_a_malformed_hash_is_refused_before_the_body(store: Recording, how: dict[str, Any]) -> None:
    """Nothing of the body is needed to see that it cannot hold."""
    upload = Upload(store, **how)
    message = sign(JANE, "PUT", "/", body=BODY, content_type=b"text/plain", oauth={"body_hash": "x"})
    await upload.put(message, PIECES)
    assert (upload.status, upload.called, store.calls["exists_nonce"]) == (400, 0, 0)


@MODES
async def test_a_body_over_the_limit(store: Recording, how: dict[str, Any]) -> None:
    """The answer is 413 as soon as the limit is passed."""
    upload = Upload(store, max_body_bytes=len(BODY) - 1, **how)
    await upload.put(signed(), [*PIECES, b"more"])
    assert upload.status == 413
    upload = Upload(store, max_body_bytes=len(BODY), **how)
    await upload.put(signed(), PIECES)
    assert upload.status == 200


@MODES
async def test_a_body_that_pauses(store: Recording, how: dict[str, Any]) -> None:
    """The answer is 408 after a pause."""
    upload = Upload(store, body_timeout=0.01, **how)
    await upload.put(signed(), [PIECES[0], None, PIECES[1]])
    assert upload.status == 408


@MODES
async def test_a_client_that_hangs_up(store: Recording, how: dict[str, Any]) -> None:
    """It gets no answer; an application that was called early is told."""
    upload = Upload(store, **how)
    await upload.put(signed(), [PIECES[0], ConnectionError])
    if "early" in how:
        assert upload.ended_with == "http.disconnect"
        assert b"".join(upload.seen) == b""
    else:
        assert (upload.sent, upload.called, store.calls["exists_nonce"]) == ([], 0, 0)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory for temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def open_files(folder: Path) -> list[str]:
    """The files of a directory that this process has open; removed ones too."""
    found = []
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # the listing has a descriptor of its own
            found.append(str(descriptor.readlink()))
    return [path for path in found if path.startswith(f"{folder}/")]


@pytest.mark.parametrize("pieces", [PIECES, [*PIECES[:-1], b"forged"], [PIECES[0], ConnectionError], [b"x" * 10**4]])
async def test_no_temporary_file_is_left(store: Recording, pieces: list[Any], folder: Path) -> None:
    """Whatever happens to the request, nothing remains in the directory, and no file is open."""
    upload = Upload(store, memory_limit=100, max_body_bytes=5_000)
    await upload.put(signed(), pieces)
    assert list(folder.iterdir()) == []
    assert open_files(folder) == []


async def test_a_view_that_fails_leaves_no_file(store: Recording, folder: Path) -> None:
    """Neither does an application that stops reading."""
    upload = Upload(store, memory_limit=100)

    async def failing(scope: Any, receive: Any, send: Any) -> None:
        assert len(open_files(folder)) == 1
        await receive()
        raise RuntimeError("stopped")

    upload.app.app = failing
    with pytest.raises(RuntimeError, match="stopped"):
        await upload.put(signed(), PIECES)
    assert open_files(folder) == []


async def test_a_body_that_must_be_signed(store: Recording) -> None:
    """Under `require_signed_body` a body without a hash is refused at its first octets, a hashed one is accepted."""
    policy = Policy(require_signed_body=True)
    upload = Upload(store, policy=policy)
    plain = sign(JANE, "PUT", "/", body=BODY, content_type=b"text/plain").without(b"content-length")
    await upload.app(scope_of(plain, http_version="2"), *streams(upload, [b"", BODY[:10], BODY[10:]]))
    assert (upload.status, upload.called, upload.received) == (400, 0, 2)
    for how in ({}, {"early": True}):
        upload = Upload(store, policy=policy, **how)
        await upload.put(signed(), PIECES)
        assert upload.status == 200
    upload = Upload(store, policy=policy)
    empty = sign(JANE, "PUT", "/")
    await upload.app(scope_of(empty, http_version="2"), *streams(upload, [b""]))
    assert (upload.status, upload.seen) == (200, [b""])


def streams(upload: Upload, pieces: list[bytes]) -> tuple[Any, Any]:
    """The two callables of ASGI, over pieces of a body."""
    events = iter(pieces)

    async def receive() -> Any:
        upload.received += 1
        piece = next(events, None)
        if piece is None:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": piece, "more_body": piece is not pieces[-1]}

    async def send(event: Any) -> None:
        upload.sent.append(event)

    return receive, send


@pytest.mark.parametrize(("outer", "inner"), [(True, False), (False, True), (True, True), (False, False)])
async def test_two_middlewares_over_a_body(store: Recording, outer: bool, inner: bool) -> None:
    """With the same protector there is one verification; the inner one that waits for the hash does so."""
    upload = Upload(store, early=inner)
    protector = upload.app.protector
    upload.app = OAuth1Middleware(upload.app, protector, ["/"], early=outer)
    await upload.put(signed(), PIECES)
    assert (upload.status, b"".join(upload.seen), store.calls["exists_nonce"]) == (200, BODY, 1)
    upload.sent.clear()
    upload.called = 0
    await upload.put(signed(), [*PIECES[:-1], b"forged"])
    assert upload.status == 401
    assert upload.called == int(outer and inner)


@pytest.mark.parametrize("server", SERVERS)
async def test_early_under_a_real_server(store: Recording, server: str) -> None:
    """A refusal is a whole 401; a response that had begun is cut off, which a chunked one shows."""
    upload = Upload(store, early=True)
    async with serving(upload.app, server) as port:
        for answers_first in (False, True):
            upload.answers_first = answers_first
            for body, status in ((BODY, 200), (b"f" * len(BODY), 200 if answers_first else 401)):
                message = signed(body, claimed=BODY, origin=f"http://127.0.0.1:{port}")
                octets = request_octets(message)
                answer = await talk(port, [octets[:-1], octets[-1:]])
                assert answer.octets.startswith(b"HTTP/1.1 %d" % status), answer
                is_whole = answer.octets.endswith((b"0\r\n\r\n", b"}"))
                assert is_whole == (body == BODY or not answers_first), answer
