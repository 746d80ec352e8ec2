"""A cause is never made up: genuine requests verify, and signatures of other secrets are not explained."""

from __future__ import annotations

import base64
import random
from dataclasses import replace

import pytest

from async_oauth1.explain import Secrets, explain
from async_oauth1.explain.search import MAX_OCTETS, MAX_SIGNATURES
from tests.stress import STRESS

from .corpus import SHAPES, corpus
from .signer import Request, octets, policy, secrets

_ALPHABET = "abcXYZ019-._~ +&=%/é漢'()*!@,:;[]<>\"\\^`{|}\r\n\t"


def _genuine(chance: random.Random) -> Request:
    """A request of random parameters, signed by the RFC."""
    request = chance.choice(list(SHAPES.values()))
    text = lambda: "".join(chance.choices(_ALPHABET, k=chance.randrange(1, 12)))  # noqa: E731
    query = [(octets(text()), octets(text())) for _ in range(chance.randrange(6))]
    path = "/" + "/".join(chance.choice(("a", "b%20c", "~x", "d%2Fe", "")) for _ in range(3))
    return request.but(
        query=query, path=path, client_secret=octets(text()), token_secret=octets(text()) if request.token else ""
    )


def _its_secrets(request: Request) -> Secrets:
    client, token = (text.encode("latin-1").decode() for text in (request.client_secret, request.token_secret))
    return Secrets((client,), token)


def test_genuine_requests_have_no_cause() -> None:
    """200 random requests that are signed by the RFC verify at the first signature."""
    chance = random.Random(5849)
    for _ in range(200):
        request = _genuine(chance)
        explanation = explain(request.sent(), _its_secrets(request), policy=policy(request))
        assert (explanation.verifies, explanation.causes, explanation.tried) == (True, (), 1)


@pytest.mark.stress
@pytest.mark.no_cover
def test_another_secret_is_never_explained() -> None:
    """A request that is signed with other secrets has no cause, whatever else is wrong with it."""
    for name, _, request in corpus()[:: 2 if STRESS else 60]:
        keys = replace(secrets(request), client_secrets=("another secret",), token_secret="another", former=())
        explanation = explain(request.sent(), replace(keys, temporary_secret=None), policy=policy(request))
        # The identifier of the client in the place of its secret is the same mistake with every secret.
        swapped = any(cause.code == "secrets_swapped" for cause in explanation.causes)
        assert explanation.signed is None or swapped, name  # a host that is not in allowed_hosts is a fact
        assert not explanation.verifies


@pytest.mark.stress
@pytest.mark.no_cover
def test_a_random_signature_is_never_explained() -> None:
    """Random octets of the right length have no cause, and the bound holds."""
    chance = random.Random(2007)
    for _ in range(1_000 if STRESS else 20):
        request = _genuine(chance).but(write_signature=lambda _: base64.b64encode(chance.randbytes(20)).decode())
        explanation = explain(request.but(algorithm="HMAC-SHA1").sent(), _its_secrets(request), policy=policy(request))
        assert (explanation.verifies, explanation.causes, explanation.signed) == (False, (), None)
        assert explanation.tried <= MAX_SIGNATURES


def test_the_largest_request_is_bounded() -> None:
    """A form of a megabyte costs at most 16 MiB of base strings, and the answer says that the search was ended."""
    form = [(f"name{index}", "x y/" * 200) for index in range(500)]
    request = Request(method="POST", form=form, place="form")
    explanation = explain(request.sent(), Secrets(("another",), "other"), policy=policy(request))
    assert explanation.causes == ()
    assert not explanation.complete
    assert 1 <= explanation.tried <= MAX_OCTETS // len(explanation.base_string)


def test_a_single_cause_of_a_large_request_is_found() -> None:
    """In a large request only causes that leave the parameters as they are can be found; these are."""
    form = [(f"name{index}", "x y/" * 100) for index in range(500)]
    request = Request(method="POST", form=form, place="form").but(signed_method=str.lower)
    explanation = explain(request.sent(), secrets(request), policy=policy(request))
    assert [cause.code for cause in explanation.causes] == ["http_method"]


def test_one_request_has_one_answer() -> None:
    """The search counts and never looks at a clock, so two runs are equal."""
    request = SHAPES["form and query"].but(signed_method=str.lower, encode_whole=str)
    first, second = (explain(request.sent(), secrets(request), policy=policy(request)) for _ in range(2))
    assert first == second
