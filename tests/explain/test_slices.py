"""The search lets other work go on after little work, which is counted and never timed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from async_oauth1.explain.changes import Context, key_of
from async_oauth1.explain.plan import plan_of
from async_oauth1.explain.readings import Readings
from async_oauth1.explain.search import Search

from .corpus import SHAPES
from .signer import Request, policy, secrets

#: Candidates of one step.
MOST = 16


def search_of(request: Request) -> Search:
    """A search that finds nothing."""
    wire, keys = request.sent(), replace(secrets(request), client_secrets=("another secret",), former=())
    readings = Readings(wire.protocol["oauth_signature"], in_header=True, rsa_public_key=None)
    return Search(Context(wire, keys, policy(request), plan_of(wire, key_of(wire, keys))), readings)


@pytest.mark.parametrize("fields", [0, 5, 20, 60])
def test_a_step_tries_few_candidates(fields: int) -> None:
    """However long the base string is, the search yields after a few candidates."""
    search = search_of(SHAPES["header"].but(query=[(f"name{index}", "x y/" * 10) for index in range(fields)]))
    tried, most = 0, 0
    for _ in search.steps():
        most, tried = max(most, search.tried - tried), search.tried
    assert tried > 100
    assert 1 <= most <= MOST
