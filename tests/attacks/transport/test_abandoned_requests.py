"""If a client disconnects, its credentials are exchanged once or not at all."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from async_oauth1.stores import MemoryStore
from tests.attacks.provider import JANE, Provider, add_credentials, make_provider
from tests.attacks.signer import Message, sign
from tests.attacks.wire import PATIENCE, scope_of

HOST = (b"host", b"provider.example")


class Hanging:
    """A client that disconnects on request."""

    def __init__(self, message: Message) -> None:
        self.events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.events.put_nowait({"type": "http.request", "body": message.body, "more_body": False})
        self.sent: list[Any] = []

    async def send(self, event: Any) -> None:
        """Keep the response."""
        self.sent.append(event)

    def hang_up(self) -> None:
        """Disconnect, as a server reports a closed socket."""
        self.events.put_nowait({"type": "http.disconnect"})


@pytest.mark.parametrize(
    "hook",
    [
        "query_client",
        "get_temporary_credential",
        "exists_nonce",
        "delete_temporary_credential",
        "create_token_credential",
    ],
)
@pytest.mark.parametrize("side", ["before", "after"])
async def test_a_client_that_hangs_up_during_the_exchange(hook: str, side: str) -> None:
    """Either the temporary credential or one token credential is left, never both and never two tokens."""
    inner = MemoryStore()
    await add_credentials(inner)
    reached, resume = asyncio.Event(), asyncio.Event()

    class Stopping:
        """A store without the single transaction that pauses once, at one hook."""

        exchange = None
        armed = False

        def __getattr__(self, name: str) -> Any:
            attribute = getattr(inner, name)
            if name != hook:
                return attribute

            async def stopping(*args: Any) -> Any:
                if not self.armed:
                    return await attribute(*args)
                self.armed = False
                result = await attribute(*args) if side == "after" else None
                reached.set()
                await resume.wait()
                return result if side == "after" else await attribute(*args)

            return stopping

    stopping = Stopping()
    provider = await make_provider(stopping)
    provider.store.store = inner
    await provider.app.startup()
    keys = await provider.temporary()
    verifier = await provider.verifier(keys)
    stopping.armed = True
    message = sign(keys, "POST", "/token", oauth={"verifier": verifier})
    client = Hanging(message)
    async with asyncio.timeout(PATIENCE):
        serving = asyncio.ensure_future(provider.app(scope_of(message), client.events.get, client.send))  # type: ignore[arg-type]
        await reached.wait()
        client.hang_up()
        await asyncio.wait([serving])
        resume.set()
        await provider.app.shutdown()  # waits for running requests
    assert client.sent == []
    issued = await provider.tokens()
    pending = await provider.pending(keys.token)
    assert len(issued) + (pending is not None) == 1
    again = await provider.exchange(keys, verifier)
    assert again.status == (401 if issued else 200)
    assert len(await provider.tokens()) == 1


async def test_a_client_that_hangs_up_while_its_form_arrives(provider: Provider) -> None:
    """An incomplete form is not verified or answered, and nothing is stored."""
    message = sign(JANE, "POST", "/form", body=b"a=1&b=2")
    for framed in (message, message.without(b"content-length")):
        client = Hanging(message)
        client.events = asyncio.Queue()
        client.events.put_nowait({"type": "http.request", "body": b"a=1", "more_body": True})
        client.hang_up()
        async with asyncio.timeout(PATIENCE):
            await provider.app(scope_of(framed), client.events.get, client.send)  # type: ignore[arg-type]
        assert client.sent == []
    assert not provider.store.calls
    assert (await provider.send(message)).status == 200
