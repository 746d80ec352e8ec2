"""Every mistake of the corpus, in every shape of request, is named by its code."""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import cache

import pytest

from async_oauth1.explain import Explanation, explain
from tests.stress import STRESS

from .corpus import MISTAKES, SHAPES, corpus
from .signer import Request, policy, secrets

#: Codes that no signature proves; test_facts.py has them.
FACTS = {
    "body_hash", "credentials", "duplicate_parameter", "key", "malformed", "timestamp_clock", "timestamp_milliseconds",
}  # fmt: skip


@cache
def cases() -> dict[str, tuple[str, Request]]:
    """The code and the request of every case, by its name."""
    return {name: (code, request) for name, code, request in corpus()}


def explained(request: Request) -> Explanation:
    """What is said of a request by a provider that knows its secrets."""
    return explain(request.sent(), secrets(request), policy=policy(request))


@pytest.mark.parametrize("shape", SHAPES)
def test_a_genuine_request_verifies(shape: str) -> None:
    """A request that is signed by the RFC has no cause, in every shape."""
    explanation = explained(SHAPES[shape])
    assert (explanation.verifies, explanation.causes, explanation.tried) == (True, (), 1)
    assert explanation.signed == explanation.base_string


def test_the_corpus_is_large() -> None:
    """There are more than a thousand cases, and several of every code that a signature proves."""
    codes = Counter(code for code, _ in cases().values())
    assert len(cases()) > 1_000
    assert min(codes.values()) >= 3, codes
    assert len(codes) == 31


def sampled() -> list[str]:
    """The names of all cases under stress, and otherwise each mistake in a quarter of its shapes."""
    by_mistake: dict[str, list[str]] = defaultdict(list)
    for name in cases():
        by_mistake[name.rpartition(" ")[2]].append(name)
    step = 1 if STRESS else 4
    return [name for number, names in by_mistake.items() for name in names[int(number) % min(step, len(names)) :: step]]


@pytest.mark.stress
def test_the_right_cause_is_first() -> None:
    """Every case of the corpus is found, and its code is named alone."""
    wrong: dict[str, list[str]] = {}
    for name, (code, request) in ((name, cases()[name]) for name in sampled()):
        codes = [cause.code for cause in explained(request).causes]
        if codes != [code]:
            wrong[name] = codes
    assert not wrong


def test_a_sample_has_every_mistake() -> None:
    """None is left to the larger runs alone."""
    assert {name.rpartition(" ")[2] for name in sampled()} == {name.rpartition(" ")[2] for name in cases()}


def test_a_cause_of_the_base_string_shows_what_was_signed() -> None:
    """`signed` is the client's base string, to the octet."""
    for name, (_, request) in list(cases().items())[::7]:
        explanation = explained(request)
        if request.signs_by != "PLAINTEXT":
            signed = request.base_string().encode("latin-1").decode("utf-8", "replace")
            assert explanation.signed == signed, name


def test_codes_of_the_corpus_are_documented() -> None:
    """No mistake has a code that does not exist."""
    assert not {code for code, _ in MISTAKES} & FACTS
