"""A request that the application edits between reading and verifying is judged by what it says then."""

from __future__ import annotations

import random
from typing import Any

import pytest

from async_oauth1 import OAuth1Error, Policy, ResourceProtector, native
from async_oauth1.asgi import request_from_scope
from async_oauth1.asgi.requests import make_request
from async_oauth1.errors import (
    InvalidRequestError,
    InvalidSignatureError,
    MissingRequiredParameterError,
    TimestampRefusedError,
    UnsupportedSignatureMethodError,
)
from async_oauth1.protocol.request import OAuth1Request
from async_oauth1.provider import resource_protector
from async_oauth1.provider.sync_driver import run_sync
from async_oauth1.stores import MemoryStore
from tests.protocol.wire import NOW
from tests.provider.provider import Clock
from tests.stress import STRESS

from .comparing import error_of, in_python
from .made_requests import CLIENTS
from .test_lane import SCOPES, protector_with, store_of

PARAMETERS = (
    "oauth_consumer_key", "oauth_token", "oauth_nonce", "oauth_timestamp", "oauth_signature_method", "oauth_signature",
    "oauth_version", "oauth_body_hash", "oauth_callback",
)  # fmt: skip
VALUES = (
    "", "usual", "token-of-usual", "1.0", "1.0a", "2.0", "HMAC-SHA1", "HMAC-SHA256", "PLAINTEXT", "GET", "a\x00b", "é",
    "n" * 300, str(NOW), str(NOW - 299), str(NOW - 301), str(NOW) + "000", "-1", "0", "2jmj7l5rSw0yVb/vlWAYkK/YBwk=",
)  # fmt: skip
ATTRIBUTES: dict[str, tuple[Any, ...]] = {
    "method": ("GET", "POST", "DELETE"),
    "scheme": ("http", "https"),
    "host": ("a.example", "photos.example.net", "127.0.0.1"),
    "raw_path": (b"/", b"/photos", b"/%7Ea"),
    "signature_type": ("HEADER", "QUERY", None),
    "is_form": (True, False),
    "has_other_header_parameters": (True, False),
    "may_be_rewritten": (True, False),
}


def edit(request: OAuth1Request, chance: random.Random) -> None:
    """Edit a request in one to three ways; what is done depends on the numbers alone."""
    for _ in range(chance.randint(1, 3)):
        kind = chance.randrange(4)
        if kind == 0:
            name = chance.choice(list(ATTRIBUTES))
            setattr(request, name, chance.choice(ATTRIBUTES[name]))
        elif kind == 1:
            request.oauth_params.pop(chance.choice(PARAMETERS), None)
        elif kind == 2:
            request.oauth_params = {**request.oauth_params, chance.choice(PARAMETERS): chance.choice(VALUES)}
        else:
            request.oauth_params[chance.choice(PARAMETERS)] = chance.choice(VALUES)


def outcome(seed: int, *, takes_lane: bool, edits_in_hook: bool, patch: pytest.MonkeyPatch) -> Any:
    """Read a good request, edit it, and verify it: natively and in the lane, or by the general path in Python."""
    chance, clock = random.Random(seed), Clock()
    protector = ResourceProtector(Policy(require_https=False, uniform_errors=False), clock=clock)
    store = store_of(clock)
    protector.register_hooks(store)
    scope, form = chance.choice(SCOPES)
    request = request_from_scope(scope, protector.policy, form)
    if edits_in_hook:

        async def query_credentials(client_id: str, token: str) -> Any:
            edit(request, chance)
            return await store.query_credentials(client_id, token)

        protector.register_hook("query_credentials", query_credentials)
    else:
        edit(request, chance)
    protector.require_hooks()
    with patch.context() as general:
        if not takes_lane:
            general.setattr(resource_protector, "find_lane", lambda *_: None)
        try:
            run_sync(protector.validate_request(request, two_legged=bool(seed % 2)))
        except OAuth1Error as error:
            return error_of(error)
        except (TypeError, ValueError) as error:
            if not edits_in_hook:
                raise
            return (error,)  # the store refuses what a hook has made of a parameter that was checked before
    return request.client, request.credential, dict(request.oauth_params), len(store._nonces)


@pytest.mark.parametrize("edits_in_hook", [False, True], ids=["before", "during a look-up"])
def test_nothing_else_is_accepted_than_by_the_general_path(
    edits_in_hook: bool, native_reader: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is edited, the lane and the native reader accept only what Python and the general path accept."""
    accepted = refused = 0
    for seed in range(5_000 if STRESS else 400):
        found = outcome(seed, takes_lane=True, edits_in_hook=edits_in_hook, patch=monkeypatch)
        with in_python():
            expected = outcome(seed, takes_lane=False, edits_in_hook=edits_in_hook, patch=monkeypatch)
        is_accepted = isinstance(found[0], type(CLIENTS[0]))
        if is_accepted or not edits_in_hook:
            assert found == expected, seed
        accepted += is_accepted
        refused += not is_accepted
    assert accepted > 20
    assert refused > 100


def read(protector: Any, number: int = 2) -> OAuth1Request:
    """A good request that is not yet verified."""
    scope, form = SCOPES[number]
    return request_from_scope(scope, protector.policy, form)


@pytest.mark.parametrize(
    ("name", "value", "error", "text"),
    [
        ("oauth_version", "2.0", InvalidRequestError, "oauth_version"),
        ("oauth_timestamp", str(NOW - 301), TimestampRefusedError, "300 seconds"),
        ("oauth_timestamp", "soon", InvalidRequestError, "whole number"),
        ("oauth_nonce", None, MissingRequiredParameterError, "oauth_nonce"),
        ("oauth_nonce", "n" * 256, InvalidRequestError, "255 bytes"),
        ("oauth_nonce", "a\nb", InvalidRequestError, "control character"),
        ("oauth_token", None, MissingRequiredParameterError, "oauth_token"),
        ("oauth_signature_method", None, MissingRequiredParameterError, "oauth_signature_method"),
        ("oauth_signature_method", "NONE", UnsupportedSignatureMethodError, "must be one of"),
        ("oauth_body_hash", "x", InvalidRequestError, "oauth_body_hash"),
        ("oauth_signature", "x", InvalidSignatureError, "signature"),
    ],
)
def test_an_edited_parameter_is_judged(name: str, value: str | None, error: type[OAuth1Error], text: str) -> None:
    """The error is that of the parameter as it was edited, and no nonce is stored."""
    protector = protector_with()
    request = read(protector)
    stored = len(protector.hooks.get("exists_nonce").__self__._nonces)
    sent = request.oauth_params
    if value is None:
        del sent[name]
    else:
        sent[name] = value
    with pytest.raises(error, match=text):
        run_sync(protector.validate_request(request))
    assert len(protector.hooks.get("exists_nonce").__self__._nonces) == stored


@pytest.mark.parametrize(
    ("name", "value"),
    [("method", "DELETE"), ("host", "other.example"), ("raw_path", b"/others"), ("scheme", "https")],
)
@pytest.mark.parametrize("when", ["before", "after the base string"])
def test_the_base_string_is_that_of_the_edited_request(name: str, value: Any, when: str) -> None:
    """A signature over the method, the host or the path that arrived does not hold for another one."""
    protector = protector_with()
    protector.policy = Policy(require_https=False)
    request = read(protector)
    before = request.signature_base_string if when != "before" else ""
    setattr(request, name, value)
    assert request.signature_base_string != before
    with pytest.raises(InvalidSignatureError):
        run_sync(protector.validate_request(request))


def test_a_request_that_is_corrected_is_accepted() -> None:
    """An application that knows the host better than the server may say so, with either reader."""
    protector = protector_with()
    protector.policy = Policy(require_https=False)
    request = read(protector)
    host, request.host = request.host, "inner.example"
    with pytest.raises(InvalidSignatureError):
        run_sync(protector.validate_request(request))
    request.host = host
    run_sync(protector.validate_request(request))


@pytest.mark.parametrize("attribute", ["canonical_forms", "signature_base_string", "protocol_parameters"])
def test_a_property_of_a_subclass_is_asked(attribute: str, native_reader: None) -> None:
    """What a subclass of the request computes itself counts, as without the native reader, for each key."""
    values = {
        "canonical_forms": ("oauth_nonce=other", "", ""),
        "signature_base_string": "GET&other&",
        "protocol_parameters": {},
    }

    class Own(OAuth1Request):
        """Computes one attribute itself."""

    protector = protector_with()
    own = property(lambda _: values[attribute], lambda *_: None)
    setattr(Own, attribute, own)
    scope, form = SCOPES[2]
    request = make_request(Own, scope, protector.policy, form)
    for _ in range(2):
        with pytest.raises(OAuth1Error):
            run_sync(protector.validate_request(request))


@pytest.mark.parametrize("name", ["oauth_nonce", "oauth_timestamp"])
def test_a_nonce_that_is_removed_during_a_look_up_is_missed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the request could be repeated."""
    protector = protector_with()
    request = read(protector)
    store: MemoryStore = protector.hooks.get("query_credentials").__self__

    async def query_credentials(client_id: str, token: str) -> Any:
        request.oauth_params.pop(name, None)
        return await store.query_credentials(client_id, token)

    protector.register_hook("query_credentials", query_credentials)
    with pytest.raises(MissingRequiredParameterError, match=name):
        run_sync(protector.validate_request(request))
    monkeypatch.setattr(resource_protector, "find_lane", lambda *_: None)
    request = read(protector)
    with pytest.raises(MissingRequiredParameterError, match=name):
        run_sync(protector.validate_request(request))


def test_what_was_read_natively_counts_until_it_can_be_edited(native_reader: None) -> None:
    """Reading a parameter by Authlib's names keeps what the native reader found; ``oauth_params`` does not."""
    request = read(protector_with())
    assert native.IN_USE
    assert None not in (request.client_id, request.nonce, request.token, request.timestamp, request.signature)
    assert request.usual_timestamp
    assert request.oauth_params == request.protocol_parameters
    assert not request.usual_timestamp
