"""The lane gives nothing away about a client, and leaves out nothing that a request's own class decides."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import Any

import pytest

from async_oauth1 import Client, OAuth1Error, OAuth1Request
from async_oauth1.asgi import request_from_scope
from async_oauth1.asgi.requests import make_request
from async_oauth1.provider import resource_protector
from async_oauth1.provider.sync_driver import run_sync
from async_oauth1.signature import HmacSignatureMethod
from tests.keys import RSA_PUBLIC_KEY
from tests.native.made_requests import CLIENTS
from tests.native.test_lane import SCOPES, lane_verdicts, protector_with

__all__ = ["lane_verdicts"]

KINDS: dict[str, dict[str, Any] | None] = {
    "unknown": None,
    "usual": {},
    "without a secret": {"client_secret": None},
    "with a public key": {"client_secret": None, "rsa_public_key": RSA_PUBLIC_KEY},
    "tolerated a version": {"tolerances": ("version_1_0a",)},
    "tolerated repeated nonces": {"tolerances": ("repeated_nonce",)},
    "tolerated a window": {"tolerances": ("timestamp_window=200",)},
}


def wrongly_signed(protector: Any) -> OAuth1Request:
    """A usual request whose signature is wrong."""
    scope, form = SCOPES[5]
    headers = [(name, value.replace(b'oauth_signature="', b'oauth_signature="x')) for name, value in scope["headers"]]
    return request_from_scope({**scope, "headers": headers}, protector.policy, form)


@pytest.mark.parametrize("kind", KINDS)
def test_the_lane_adds_no_computation(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal computes as many signatures with the lane as without it, so it does not tell what a client is."""
    protector, changes = protector_with(), KINDS[kind]
    client = None if changes is None else dataclasses.replace(CLIENTS[0], **changes)
    found: Client | None = client
    protector.register_hook("query_client", lambda _: found)
    counted: Counter[str] = Counter()
    compute = HmacSignatureMethod.verify

    def verify(*args: Any) -> bool:
        counted[where] += 1
        return compute(*args)

    monkeypatch.setattr(HmacSignatureMethod, "verify", verify)
    for where in ("lane", "general"):
        if where == "general":
            monkeypatch.setattr(resource_protector, "find_lane", lambda *_: None)
        with pytest.raises(OAuth1Error, match="signature"):
            run_sync(protector.validate_request(wrongly_signed(protector)))
    assert counted["lane"] == counted["general"]


class Strict(OAuth1Request):
    """Accepts no signature."""

    def is_signed_with(self, *keys: Any) -> bool:
        return False


def test_a_request_of_another_class_takes_the_general_path(lane_verdicts: Counter[bool]) -> None:
    """What a subclass of `OAuth1Request` overrides is called as without the lane."""
    protector = protector_with()
    lane_verdicts.clear()
    scope, form = SCOPES[2]
    with pytest.raises(OAuth1Error, match="signature"):
        run_sync(protector.validate_request(make_request(Strict, scope, protector.policy, form)))
    assert not lane_verdicts
