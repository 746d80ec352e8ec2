"""Codes that a person types into an application (callback ``oob``)."""

from __future__ import annotations

from math import log2

import pytest

from async_oauth1 import Policy
from async_oauth1.provider.tokens import OOB_ALPHABET

from .provider import CALLBACK, Provider, fields

TYPED = {
    "as it is": lambda code: code,
    "in capitals": str.upper,
    "in mixed case": lambda code: code[:12].swapcase() + code[12:],
    "blanks around": lambda code: f"  {code}\n",
    "blanks inside": " ".join,
    "tabs and line breaks": lambda code: f"{code[:3]}\t{code[3:6]}\r\n{code[6:]}",
    "hyphens": lambda code: f"{code[:5]}-{code[5:]}",
    "other hyphens": lambda code: f"{code[:3]}\u2010{code[3:6]}\u2011{code[6:8]}\u2013{code[8:]}\u2014",
    "invisible blanks": lambda code: f"\ufeff{code[:3]}\u00a0{code[3:6]}\u200b{code[6:8]}\u00ad{code[8:]}\u2009",
    "everything": lambda code: f" {code[:4]} - {code[4:]}- ".upper(),
}


@pytest.mark.parametrize("typed", TYPED.values(), ids=TYPED.keys())
def test_blanks_hyphens_and_capitals_do_not_matter(provider: Provider, typed: object) -> None:
    """The code is accepted as a person types it."""
    assert callable(typed)
    temporary = provider.temporary(callback="oob")
    code = provider.decide(temporary.token).verifier
    answer = provider.exchange(temporary.wire("POST", b"/token", oauth_verifier=typed(code)))
    assert answer.status_code == 200, fields(answer)


@pytest.mark.parametrize("typed", list(TYPED.values())[1:], ids=list(TYPED)[1:])
def test_a_verifier_of_a_web_callback_is_compared_exactly(provider: Provider, typed: object) -> None:
    """No person has typed it."""
    assert callable(typed)
    temporary = provider.temporary(callback=CALLBACK)
    verifier = provider.decide(temporary.token).verifier
    assert provider.exchange(temporary.wire("POST", b"/token", oauth_verifier=typed(verifier))).status_code == 401
    assert provider.exchange(temporary.wire("POST", b"/token", oauth_verifier=verifier)).status_code == 200


def test_a_long_code_keeps_its_case() -> None:
    """If no store counts wrong codes, the code is long and its capital letters count; blanks around it do not."""
    provider = Provider(without=("count_wrong_verifier",))
    temporary = provider.temporary(callback="oob")
    code = provider.decide(temporary.token).verifier
    assert provider.exchange(temporary.wire("POST", b"/token", oauth_verifier=code.swapcase())).status_code == 401
    assert provider.exchange(temporary.wire("POST", b"/token", oauth_verifier=f" {code} ")).status_code == 200


@pytest.mark.parametrize("typed", ["-", " ", "\u2014 -", "abc.defghij", "abcde_fghij", "0", "wrong"])
def test_anything_else_is_wrong(provider: Provider, typed: str) -> None:
    """Blanks alone are no code, before the approval and afterwards."""
    temporary = provider.temporary(callback="oob")
    for _ in range(2):
        answer = provider.exchange(temporary.wire("POST", b"/token", oauth_verifier=typed))
        assert fields(answer)["error"] == "invalid_verifier"
        provider.decide(temporary.token)


class EmptyVerifier:
    """A model whose verifier is empty until the approval, and whose comparison does not know that."""

    def __init__(self, credential: object) -> None:
        self._credential = credential

    def __getattr__(self, name: str) -> object:
        return getattr(self._credential, name)

    def check_verifier(self, verifier: str) -> bool:
        """Compare with nothing."""
        return not verifier


def test_a_code_of_blanks_does_not_become_an_empty_one(provider: Provider) -> None:
    """What is left of it is not compared with a model's empty verifier."""
    temporary = provider.temporary(callback="oob")
    read = provider.store.get_temporary_credential

    async def get_temporary_credential(token: str) -> object:
        return EmptyVerifier(await read(token))

    provider.hooks.replaced["get_temporary_credential"] = get_temporary_credential
    assert provider.exchange(temporary.wire("POST", b"/token", oauth_verifier=" - ")).status_code == 401


@pytest.mark.parametrize("callback", [CALLBACK, "oob"])
@pytest.mark.parametrize("limit", [1, 5])
def test_the_last_wrong_one_says_that_one_has_to_start_again(callback: str, limit: int) -> None:
    """The others do not, and a wrong code counts once, however many spellings are compared."""
    provider = Provider(Policy(max_wrong_verifiers=limit))
    temporary = provider.temporary(callback=callback)
    verifier = provider.decide(temporary.token).verifier
    answers = [
        fields(provider.exchange(temporary.wire("POST", b"/token", oauth_verifier="Wrong - code")))
        for _ in range(limit)
    ]
    assert [answer["error"] for answer in answers] == ["invalid_verifier"] * limit
    assert ["start again" in answer["error_description"] for answer in answers] == [False] * (limit - 1) + [True]
    assert provider.exchange(temporary.wire("POST", b"/token", oauth_verifier=verifier)).status_code == 401


def test_after_four_wrong_ones_the_right_one_counts(provider: Provider) -> None:
    """One try less than the limit leaves the credentials as they are."""
    temporary = provider.temporary(callback="oob")
    code = provider.decide(temporary.token).verifier
    for _ in range(provider.server.policy.max_wrong_verifiers - 1):
        provider.exchange(temporary.wire("POST", b"/token", oauth_verifier="wrong"))
    assert provider.exchange(temporary.wire("POST", b"/token", oauth_verifier=code.upper())).status_code == 200


@pytest.mark.rfc5849("2.2/code-to-type")
def test_the_alphabet_is_unambiguous_without_case() -> None:
    """No two characters differ in case alone or look alike as 0 and O, or 1, I and L; guessing is hopeless."""
    policy = Policy()
    assert len(set(OOB_ALPHABET.upper())) == len(OOB_ALPHABET)
    assert OOB_ALPHABET.lower() == OOB_ALPHABET
    assert set("0o1il -").isdisjoint(OOB_ALPHABET)
    assert policy.oob_verifier_length * log2(len(OOB_ALPHABET)) - log2(policy.max_wrong_verifiers) > 45
