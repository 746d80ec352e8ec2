"""Thousands of request targets sent to the frameworks' routers and static files: none reaches a secret unsigned."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from urllib.parse import unquote

import pytest

from async_oauth1.asgi import OAuth1Middleware
from async_oauth1.asgi.routing.covered_paths import CoveredPaths, Layout
from tests.attacks.generated_paths import generated_targets
from tests.attacks.provider import make_provider
from tests.attacks.routers import PREFIXES, SITES, UNSEEN_MOUNTS, Gate, make_files, reaches, reaches_by_uvicorn, started
from tests.stress import STRESS

COUNT = 10_000 if STRESS else 1_500
#: A root path, and a function that sends a request with it as a server would.
DEPLOYMENTS = [("", reaches), ("/api", reaches), ("/api", reaches_by_uvicorn)]


# With coverage these tests take twice as long, and the other tests cover the same lines.
pytestmark = [pytest.mark.stress, pytest.mark.no_cover]


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Silence the frameworks, which log an error for some of the paths."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("name", SITES)
async def test_no_unsigned_target_reaches_a_secret(name: str, tmp_path: Path) -> None:
    """Each target is sent to each framework through the middleware, over HTTP, and many as WebSockets."""
    protector = (await make_provider()).require_oauth
    async with started(SITES[name](make_files(tmp_path))) as app:
        gate = Gate(app)
        guarded = OAuth1Middleware(gate, protector, PREFIXES, mounts=UNSEEN_MOUNTS.get(name, ()))
        found = []
        for number, target in enumerate(generated_targets(COUNT)):
            root_path, ask = DEPLOYMENTS[number % len(DEPLOYMENTS)]
            if await ask(guarded, target, root_path=root_path):
                found.append((target, root_path, ask.__name__))
            if number % 3 == 0 and await ask(guarded, target, root_path=root_path, websocket=True):
                found.append((target, root_path, "websocket"))
        assert not found
        assert gate.passed > COUNT // 50, "too few targets reached the framework"


@pytest.mark.parametrize("name", SITES)
async def test_without_the_middleware_targets_reach_secrets(name: str, tmp_path: Path) -> None:
    """Without protection each framework serves a secret for at least one target in fifty."""
    tried = list(islice(generated_targets(COUNT), COUNT // 5))
    async with started(SITES[name](make_files(tmp_path))) as app:
        found = [target for target in tried if await reaches(Gate(app), target)]
    assert len(found) >= len(tried) // 50


def test_the_fast_path_gives_the_same_result_as_the_slow_one() -> None:
    """Plain paths are decided without normalization; an unused root path forces the slow path for comparison."""
    covered = CoveredPaths(PREFIXES)
    for target in generated_targets(COUNT):
        for root_path in ("", "/api"):
            scope = {"path": unquote(target.decode("latin-1")), "raw_path": target, "root_path": root_path}
            slowly = covered.cover(scope, Layout(root_paths=frozenset(["/never"])))
            assert covered.cover(scope, Layout()) == slowly, (target, root_path)
