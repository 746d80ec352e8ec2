"""What the lane accepts, the general path accepts with the same result; and nothing else is changed by it."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from async_oauth1 import Client, OAuth1Error, Policy, ResourceProtector, native
from async_oauth1.asgi import request_from_scope
from async_oauth1.provider import resource_protector
from async_oauth1.provider.lane.steps import Lane
from async_oauth1.provider.sync_driver import run_sync
from async_oauth1.signature import HmacSignatureMethod
from async_oauth1.stores import MemoryStore
from tests.protocol.wire import NOW
from tests.provider.provider import Clock
from tests.stress import STRESS

from .comparing import attributes, error_of, in_python
from .made_requests import CLIENTS, TOKENS, made_scope

METHODS = ("HMAC-SHA1", "HMAC-SHA256", "HMAC-SHA512", "PLAINTEXT", "RSA-SHA1")
CONFIGURATIONS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {}),
    ({"require_https": False, "signature_methods": METHODS, "longest_timestamp_window": 600}, {"two_legged": True}),
    ({"max_identifier_bytes": 40, "max_parameters": 9, "max_header_bytes": 400, "uniform_errors": False}, {}),
    ({"require_https": False, "allowed_hosts": ("a.example", "*.0.0.1", "[::1]")}, {"scope": "photos.read"}),
    ({"require_signed_body": True, "tolerances": ("space_for_plus",)}, {"two_legged": True}),
    ({"require_https": False, "trusted_proxies": ("127.0.0.0/8",)}, {"body_hash_required": True}),
]


def store_of(clock: Clock) -> MemoryStore:
    """A store with the clients and tokens of the made requests."""
    store = MemoryStore(clock=clock, max_nonces=10**6)
    for client in CLIENTS:
        run_sync(store.add_client(client))
    for token in TOKENS:
        store._tokens.add(token)
    return store


class Both:
    """A protector with the lane, and one without; each has a store of its own."""

    def __init__(self, policy: dict[str, Any], wanted: dict[str, Any]) -> None:
        self.clock = Clock()
        self.stores = store_of(self.clock), store_of(self.clock)
        self.protectors = [ResourceProtector(Policy(**policy), clock=self.clock) for _ in self.stores]
        for protector, store in zip(self.protectors, self.stores, strict=True):
            protector.register_hooks(store)
        self.wanted = wanted
        self.taken: Counter[bool] = Counter()

    def compare(self, scope: dict[str, Any], form: bytes | None, patch: pytest.MonkeyPatch) -> Any:
        """Verify a request both ways."""
        found = self._outcome(0, scope, form)
        with in_python(), patch.context() as without:
            without.setattr(resource_protector, "find_lane", lambda *_: None)
            expected = self._outcome(1, scope, form)
        assert found == expected, (scope, form)
        return found

    def _outcome(self, number: int, scope: dict[str, Any], form: bytes | None) -> Any:
        protector = self.protectors[number]
        try:
            request = request_from_scope(scope, protector.policy, form)
            run_sync(protector.validate_request(request, **self.wanted))
        except OAuth1Error as error:
            return error_of(error)
        assert request.client is not None
        state = request.client, request.credential, request.tolerances_used, request.body_protection, request.is_secure
        return (*attributes(request), *state)


@pytest.fixture
def lane_verdicts(monkeypatch: pytest.MonkeyPatch) -> Counter[bool]:
    """Counts what the lane says."""
    verdicts: Counter[bool] = Counter()
    holds = Lane.holds

    def counted(self: Lane, *args: Any, **kwargs: Any) -> bool:
        verdict = holds(self, *args, **kwargs)
        verdicts[verdict] += 1
        return verdict

    monkeypatch.setattr(Lane, "holds", counted)
    return verdicts


@pytest.mark.parametrize("reader", ["native", "python"])
@pytest.mark.parametrize(("policy", "wanted"), CONFIGURATIONS)
def test_same_as_the_general_path(
    policy: dict[str, Any],
    wanted: dict[str, Any],
    reader: str,
    monkeypatch: pytest.MonkeyPatch,
    lane_verdicts: Counter[bool],
    request: pytest.FixtureRequest,
) -> None:
    """Requests of all kinds have the same result, and leave the same nonces behind, with either reader."""
    if reader == "native":
        request.getfixturevalue("native_reader")
    else:
        monkeypatch.setattr(native, "read", lambda *_: None)
        monkeypatch.setattr(native, "read_scope", lambda *_: None)
    both, chance = Both(policy, wanted), random.Random(str(policy))
    accepted = 0
    for number in range(20_000 if STRESS else 250):
        scope, form = made_scope(chance, both.clock.now)
        accepted += len(both.compare(scope, form, monkeypatch)) > 4
        if not chance.randrange(20):
            both.compare(scope, form, monkeypatch)  # a replay
        if number % 100 == 99:
            both.clock.now += chance.choice((1, 100, 301))
    assert len(both.stores[0]._nonces) == len(both.stores[1]._nonces)
    assert accepted > 20
    if "tolerances" not in policy and "body_hash_required" not in wanted:
        assert lane_verdicts[True] > 20
        assert lane_verdicts[False] > 5


def usual_scope(seed: int) -> tuple[dict[str, Any], bytes | None]:
    """A good request of the usual client, with its signature in the header."""
    chance = random.Random(seed)
    both = Both({}, {})
    while True:
        scope, form = made_scope(chance, NOW)
        protector = both.protectors[0]
        try:
            request = request_from_scope(scope, protector.policy, form)
            run_sync(protector.validate_request(request))
        except OAuth1Error:
            continue
        if request.client_id == "usual" and request.signature_type == "HEADER" and form is None:
            return scope, form


SCOPES = [usual_scope(seed) for seed in range(8)]


def protector_with(cls: type[Any] = ResourceProtector) -> Any:
    """A protector whose first request has been verified in the lane."""
    clock = Clock()
    protector = cls(Policy(), clock=clock)
    protector.register_hooks(store_of(clock))
    verify(protector, 1)
    return protector


def verify(protector: Any, seed: int = 2) -> Any:
    """Verify a usual request."""
    scope, form = SCOPES[seed]
    return run_sync(protector.validate_request(request_from_scope(scope, protector.policy, form)))


def test_a_usual_request_takes_the_lane(lane_verdicts: Counter[bool]) -> None:
    """From the second request on: the first one checks that nothing is missing."""
    protector = protector_with()
    lane_verdicts.clear()
    verify(protector)
    assert lane_verdicts == {True: 1}


@pytest.mark.parametrize(
    "name",
    [
        "verify", "check_request", "check_transport", "is_secure", "check_signature_method", "get_client_by_id",
        "get_token_credential", "verify_signature", "verify_body", "use_nonce", "exists_nonce", "check_window",
        "custom_verifier", "find_tolerances", "longest_window",
    ],
)  # fmt: skip
@pytest.mark.parametrize("where", ["subclass", "instance", "class, later"])
def test_an_overriding_method_is_called(
    name: str, where: str, lane_verdicts: Counter[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A method that a subclass or an instance replaces is called as without the lane, also after the first request."""
    calls: list[str] = []
    original = getattr(ResourceProtector, name)

    def replaced(self: Any, *args: Any, **kwargs: Any) -> Any:
        calls.append(name)
        return original(self, *args, **kwargs)

    if where == "subclass":
        protector = protector_with(type("Own", (ResourceProtector,), {name: replaced}))
    else:
        protector = protector_with()
        if where == "instance":
            setattr(protector, name, replaced.__get__(protector))
        else:
            monkeypatch.setattr(ResourceProtector, name, replaced)
    calls.clear()
    lane_verdicts.clear()
    with monkeypatch.context() as general:
        general.setattr(resource_protector, "find_lane", lambda *_: None)
        verify(protector, 2)
        expected = len(calls)
    assert not lane_verdicts
    calls.clear()
    verify(protector, 3)
    assert len(calls) == expected


def test_a_hook_registered_later_is_called() -> None:
    """Each way of registering a hook counts from the next request on."""
    protector = protector_with()
    protector.register_hook("query_client", lambda client_id: Client(client_id=client_id, client_secret="other"))
    with pytest.raises(OAuth1Error, match="signature"):
        verify(protector)
    protector.hooks.register("query_client", lambda _: CLIENTS[0])
    assert verify(protector).client is CLIENTS[0]
    protector.register_hook("exists_nonce", lambda *_: True)
    with pytest.raises(OAuth1Error, match="used before"):
        verify(protector, 4)


def test_a_changed_policy_counts_at_once() -> None:
    """Another policy, clock or signature method counts from the next request on."""
    protector = protector_with()
    protector.policy = Policy(signature_methods=("HMAC-SHA512",))
    with pytest.raises(OAuth1Error, match="must be one of HMAC-SHA512"):
        verify(protector)
    protector.policy = Policy()
    protector.clock = lambda: NOW + 301
    with pytest.raises(OAuth1Error, match="more than 300 seconds"):
        verify(protector, 3)
    protector.clock = lambda: NOW
    protector.register_signature_method("HMAC-SHA1", lambda _: False)
    with pytest.raises(OAuth1Error, match="signature"):
        verify(protector, 4)


class Overriding(MemoryStore):
    """Looks credentials up in a way of its own."""

    async def query_credentials(self, client_id: str, oauth_token: str) -> Any:
        return None, None


def test_a_store_that_overrides_its_look_up_is_asked() -> None:
    """The inherited ``peek`` does not answer for a method that a subclass overrides."""
    clock = Clock()
    protector = ResourceProtector(Policy(), clock=clock)
    store = store_of(clock)
    protector.register_hooks(store)
    verify(protector, 1)
    store.__class__ = Overriding
    protector.register_hook("query_credentials", store.query_credentials)
    with pytest.raises(OAuth1Error, match="signature"):
        verify(protector)


def test_refusals_cost_the_same(monkeypatch: pytest.MonkeyPatch, lane_verdicts: Counter[bool]) -> None:
    """An unknown client, an unknown token and a wrong signature take one look-up and one computation each."""
    protector = protector_with()
    counted: list[str] = []
    compute, peek = HmacSignatureMethod.verify, MemoryStore.peek
    monkeypatch.setattr(HmacSignatureMethod, "verify", lambda *args: counted.append("HMAC") or compute(*args))
    monkeypatch.setattr(MemoryStore, "peek", lambda *args: counted.append("look-up") or peek(*args))
    protector.hooks.version += 1  # the lane of before has the method of before
    scope = {**SCOPES[5][0], "headers": [*SCOPES[5][0]["headers"]]}
    place = next(index for index, (name, _) in enumerate(scope["headers"]) if name.lower() == b"authorization")
    name, good = scope["headers"][place]
    for wrong in (
        good.replace(b'"usual"', b'"unknown"'),
        good.replace(b'"token-of-usual"', b'"unknown"'),
        good.replace(b'"token-of-usual"', b'"token-of-rotated"'),
        good.replace(b'oauth_signature="', b'oauth_signature="x'),
    ):
        assert wrong != good
        counted.clear()
        scope["headers"][place] = name, wrong
        with pytest.raises(OAuth1Error, match="signature"):
            run_sync(protector.validate_request(request_from_scope(scope, protector.policy)))
        assert counted == ["look-up", "HMAC"]
    assert lane_verdicts[False] == 4


def test_models_of_the_application_are_left_to_the_general_path(lane_verdicts: Counter[bool]) -> None:
    """Models other than this package's records are asked by awaiting, so the lane closes at the first one."""

    class Model(Client):
        """A model."""

    protector = protector_with()
    model = Model(client_id="usual", client_secret="kd94hf93k423kf44")
    protector.register_hook("query_client", lambda _: model)
    for seed in (2, 3, 4):
        assert verify(protector, seed).client is model
    assert lane_verdicts[False] == 1
