"""The contestants of the verify benchmark verify; how fast is for `make bench` to say."""

from __future__ import annotations

import pytest

from benchmarks.contestants import CASES, CONTESTANTS, make_case, tampered
from benchmarks.load.signing import Signer, token_of
from benchmarks.verify import check, measure


@pytest.mark.parametrize("name", CASES)
def test_every_contestant_tells_a_genuine_request_from_a_changed_one(name: str) -> None:
    """What is timed is a verification, whoever does it."""
    assert set(check(make_case(name))) == set(CONTESTANTS)


@pytest.mark.parametrize("name", CASES)
def test_a_changed_request_was_not_signed(name: str) -> None:
    """Its base string is another one, and nothing else about it is."""
    case = make_case(name)
    assert tampered(case).base_string != case.base_string
    assert tampered(case).signature == case.signature


def test_a_contestant_that_accepts_everything_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """No time is taken of who does not verify."""
    monkeypatch.setitem(CONTESTANTS, "oauthlib", lambda case: lambda: True)
    with pytest.raises(AssertionError, match="oauthlib accepts a request that was changed"):
        check(make_case("header"))


def test_every_contestant_is_measured_in_every_round() -> None:
    """Ratios are taken round by round, so nobody may miss one."""
    times = measure({"one": lambda: True, "other": lambda: True}, 3)
    assert {name: len(samples) for name, samples in times.items()} == {"one": 3, "other": 3}


def test_cold_requests_use_each_token_once() -> None:
    """Those that were sent are spent; those that were signed in vain are not; then there are no more."""
    signer = Signer("127.0.0.1:8000", "/photos", cold=20)
    first, second = (token_of(number)[0] for number in (16, 17))
    assert [first in header for header in signer.headers(2)] == [True, False]
    signer.spend(1)
    assert second in next(signer.headers(1))
    assert len(list(signer.headers(100))) == 3
