"""Blocking hooks on Quart: `flask_compat` compared with Authlib on quart-flask-patch, in one run.

    PYTHONPATH=. python benchmarks/blocking_hooks.py

Each provider gets its requests one after the other, then all at once; each request calls three hooks of 50 ms.
Meanwhile an unprotected route is requested again and again. Needs the extra `bench`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

from async_oauth1.signature import SIGNATURE_METHODS, SigningKeys, signature_base_string

HOOK_SECONDS = 0.05
PROVIDERS = {"patch": "quart-flask-patch with Authlib", "compat": "flask_compat"}


def make_app(name: str) -> Any:
    """Make the provider with one of the two libraries."""
    if name == "patch":
        import quart_flask_patch  # noqa: F401 - must come before Flask
        from authlib.integrations.flask_oauth1 import ResourceProtector, current_credential
    else:
        from flask_compat import ResourceProtector, current_credential  # type: ignore[assignment]
    from authlib.oauth1 import ClientMixin, TokenCredentialMixin
    from quart import Quart

    class Client(ClientMixin):
        def get_client_secret(self) -> str:
            return "secret"

    class Token(TokenCredentialMixin):
        def get_oauth_token_secret(self) -> str:
            return "s"

    def slowly(value: Any) -> Any:
        def hook(*_: Any) -> Any:
            time.sleep(HOOK_SECONDS)
            return value

        return hook

    app = Quart(__name__)
    protector: Any = ResourceProtector
    require_oauth = protector(app, slowly(Client()), slowly(Token()), slowly(None))

    async def photos() -> dict[str, str]:
        return {"secret": current_credential.get_oauth_token_secret()}

    if name == "patch":  # Authlib does not await an async view
        app.get("/photos", endpoint="photos")(require_oauth()(lambda: {"secret": "s"}))
    else:
        app.get("/photos", endpoint="photos")(require_oauth()(photos))

    @app.get("/ping")
    async def ping() -> str:
        return "pong"

    return app


def signed(number: int) -> dict[str, str]:
    """The headers of a signed request."""
    parameters = {
        "oauth_consumer_key": "client",
        "oauth_token": "t",
        "oauth_signature_method": "HMAC-SHA1",
        "oauth_timestamp": str(int(time.time())),
        "oauth_nonce": f"n{number}",
    }
    base = signature_base_string("GET", "http://localhost/photos", parameters.items())
    parameters["oauth_signature"] = SIGNATURE_METHODS["HMAC-SHA1"].sign(base, SigningKeys("secret", "s"))
    pairs = [f'{key}="{quote(value, safe="")}"' for key, value in parameters.items()]
    return {"Authorization": "OAuth " + ", ".join(pairs)}


async def measure(name: str, requests: int) -> dict[str, float]:
    """Measure the requests one after the other and all at once."""
    client = make_app(name).test_client()

    async def ask(number: int) -> None:
        answer = await client.get("/photos", headers=signed(number))
        if answer.status_code != 200:
            raise RuntimeError((await answer.get_data()).decode())

    await ask(0)
    begun = time.perf_counter()
    for number in range(1, requests + 1):
        await ask(number)
    in_turn = time.perf_counter() - begun

    longest, pings = 0.0, 0

    async def ping() -> None:
        nonlocal longest, pings
        while True:
            asked = time.perf_counter()
            await client.get("/ping")
            longest, pings = max(longest, time.perf_counter() - asked), pings + 1
            await asyncio.sleep(0.01)

    pinging = asyncio.create_task(ping())
    await asyncio.sleep(0.05)
    begun = time.perf_counter()
    await asyncio.gather(*(ask(1000 + number) for number in range(requests)))
    together = time.perf_counter() - begun
    await asyncio.sleep(0.02)
    pinging.cancel()
    return {"in_turn": in_turn, "together": together, "pings": pings, "longest_ping": longest}


def main() -> None:
    """Run each provider in its own process, because the patch changes Flask permanently."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--requests", type=int, default=40)
    parser.add_argument("--only", choices=PROVIDERS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only:
        print(json.dumps(asyncio.run(measure(arguments.only, arguments.requests))))
        return
    root = str(Path(__file__).resolve().parent.parent)
    print(f"{arguments.requests} requests, three hooks of {HOOK_SECONDS * 1000:.0f} ms each")
    for name, title in PROVIDERS.items():
        command = [sys.executable, __file__, "--only", name, "--requests", str(arguments.requests)]
        environment = {**os.environ, "PYTHONPATH": root}
        output = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
        found = json.loads(output)
        print(
            f"{title:32} one after the other {found['in_turn']:6.2f} s, at once {found['together']:6.2f} s "
            f"({found['together'] / found['in_turn']:.2f}); {found['pings']:4} pings, the longest "
            f"{found['longest_ping'] * 1000:5.0f} ms"
        )


if __name__ == "__main__":
    main()
