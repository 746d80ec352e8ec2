"""FastAPI's own test client works with an application on which `OAuth1` is installed."""

# FastAPI cannot evaluate annotations that are strings and name local variables.

from typing import Annotated, Any

import pytest
from fastapi import Security, WebSocket
from fastapi.testclient import TestClient
from starlette.testclient import WebSocketDenialResponse

from async_oauth1 import TokenCredential
from async_oauth1.fastapi import current_credential
from tests.attacks.provider import JANE
from tests.attacks.signer import sign
from tests.fastapi.installed import install

pytestmark = pytest.mark.filterwarnings("ignore:Using `httpx` with `starlette.testclient`")


def headers(target: str, scheme: str = "https") -> dict[str, str]:
    """The header fields of a signed GET."""
    message = sign(JANE, "GET", target, signed_origin=f"{scheme}://provider.example")
    return {name.decode(): value.decode() for name, value in message.headers}


async def test_requests_and_websockets() -> None:
    """Signed ones are accepted and unsigned ones refused; ``/docs`` is open."""
    app, oauth1, _ = await install()

    @app.get("/")
    def root(credential: Annotated[TokenCredential, Security(oauth1)]) -> Any:
        return [credential.user_id, current_credential.user_id]

    @app.websocket("/socket")
    async def socket(websocket: WebSocket, credential: Annotated[TokenCredential, Security(oauth1)]) -> None:
        await websocket.accept()
        await websocket.send_text(str(credential.user_id))

    with TestClient(app, base_url="https://provider.example") as client:
        assert client.get("/", headers=headers("/")).json() == ["jane", "jane"]
        assert client.get("/").status_code == 401
        assert client.get("/docs").status_code == 200
        url = "wss://provider.example/socket"
        with client.websocket_connect(url, headers=headers("/socket", "wss")) as connection:
            assert connection.receive_text() == "jane"
        with pytest.raises(WebSocketDenialResponse) as refusal, client.websocket_connect(url):
            raise AssertionError
        assert refusal.value.status_code == 401
