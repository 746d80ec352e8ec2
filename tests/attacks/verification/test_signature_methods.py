"""A signature verifies only with a method and a key of its client, and only if the method's result is True."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
from base64 import b64encode
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from quart import Quart

from async_oauth1 import Client, OAuth1Request, Policy, TemporaryCredential
from async_oauth1.protocol.rsa_keys import StoredKey
from async_oauth1.quart import AuthorizationServer, ResourceProtector
from tests.attacks.provider import ALL_SIGNATURE_METHODS, CLIENT, JANE, Provider, make_provider
from tests.attacks.signer import Keys, sign
from tests.attacks.wire import call
from tests.keys import rsa_private_key

RSA_KEY = rsa_private_key()
OTHER_RSA_KEY = rsa_private_key(1)
RSA = Keys(client_id="rsa", method="RSA-SHA1", private_key=RSA_KEY)


def pem(key: Any) -> str:
    """Return the public key as PEM."""
    encoded: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return encoded.decode()


async def add(provider: Provider, **attributes: Any) -> None:
    """Register a client, and a token for it."""
    client = Client(**{"callbacks": ("oob",), **attributes})
    await provider.store.store.add_client(client)
    await provider.store.store.create_token_credential(
        {"oauth_token": f"{client.client_id}-token", "oauth_token_secret": "ts"},
        TemporaryCredential(
            oauth_token="t", oauth_token_secret="s", client_id=client.client_id, oauth_callback="oob", user_id="jane"
        ),
    )


@pytest.mark.parametrize("name", ALL_SIGNATURE_METHODS)
async def test_every_method_verifies_only_with_the_right_key(provider: Provider, name: str) -> None:
    """Two-legged and three-legged; a wrong key, a changed path and another method's name are refused."""
    await add(
        provider,
        client_id="rsa",
        client_secret="secret",
        rsa_public_key=pem(RSA_KEY),
        signature_methods=ALL_SIGNATURE_METHODS,
    )
    keys = Keys(client_id="rsa", client_secret="secret", method=name, private_key=RSA_KEY)
    assert (await provider.get("/signed?a=1", keys=keys)).status == 200
    jane = replace(keys, token="rsa-token", token_secret="ts")
    assert (await provider.get("/echo?a=1", keys=jane)).status == 200
    assert (await provider.get("/echo", keys=replace(jane, client_secret="x", private_key=OTHER_RSA_KEY))).status == 401
    if name != "PLAINTEXT":
        assert (await provider.get("/echo/a", keys=jane, signed_target="/echo/b")).status == 401
    for other in set(ALL_SIGNATURE_METHODS) - {name}:
        answer = await provider.get("/echo", keys=jane, oauth={"signature_method": other})
        assert answer.status == 401


@pytest.mark.rfc5849("3.4.3/public-key")
@pytest.mark.parametrize("enabled", [("RSA-SHA1",), ()], ids=["one method", "no methods given"])
async def test_an_rsa_clients_secret_is_not_an_hmac_key(provider: Provider, enabled: tuple[str, ...]) -> None:
    """In Perl's Net::OAuth the sender could choose HMAC, and the placeholder secret of an RSA client was enough."""
    await add(
        provider,
        client_id="rsa",
        client_secret="placeholder",
        rsa_public_key=pem(RSA_KEY),
        signature_methods=enabled,
    )
    assert (await provider.get("/signed", keys=RSA)).status == 200
    for name in ALL_SIGNATURE_METHODS:
        if name.startswith("RSA"):
            continue
        for secret in ("placeholder", "", pem(RSA_KEY)):
            keys = replace(RSA, method=name, client_secret=secret)
            assert (await provider.get("/signed", keys=keys)).status == 401
    if enabled:
        for name in ("RSA-SHA256", "RSA-SHA512"):
            assert (await provider.get("/signed", keys=replace(RSA, method=name))).status == 401


@pytest.mark.parametrize("name", ["HMAC-SHA1", "HMAC-SHA256", "HMAC-SHA512", "PLAINTEXT"])
@pytest.mark.parametrize("secret", [None, ""])
async def test_a_client_without_a_secret_cannot_use_hmac(provider: Provider, name: str, secret: str | None) -> None:
    """An empty key, the public key and the word None are not accepted as its secret."""
    await add(provider, client_id="rsa", client_secret=secret, rsa_public_key=pem(RSA_KEY))
    for guess in ("", "None", "null", pem(RSA_KEY), "0" * 48):
        keys = Keys(client_id="rsa", client_secret=guess, method=name)
        assert (await provider.get("/signed", keys=keys)).status == 401
        assert (await provider.initiate(keys, "oob")).status == 401
        keys = replace(keys, token="rsa-token", token_secret="ts")
        assert (await provider.get("/echo", keys=keys)).status == 401
    assert not provider.store.written


@pytest.mark.parametrize("guess", ["", "0" * 48, "secret"])
async def test_an_unknown_client_never_verifies(provider: Provider, guess: str) -> None:
    """The comparison for an unknown client never succeeds, whichever key signed the request."""
    for name in ("HMAC-SHA1", "HMAC-SHA512", "PLAINTEXT"):
        keys = Keys(client_id="nobody", client_secret=guess, method=name)
        assert (await provider.get("/signed", keys=keys)).status == 401
        assert (await provider.initiate(keys, "oob")).status == 401
        keys = replace(keys, token="nothing", token_secret=guess)
        assert (await provider.get("/echo", keys=keys)).status == 401
        keys = replace(CLIENT, method=name, token="nothing", token_secret=guess)
        assert (await provider.get("/echo", keys=keys)).status == 401


EC_KEY = pem(ec.generate_private_key(ec.SECP256R1()))
PRIVATE_PEM = RSA_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.mark.rfc5849("3.4.3/public-key")
@pytest.mark.parametrize(
    "key",
    [
        pytest.param(None, id="no key"),
        pytest.param("", id="empty"),
        pytest.param("no key", id="not PEM"),
        pytest.param("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", id="broken"),
        pytest.param("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", id="a broken certificate"),
        pytest.param(pem(RSA_KEY)[:200], id="cut off"),
        pytest.param(EC_KEY, id="an elliptic curve key"),
        pytest.param(PRIVATE_PEM, id="a private key"),
        pytest.param("-----BEGIN PUBLIC KEY-----\né\n-----END PUBLIC KEY-----\n", id="not ASCII"),
        pytest.param(
            "-----BEGIN PUBLIC KEY-----\nMBwwDQYGKwYBBAGPUQUABAsDCQABAgMEBQYHCA==\n-----END PUBLIC KEY-----\n",
            id="an unknown algorithm",
        ),
    ],
)
async def test_a_client_whose_rsa_key_is_unusable_is_refused(provider: Provider, key: str | None) -> None:
    """A client that was registered with an invalid key is answered with 401, not 500."""
    await add(provider, client_id="rsa", client_secret="s", rsa_public_key=None if key is None else StoredKey(key))
    for name in ("RSA-SHA1", "RSA-SHA256", "RSA-SHA512"):
        keys = replace(RSA, method=name)
        for how in ({}, {"signature": b"a"}, {"signature": b""}, {"signature": b"AAAA"}, {"signature": b"\xc3\xa9"}):
            answer = await provider.get("/signed", keys=keys, **how)
            assert answer.status in (400, 401)
    assert not provider.store.written


@pytest.mark.rfc5849("3.2/400")
async def test_the_error_for_an_unsupported_method_lists_the_enabled_ones(provider: Provider) -> None:
    """A method that is not enabled is a malformed request, not a wrong signature."""
    strict = await make_provider(provider.store.store, Policy(signature_methods=("HMAC-SHA256",)))
    answer = await strict.get()
    assert (answer.status, answer.error) == (400, "unsupported_signature_method")
    assert "HMAC-SHA256" in answer.json["error_description"]
    assert (await strict.get(keys=replace(JANE, method="HMAC-SHA256"))).status == 200


@pytest.mark.parametrize("methods", [["HMAC-SHA256"], ("HMAC-SHA256",), {"HMAC-SHA256"}])
async def test_configured_methods_may_be_any_collection(provider: Provider, methods: Any) -> None:
    """For example, a set is not ignored."""
    app = Quart("configured")
    app.config["OAUTH1_SUPPORTED_SIGNATURE_METHODS"] = methods
    protector = ResourceProtector(app)
    protector.register_hooks(provider.store)
    app.get("/signed")(protector(two_legged=True)(dict))
    assert (await call(app, sign(replace(CLIENT, method="HMAC-SHA256"), "GET", "/signed"))).status == 200
    assert (await call(app, sign(CLIENT, "GET", "/signed"))).error == "unsupported_signature_method"


async def test_a_single_string_of_methods_is_refused_at_start() -> None:
    """``OAUTH1_SUPPORTED_SIGNATURE_METHODS = "HMAC-SHA1"`` would otherwise be read as nine letters."""
    app = Quart("configured")
    app.config["OAUTH1_SUPPORTED_SIGNATURE_METHODS"] = "HMAC-SHA1"
    with pytest.raises(TypeError, match="signature_methods"):
        ResourceProtector(app)


def custom(provider: Provider, verify: Any, name: str = "HMAC-SHA256") -> tuple[Quart, ResourceProtector]:
    """Create an application with a custom signature method."""
    app = Quart("custom")
    protector = ResourceProtector(app, policy=Policy(signature_methods=(name,)))
    protector.register_hooks(provider.store)
    protector.register_signature_method(name, verify)
    app.get("/signed")(protector(two_legged=True)(dict))
    return app, protector


def documented(request: OAuth1Request) -> Any:
    """A verifier with a common mistake: it returns the computed signature instead of comparing it."""
    text = request.signature_base_string.encode()
    return b64encode(hmac.new(b"secret&", text, hashlib.sha256).digest())


async def coroutine_of(value: Any) -> Any:
    """Return the value from a coroutine."""
    await asyncio.sleep(0)
    return value


@pytest.mark.parametrize(
    "verify",
    [
        pytest.param(documented, id="the computed signature"),
        pytest.param(lambda request: documented(request).decode(), id="the computed signature as text"),
        pytest.param(lambda request: 1, id="one"),
        pytest.param(lambda request: "True", id="the word True"),
        pytest.param(lambda request: object(), id="any object"),
        pytest.param(lambda request: None, id="None"),
        pytest.param(lambda request: False, id="False"),
        pytest.param(lambda request: lambda: True, id="a function"),
        pytest.param(lambda request: coroutine_of(False), id="a coroutine of False"),
        pytest.param(lambda request: coroutine_of(b"signature"), id="a coroutine of a signature"),
        pytest.param(lambda request: coroutine_of(coroutine_of(False)), id="a coroutine of a coroutine of False"),
    ],
)
async def test_only_true_from_a_verifier_accepts(provider: Provider, verify: Any) -> None:
    """Other true values are refused, and so are coroutines that do not result in True."""
    app, _ = custom(provider, verify)
    answer = await call(app, sign(replace(CLIENT, method="HMAC-SHA256"), "GET", "/signed", signature=b"FORGED"))
    assert (answer.status, answer.error) == (401, "invalid_signature")
    assert not provider.store.written


async def test_a_verifier_that_returns_a_signature_is_logged(
    provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    """The log tells the operator why every request is refused."""
    app, _ = custom(provider, documented)
    with caplog.at_level(logging.ERROR, "async_oauth1"):
        await call(app, sign(replace(CLIENT, method="HMAC-SHA256"), "GET", "/signed"))
    assert "returned bytes" in caplog.text


async def test_a_verifier_may_be_async_and_gets_client_and_request(provider: Provider) -> None:
    """A coroutine function works like a plain function."""

    async def verify(request: OAuth1Request) -> bool:
        await asyncio.sleep(0)
        return request.client.client_id == "client" and hmac.compare_digest(request.signature or "", "open sesame")

    app, _ = custom(provider, verify, "SESAME")
    keys = replace(CLIENT, method="HMAC-SHA1")
    good = sign(keys, "GET", "/signed", oauth={"signature_method": "SESAME"}, signature=b"open sesame")
    assert (await call(app, good)).status == 200
    bad = sign(keys, "GET", "/signed", oauth={"signature_method": "SESAME"}, signature=b"open sesam")
    assert (await call(app, bad)).status == 401


async def test_a_method_is_registered_on_one_server_only(provider: Provider) -> None:
    """Registering a method on one protector does not change any other."""
    app, first = custom(provider, lambda request: True, "ANYTHING-GOES")
    second = ResourceProtector(app, policy=Policy(signature_methods=("ANYTHING-GOES", "HMAC-SHA1")))
    second.register_hooks(provider.store)
    with pytest.raises(ValueError, match="Unknown signature method ANYTHING-GOES"):
        second.require_hooks()
    server = AuthorizationServer(Quart("third"), policy=Policy(signature_methods=("ANYTHING-GOES",)))
    server.register_hooks(provider.store)
    with pytest.raises(ValueError, match="Unknown signature method ANYTHING-GOES"):
        server.require_hooks()
    first.require_hooks()
    answer = await provider.get("/signed", keys=CLIENT, oauth={"signature_method": "ANYTHING-GOES"})
    assert (answer.status, answer.error) == (400, "unsupported_signature_method")


@pytest.mark.rfc5849("3.4.4/secure-channel")
async def test_plaintext_over_http_is_accepted_only_on_loopback(provider: Provider) -> None:
    """The secrets must not be sent over an unencrypted network, so host and peer must be loopback."""
    keys = replace(JANE, method="PLAINTEXT")
    local = {"scheme": "http", "client": ("127.0.0.1", 1)}
    for origin, scope in [
        ("http://provider.example", {"scheme": "http"}),
        ("http://provider.example", local),
        ("http://localhost:8000", {"scheme": "http"}),
        ("http://localhost.evil.example", local),
        ("http://127.0.0.1.evil.example", local),
        ("http://xlocalhost", local),
    ]:
        answer = await provider.send(sign(keys, "GET", "/echo", origin=origin), **scope)
        assert (answer.status, answer.error) == (400, "insecure_transport")
    for origin in ("http://localhost:8000", "http://127.0.0.1:8000", "http://[::1]:8000"):
        assert (await provider.send(sign(keys, "GET", "/echo", origin=origin), **local)).status == 200
    lax = await make_provider(
        provider.store.store, Policy(signature_methods=ALL_SIGNATURE_METHODS, require_https=False)
    )
    answer = await lax.send(sign(keys, "GET", "/echo", origin="http://provider.example"), scheme="http")
    assert (answer.status, answer.error) == (400, "unsupported_signature_method")
    assert (await lax.send(sign(JANE, "GET", "/echo", origin="http://provider.example"), scheme="http")).status == 200


async def test_old_and_new_secrets_verify_during_a_rotation(provider: Provider) -> None:
    """During a rotation both secrets verify, and no others."""
    await add(provider, client_id="rotating", client_secret="new", overlapping_secrets=("old", ""))
    for secret, status in [("new", 200), ("old", 200), ("", 401), ("older", 401)]:
        keys = Keys(client_id="rotating", client_secret=secret)
        assert (await provider.get("/signed", keys=keys)).status == status
