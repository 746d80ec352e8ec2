"""Tolerances: each accepts one form of a request from one client, is logged, and accepts nothing that is unsigned."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import quote

import pytest

from async_oauth1 import Client, Policy
from async_oauth1.errors import OAuth1Error
from async_oauth1.provider.sync_driver import run_sync
from async_oauth1.stores import MemoryStore
from async_oauth1.tolerances import CLIENT_TOLERANCES, TOLERANCES
from tests.protocol.wire import FORM, NOW, Signer, Wire, base_string, escape, shared_key_signature

from .provider import CALLBACK, PRINTER, Provider, fields, with_credentials

METHODS = ("HMAC-SHA1", "PLAINTEXT")
POLICY = Policy(signature_methods=METHODS, longest_timestamp_window=3_600)


def header_of(wire: Wire) -> bytes:
    """The Authorization header."""
    return dict(wire.headers)[b"authorization"]


def with_header(wire: Wire, header: bytes) -> Wire:
    """The request with another Authorization header."""
    return wire.changed(headers=tuple((n, header if n == b"authorization" else v) for n, v in wire.headers))


def without(wire: Wire, name: bytes) -> tuple[Wire, bytes]:
    """The request without a parameter of its header, and that parameter's value."""
    pieces = header_of(wire)[6:].split(b", ")
    (piece,) = [piece for piece in pieces if piece.startswith(name + b'="')]
    pieces.remove(piece)
    return with_header(wire, b"OAuth " + b", ".join(pieces)), piece[len(name) + 2 : -1]


def moved_to_query(signer: Signer) -> Wire:
    """The nonce is in the query, and the rest in the header."""
    wire, value = without(signer.wire(), b"oauth_nonce")
    return wire.changed(raw_query=b"oauth_nonce=" + value)


def moved_to_form(signer: Signer) -> Wire:
    """A parameter is in a form, and the rest in the header."""
    wire, value = without(signer.wire("POST", oauth_verifier="v"), b"oauth_verifier")
    return wire.changed(headers=(*wire.headers, (b"content-type", FORM)), body=b"oauth_verifier=" + value)


def in_header(signer: Signer) -> Wire:
    """A parameter of the query is in the header."""
    wire = signer.wire(query=[(b"id", b"5")])
    return with_header(wire.changed(raw_query=b""), header_of(wire) + b', id="5"')


def with_spelling(change: Callable[[str], str]) -> Callable[[Signer], Wire]:
    """A signature that is spelled in another way; one that has a plus sign, and padding."""

    def make(signer: Signer) -> Wire:
        while True:
            wire, value = without(signer.wire(), b"oauth_signature")
            if b"%2B" in value:
                signature = change(value.decode().replace("%2B", "+").replace("%2F", "/").replace("%3D", "="))
                return with_header(wire, header_of(wire) + f', oauth_signature="{quote(signature, safe="")}"'.encode())

    return make


def unescaped_hash(signer: Signer) -> Wire:
    """The base string has the body hash as it is."""
    body_hash = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    parameters = signer.parameters(oauth_body_hash=body_hash)
    text = base_string("POST", b"https://photos.example.net/photos", parameters)
    text = text.replace(escape(escape(body_hash)), escape(body_hash))
    signature = shared_key_signature("HMAC-SHA1", text, signer.client_secret, signer.token_secret)
    values = {name.decode(): value.decode() for name, value in parameters}
    return replace(signer).wire("POST", body=b"", signature=signature, **values)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Case:
    """A tolerated form of a request."""

    tolerance: str
    make: Callable[[Signer], Wire]
    status: int = 400
    code: str = "invalid_request"


CASES = {
    "query": Case("parameters_in_two_places", moved_to_query, 400, "duplicated_oauth_protocol_parameter"),
    "form": Case("parameters_in_two_places", moved_to_form, 400, "duplicated_oauth_protocol_parameter"),
    "other in header": Case("other_header_parameters", in_header),
    "space": Case("space_for_plus", with_spelling(lambda text: text.replace("+", " ")), 401, "invalid_signature"),
    "line break": Case(
        "loose_base64", with_spelling(lambda text: f"{text[:9]}\r\n{text[9:]}\n"), 401, "invalid_signature"
    ),
    "padding": Case("loose_base64", with_spelling(lambda text: text.rstrip("=")), 401, "invalid_signature"),
    "1.0a": Case("version_1_0a", lambda signer: signer.wire(oauth_version="1.0a")),
    "1.0A": Case("version_1_0a", lambda signer: signer.wire(oauth_version="1.0A")),
    "body hash": Case("unescaped_body_hash", unescaped_hash, 401, "invalid_signature"),
    "late": Case("timestamp_window=3600", lambda s: s.wire(oauth_timestamp=str(NOW - 3_000)), 401, "timestamp_refused"),
    "early": Case(
        "timestamp_window=3600", lambda s: s.wire(oauth_timestamp=str(NOW + 3_000)), 401, "timestamp_refused"
    ),
}
each = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def provider_of(*tolerances: str, policy: Policy = POLICY) -> tuple[Provider, Signer]:
    """A provider with one tolerated client, and that client with a token."""
    provider = Provider(policy)
    provider.add(Client(client_id="lax", client_secret="lax-secret", callbacks=(CALLBACK,), tolerances=tolerances))
    lax = provider.token(Signer("lax", "lax-secret"))
    return provider, lax


def outcome(error: OAuth1Error) -> tuple[int, str | None, str | None]:
    """What a client sees, without the hint about the signature's own shape, which differs from one to the next."""
    return error.status_code, error.error, (error.description or "").partition(" The signature has the wrong shape")[0]


@each
def test_only_the_client_that_is_tolerated(case: Case, caplog: pytest.LogCaptureFixture) -> None:
    """It is accepted and logged; every other client is refused as without tolerances."""
    provider, lax = provider_of(case.tolerance)
    with caplog.at_level(logging.INFO, "async_oauth1"):
        assert provider.protect(case.make(lax)).client.client_id == "lax"
    name = case.tolerance.partition("=")[0]
    assert caplog.messages == [f"Client 'lax' used the tolerance {name}."]
    error = provider.refusal(case.make(provider.token()))
    assert (error.status_code, error.error) == (case.status, case.code)


@each
def test_an_unknown_client_learns_nothing(case: Case) -> None:
    """Unknown, wrongly signed, tolerated or not: one answer."""
    provider, lax = provider_of(case.tolerance)
    strict = provider.token()
    forged = [
        replace(lax, client_secret="x"),
        replace(lax, token_secret="x"),
        replace(lax, token="x"),
        replace(strict, client_secret="x"),
        replace(lax, client_id="unknown"),
        strict,
    ]
    assert len({outcome(provider.refusal(case.make(signer))) for signer in forged}) == 1


@each
def test_nothing_is_stored_for_a_wrong_signature(case: Case) -> None:
    """The nonce comes last, for tolerated clients as well."""
    provider, lax = provider_of(case.tolerance)
    before = len(provider.hooks.changes)
    provider.refusal(case.make(replace(lax, token_secret="x")))
    assert len(provider.hooks.changes) == before


@each
def test_a_tolerated_request_counts_once(case: Case) -> None:
    """A replay is one, whatever is tolerated."""
    provider, lax = provider_of(case.tolerance)
    wire = case.make(lax)
    provider.protect(wire)
    assert provider.refusal(wire).error == "invalid_nonce"


@pytest.mark.parametrize("case", [case for case in CASES.values() if case.tolerance in TOLERANCES])
def test_a_policy_may_tolerate_it_of_all(case: Case) -> None:
    """Then a wrong signature is called what it is."""
    provider, lax = provider_of(policy=replace(POLICY, tolerances=(case.tolerance,)))
    provider.protect(case.make(lax))
    assert provider.refusal(case.make(replace(lax, token_secret="x"))).error == "invalid_signature"


@each
def test_own_models_are_asked(case: Case) -> None:
    """By ``get_tolerances()``; names that do not exist tolerate nothing."""

    class Model:
        def __init__(self, *names: str) -> None:
            self.names = names

        def get_client_secret(self) -> str:
            return "lax-secret"

        def get_rsa_public_key(self) -> None:
            return None

        async def get_tolerances(self) -> tuple[str, ...]:
            return self.names

    provider, lax = provider_of()
    provider.hooks.replaced["query_client"] = lambda _: Model(case.tolerance)
    provider.hooks.replaced["query_credentials"] = lambda *key: (
        Model(case.tolerance),
        run_sync(provider.store.query_token(*key)),
    )
    provider.protect(case.make(lax))
    provider.hooks.replaced["query_credentials"] = lambda *key: (
        Model(case.tolerance, "no_signature"),
        run_sync(provider.store.query_token(*key)),
    )
    assert provider.refusal(case.make(lax)).error == case.code


def test_each_name_still_once() -> None:
    """In two places as in one: whichever counted, another reader might take the other."""
    _, lax = provider_of("parameters_in_two_places")
    wire = lax.wire()
    _, value = without(wire, b"oauth_nonce")
    with pytest.raises(OAuth1Error) as caught:
        wire.changed(raw_query=b"oauth_nonce=" + value).read()
    assert caught.value.error == "duplicated_oauth_protocol_parameter"


def test_the_authorization_page_takes_no_second_place() -> None:
    """No client signs there, so there is no client that could be tolerated."""
    provider, lax = provider_of("parameters_in_two_places")
    temporary = provider.temporary(replace(lax, token=None, token_secret=""))
    wire = Wire(raw_path=b"/authorize", raw_query=f"oauth_token={temporary.token}".encode())
    wire = wire.changed(headers=((b"authorization", b'OAuth oauth_nonce="n"'),))
    with pytest.raises(OAuth1Error) as caught:
        run_sync(provider.server.check_authorization_request(wire.read()))
    assert caught.value.error == "duplicated_oauth_protocol_parameter"


def test_a_verifier_in_the_form() -> None:
    """The exchange that several living clients send."""
    provider, lax = provider_of("parameters_in_two_places")
    temporary = provider.temporary(replace(lax, token=None, token_secret=""))
    verifier = provider.decide(temporary.token).verifier
    wire, value = without(temporary.wire("POST", b"/token", oauth_verifier=verifier), b"oauth_verifier")
    wire = wire.changed(headers=(*wire.headers, (b"content-type", FORM)), body=b"oauth_verifier=" + value)
    provider.protect(with_credentials(temporary, provider.exchange(wire)).wire())


def test_a_window_is_cut_to_what_nonces_are_kept_for(caplog: pytest.LogCaptureFixture) -> None:
    """Otherwise a recorded request could come again after its nonce was forgotten. The log says how to allow more."""
    provider, lax = provider_of("timestamp_window=3600", policy=Policy())
    for seconds in (-301, 301, -3_000, 3_000):
        assert provider.refusal(lax.wire(oauth_timestamp=str(NOW + seconds))).error == "timestamp_refused"
    provider.protect(lax.wire())
    assert sum("Policy.longest_timestamp_window" in message for message in caplog.messages) <= 1


@pytest.mark.parametrize("seconds", [1, 3_000, 3_600, 6_000, 7_199, 7_201, 20_000])
def test_a_window_never_lets_a_replay_through(seconds: int) -> None:
    """A request from an hour ahead stays used until nobody could send it any more."""
    provider, lax = provider_of("timestamp_window=3600")
    wire = lax.wire(oauth_timestamp=str(NOW + 3_600))
    provider.protect(wire)
    provider.clock.now += seconds
    provider.protect(lax.wire(oauth_timestamp=str(NOW + seconds)))  # stores forget when they are used
    assert provider.refusal(wire).error in ("invalid_nonce", "timestamp_refused")


def test_a_narrower_window() -> None:
    """A client may have less than the policy allows."""
    provider, lax = provider_of("timestamp_window=10")
    provider.protect(lax.wire(oauth_timestamp=str(NOW - 10)))
    assert provider.refusal(lax.wire(oauth_timestamp=str(NOW - 11))).error == "timestamp_refused"


def test_a_store_that_forgets_too_early_is_refused() -> None:
    """At registration, by name."""
    with pytest.raises(ValueError, match="a timestamp window of 3600 s needs 7260 s"):
        MemoryStore(nonce_lifetime=660).prepare(POLICY)


def test_a_repeated_nonce_is_logged_only(caplog: pytest.LogCaptureFixture) -> None:
    """As with ``nonce_policy``."""
    provider, lax = provider_of("repeated_nonce")
    wire = lax.wire()
    provider.protect(wire)
    provider.protect(wire)
    assert any("repeated the nonce" in message for message in caplog.messages)


@pytest.mark.parametrize("method", METHODS)
def test_an_empty_client_secret(method: str, caplog: pytest.LogCaptureFixture) -> None:
    """MAAS and Launchpad sign with the token's secret alone: accepted if there is one, and if the client has none."""
    provider = Provider(POLICY)
    tokens = {}
    for name, secret in (("maas", None), ("empty", ""), ("with", "client-secret")):
        provider.add(Client(client_id=name, client_secret=secret, tolerances=("empty_client_secret",)))
        issued = run_sync(provider.store.issue_token_credential(name, "jane"))
        tokens[name] = issued.oauth_token, issued.oauth_token_secret
    for name in ("maas", "empty"):
        signer = Signer(name, "", *tokens[name], method)
        with caplog.at_level(logging.INFO, "async_oauth1"):
            provider.protect(signer.wire())
        assert f"Client '{name}' used the tolerance empty_client_secret." in caplog.messages
        assert provider.refusal(replace(signer, token_secret="x").wire()).error == "invalid_signature"
        two_legged = replace(signer, token=None, token_secret="")
        assert provider.refusal(two_legged.wire(), two_legged=True).error == "invalid_signature"
        first_step = fields(provider.initiate(two_legged.wire("POST", b"/initiate", oauth_callback="oob")))
        assert first_step["error"] == "invalid_signature"
    assert provider.refusal(Signer("with", "", *tokens["with"], method).wire()).error == "invalid_signature"
    provider.protect(Signer("with", "client-secret", *tokens["with"], method).wire())


def test_a_callback_whose_query_differs(caplog: pytest.LogCaptureFixture) -> None:
    """For the tolerated client, and logged."""
    provider, lax = provider_of("callback_query_may_differ")
    lax = replace(lax, token=None, token_secret="")
    with caplog.at_level(logging.INFO, "async_oauth1"):
        provider.temporary(lax, CALLBACK + "?state=1")
    assert caplog.messages == ["Client 'lax' used the tolerance callback_query_may_differ."]
    answer = provider.initiate(Signer().wire("POST", b"/initiate", oauth_callback=CALLBACK + "?state=1"))
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "name",
    [
        "no_such",
        "signature",
        "no_signature",
        "token_secret",
        "verifier",
        "nonce",
        "require_https",
        "timestamp_window",
        "timestamp_window=0",
        "timestamp_window=86401",
        "timestamp_window=x",
        "",
    ],
)
def test_a_name_that_does_not_exist(name: str) -> None:
    """Refused by name, for a client and for a policy."""
    with pytest.raises(ValueError, match=name or "Unknown"):
        Client(client_id="c", tolerances=(name,))
    with pytest.raises(ValueError, match=name or "Unknown"):
        Policy(tolerances=(name,))


@pytest.mark.parametrize("name", sorted(CLIENT_TOLERANCES.keys() - TOLERANCES.keys()))
def test_what_weakens_a_check_is_for_single_clients(name: str) -> None:
    """A policy that said it for all is refused, by name."""
    with pytest.raises(ValueError, match=f"{name}.* single clients"):
        Policy(tolerances=(name,))


@pytest.mark.parametrize("value", ["loose_base64", b"loose_base64", 5])
def test_tolerances_are_a_collection(value: object) -> None:
    """One string would be its letters."""
    with pytest.raises(TypeError, match="tolerances is a collection of strings"):
        Client(client_id="c", tolerances=value)  # type: ignore[arg-type]
    assert PRINTER.tolerances == ()
