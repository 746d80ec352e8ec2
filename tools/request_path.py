"""The calls that a protected request takes: `python -m tools.request_path [-v] [redis://HOST:PORT]`.

Counts the calls of Python functions of `async_oauth1` and `flask_compat` in one request, the files they are in, and how
often a call is in another file than the one before. A few requests are made before it. With the URL of a Redis server,
a request whose nonce is kept there is counted, too.
"""

from __future__ import annotations

import asyncio
import functools
import itertools
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import FrameType
from typing import Any

from async_oauth1.credentials import Client
from async_oauth1.provider.hooks.problems import FIRST_CALLS
from async_oauth1.signature import SIGNATURE_METHODS, SigningKeys, signature_base_string
from async_oauth1.stores import MemoryStore, open_store

from .imports import PACKAGES, ROOT

__all__ = ["GOALS", "Path", "core_on_quart", "core_with_redis", "facade_on_flask"]

CLIENT_ID, SECRET, TOKEN, TOKEN_SECRET = "client", "client-secret", "token", "token-secret"

TARGET = "/photos?size=original"

#: Requests that are made first: they fill caches, and the first calls of a hook are timed.
WARM_UP = FIRST_CALLS + 2

#: The number of calls that each path may take, and the number of files that they may be in: with the native reader, and
#: without it.
GOALS = {
    True: {"core_on_quart": (34, 12), "core_with_redis": (65, 22), "facade_on_flask": (186, 26)},
    False: {"core_on_quart": (53, 19), "core_with_redis": (84, 29), "facade_on_flask": (197, 29)},
}

_nonces = itertools.count()


class Path:
    """The calls of one request, in their order."""

    def __init__(self) -> None:
        """Start empty."""
        self.calls: list[tuple[str, str]] = []

    @property
    def files(self) -> int:
        """The number of files."""
        return len({file for file, _ in self.calls})

    @property
    def moves(self) -> int:
        """The number of calls in another file than the call before."""
        return sum(one[0] != other[0] for one, other in itertools.pairwise(self.calls))

    def recordings(self) -> Iterator[AbstractContextManager[None]]:
        """A context for each request that is to be made: only the last one is recorded."""
        for _ in range(WARM_UP):
            yield nullcontext()
        yield self.recorded()

    @contextmanager
    def recorded(self) -> Iterator[None]:
        """Record the calls in this thread."""
        roots = tuple(f"{ROOT / package}/" for package in PACKAGES)

        begun: set[FrameType] = set()

        def note(frame: FrameType, event: str, _: object) -> None:
            if event == "call" and frame.f_code.co_filename.startswith(roots) and frame not in begun:
                begun.add(frame)  # the profiler also reports a coroutine that goes on after an await
                file = frame.f_code.co_filename.removeprefix(f"{ROOT}/")
                self.calls.append((file, frame.f_code.co_qualname))

        sys.setprofile(note)
        try:
            yield
        finally:
            sys.setprofile(None)


def core_on_quart() -> Path:
    """A protected request on Quart, with the memory store."""
    return asyncio.run(_core_on_quart(None))


def core_with_redis(url: str) -> Path:
    """A protected request on Quart, with the memory store for everything but the nonce, which is in Redis."""
    return asyncio.run(_core_on_quart(url))


async def _core_on_quart(redis_url: str | None) -> Path:
    from quart import Quart

    from async_oauth1.quart import ResourceProtector, current_credential

    app = Quart("counted")
    store = MemoryStore()
    await store.add_client(Client(client_id=CLIENT_ID, client_secret=SECRET, callbacks=("oob",)))
    credential = await store.issue_token_credential(CLIENT_ID, "owner", scope="", lifetime=None)
    require_oauth = ResourceProtector(app)
    nonces = store if redis_url is None else open_store(redis_url)
    await nonces.open()
    require_oauth.register_hook("exists_nonce", nonces.exists_nonce)
    require_oauth.register_hooks(store)

    @app.get("/photos")
    @require_oauth()
    async def photos() -> dict[str, str]:
        return {"owner": current_credential.user_id}

    client = app.test_client()

    path = Path()
    for recording in path.recordings():
        authorization = _authorization(credential.oauth_token, credential.oauth_token_secret)
        with recording:
            answer = await client.get(TARGET, headers={"Authorization": authorization})
        assert answer.status_code == 200, await answer.get_data()
    await nonces.close()
    return path


def facade_on_flask() -> Path:
    """A protected request on Flask through `flask_compat`, with plain hooks."""
    from authlib.oauth1 import ClientMixin, TokenCredentialMixin
    from flask import Flask

    from flask_compat import ResourceProtector, current_credential

    class Model(ClientMixin, TokenCredentialMixin):
        user_id = "owner"

        def get_client_secret(self) -> str:
            return SECRET

        def get_rsa_public_key(self) -> None:
            return None

        def get_oauth_token(self) -> str:
            return TOKEN

        def get_oauth_token_secret(self) -> str:
            return TOKEN_SECRET

    model, seen = Model(), set[tuple[str | None, ...]]()

    def exists_nonce(*names: str | None) -> bool:
        known = names in seen
        seen.add(names)
        return known

    app = Flask("counted")
    require_oauth = ResourceProtector(
        app, query_client=lambda _: model, query_token=lambda *_: model, exists_nonce=exists_nonce
    )

    @app.get("/photos")
    @require_oauth()
    def photos() -> dict[str, str]:
        return {"owner": current_credential.user_id}

    client = app.test_client()

    path = Path()
    for recording in path.recordings():
        authorization = _authorization(TOKEN, TOKEN_SECRET)
        with recording:
            answer = client.get(TARGET, headers={"Authorization": authorization})
        assert answer.status_code == 200, answer.get_data()
    return path


def _authorization(token: str, token_secret: str) -> str:
    parameters = {
        "oauth_consumer_key": CLIENT_ID,
        "oauth_token": token,
        "oauth_signature_method": "HMAC-SHA1",
        "oauth_timestamp": str(int(time.time())),
        "oauth_nonce": f"nonce{next(_nonces)}",
    }
    pairs = [*parameters.items(), ("size", "original")]
    base_string = signature_base_string("GET", "http://localhost/photos", pairs)
    signature = SIGNATURE_METHODS["HMAC-SHA1"].sign(base_string, SigningKeys(SECRET, token_secret))
    parameters["oauth_signature"] = signature.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
    return "OAuth " + ", ".join(f'{name}="{value}"' for name, value in parameters.items())


def main() -> None:
    """Print the figures of each path, with `-v` also its calls."""
    paths: dict[str, Callable[[], Path]] = {"core_on_quart": core_on_quart}
    for url in sys.argv[1:]:
        if "://" in url:
            paths["core_with_redis"] = functools.partial(core_with_redis, url)
    paths["facade_on_flask"] = facade_on_flask  # last: once it is imported, Quart calls it for every request
    for name, measure in paths.items():
        path: Any = measure()
        print(f"{name}: {len(path.calls)} calls in {path.files} files, {path.moves} moves")
        if "-v" in sys.argv:
            for file, function in path.calls:
                print(f"    {file}: {function}")


if __name__ == "__main__":
    main()
