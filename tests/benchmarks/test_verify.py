"""The contestants of the verify benchmark; their speed is measured by `make bench`."""

from __future__ import annotations

import pytest

from benchmarks.contestants import CASES, CONTESTANTS, make_case, tampered
from benchmarks.load.signing import Signer, token_of
from benchmarks.verify import check, measure


@pytest.mark.parametrize("name", CASES)
def test_every_contestant_refuses_a_changed_request(name: str) -> None:
    """Each contestant accepts the genuine request and refuses the changed one."""
    assert set(check(make_case(name))) == set(CONTESTANTS)


@pytest.mark.parametrize("name", CASES)
def test_a_changed_request_has_another_base_string(name: str) -> None:
    """Only the base string differs; the signature is the same."""
    case = make_case(name)
    assert tampered(case).base_string != case.base_string
    assert tampered(case).signature == case.signature


def test_a_contestant_that_accepts_everything_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """The benchmark stops before it measures such a contestant."""
    monkeypatch.setitem(CONTESTANTS, "oauthlib", lambda case: lambda: True)
    with pytest.raises(AssertionError, match="oauthlib accepts a request that was changed"):
        check(make_case("header"))


def test_every_contestant_is_measured_in_every_round() -> None:
    """Ratios are taken round by round, so each contestant needs a sample in each."""
    times = measure({"one": lambda: True, "other": lambda: True}, 3)
    assert {name: len(samples) for name, samples in times.items()} == {"one": 3, "other": 3}


def test_cold_requests_use_each_token_once() -> None:
    """Tokens count as used when their requests are sent, not when they are signed; then the tokens run out."""
    signer = Signer("127.0.0.1:8000", "/photos", cold=20)
    first, second = (token_of(number)[0] for number in (16, 17))
    assert [first in header for header in signer.headers(2)] == [True, False]
    signer.spend(1)
    assert second in next(signer.headers(1))
    assert len(list(signer.headers(100))) == 3
