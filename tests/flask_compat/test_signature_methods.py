"""Custom signature methods: which classes have them, what they must return, and the recipe in Authlib's docs."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

import pytest
from authlib.oauth1.rfc5849 import signature as authlib_signature
from authlib.oauth1.rfc5849.util import escape

from flask_compat import AuthorizationServer, OAuth1Request, ResourceProtector
from flask_compat import signature as our_signature

from .client import Client
from .ported import Ported, Token, Variant, make_provider


def classes() -> tuple[type, type]:
    """Fresh ones: what is registered on a class stays with it."""
    return type("Server", (AuthorizationServer,), {}), type("Protector", (ResourceProtector,), {})


def mac(request: Any, signature: Any = authlib_signature) -> bytes:
    """What the documentation's recipe computes."""
    text = signature.generate_signature_base_string(request)
    key = f"{escape(request.client_secret or '')}&{escape(request.token_secret or '')}"
    return base64.b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha256).digest())


def recipe(request: Any) -> Any:
    """Computes a MAC and forgets to compare it."""
    return mac(request)


def corrected(request: Any) -> bool:
    """Computes and compares."""
    return hmac.compare_digest(mac(request), request.signature.encode())


async def corrected_async(request: Any) -> bool:
    return hmac.compare_digest(mac(request, our_signature), request.signature.encode())


def provider(variant: Variant, verify: Any) -> Ported:
    server, protector = classes()
    server.register_signature_method("HMAC-SHA256", verify)
    protector.register_signature_method("HMAC-SHA256", verify)
    config = {"OAUTH1_SUPPORTED_SIGNATURE_METHODS": ["HMAC-SHA256"]}
    return make_provider(variant, server_class=server, protector_class=protector, config=config)


VARIANTS = [
    Variant(framework, is_async, is_async, models)
    for framework in ("flask", "quart")
    for is_async in (False, True)
    for models in (False, True)
]


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
@pytest.mark.parametrize("signature", ["", "TOTALLY-WRONG"])
async def test_a_verifier_that_returns_bytes_refuses_every_request(variant: Variant, signature: str) -> None:
    """The answer and the log name the reason. Authlib accepts every request."""
    ported = provider(variant, recipe)
    client = Client(ported.app, method="HMAC-SHA256")
    signed = client.sign("POST", "/initiate", client.parameters(callback="oob"))
    if signature:
        signed["oauth_signature"] = signature
    answer = await client.send("POST", "/initiate", signed=signed)
    assert (answer.status, answer.form["error"]) == (401, "invalid_signature")
    assert "returned bytes" in answer.form["error_description"]
    assert "compare_digest" in answer.form["error_description"]
    assert not ported.database.nonces


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
@pytest.mark.parametrize("verify", [corrected, corrected_async])
async def test_the_corrected_recipe_verifies_signatures(variant: Variant, verify: Any) -> None:
    """It works with Authlib's base string and ours, and with async models."""
    ported = provider(variant, verify)
    client = Client(ported.app, method="HMAC-SHA256")
    await client.dance()
    assert (await client.send("GET", "/photos?a=%2F&a=b")).json == {"user": "7"}
    forged = client.sign("GET", "/photos", client.parameters())
    answer = await client.send("GET", "/photos", signed={**forged, "oauth_signature": "Zm9yZ2Vk"})
    assert answer.json == {"error": "invalid_signature"}


@pytest.mark.parametrize("verdict", [None, 1, "True", b"x", [True], object()])
async def test_only_true_accepts_a_signature(verdict: Any) -> None:
    """Other true values do not."""
    ported = provider(Variant("quart", True, True), lambda _: verdict)
    answer = await Client(ported.app, method="HMAC-SHA256").send("POST", "/initiate", callback="oob")
    assert (answer.status, answer.form["error"]) == (401, "invalid_signature")


def test_registered_methods_are_inherited_by_subclasses_only() -> None:
    """Earlier subclasses get them too; base classes, siblings and the other server do not."""
    server, protector = classes()
    child = type("Child", (server,), {})
    sibling = type("Sibling", (AuthorizationServer,), {})
    server.register_signature_method("X", corrected)
    assert child.SIGNATURE_METHODS["X"] is corrected
    for other in (AuthorizationServer, sibling, protector, ResourceProtector):
        assert "X" not in other.SIGNATURE_METHODS
    child().register_signature_method("Y", recipe)
    assert child.SIGNATURE_METHODS["Y"] is recipe
    assert "Y" not in server.SIGNATURE_METHODS


async def test_a_subclass_can_define_its_own_signature_methods() -> None:
    """It then has no others, as in Authlib."""
    server = type("Server", (AuthorizationServer,), {"SIGNATURE_METHODS": {"HMAC-SHA256": corrected}})
    config = {"OAUTH1_SUPPORTED_SIGNATURE_METHODS": {"HMAC-SHA256", "HMAC-SHA1"}}
    ported = make_provider(Variant("quart", True, True), server_class=server, config=config)
    assert (await Client(ported.app, method="HMAC-SHA256").send("POST", "/initiate", callback="oob")).status == 200
    refused = await Client(ported.app, method="HMAC-SHA1").send("POST", "/initiate", callback="oob")
    assert refused.form == {"error": "unsupported_signature_method"}


@pytest.mark.parametrize("collection", [["HMAC-SHA512"], ("HMAC-SHA512",), {"HMAC-SHA512"}, {"HMAC-SHA512": 1}.keys()])
async def test_supported_methods_can_be_any_collection(collection: Any) -> None:
    """The SHA-2 methods need no registration."""
    ported = make_provider(Variant("flask", False, False), config={"OAUTH1_SUPPORTED_SIGNATURE_METHODS": collection})
    assert (await Client(ported.app, method="HMAC-SHA512").send("POST", "/initiate", callback="oob")).status == 200
    assert (await Client(ported.app).send("POST", "/initiate", callback="oob")).form["error"].startswith("unsupported")


@pytest.mark.parametrize("name", ["verify_hmac_sha1", "verify_rsa_sha1", "verify_plaintext"])
def test_the_included_verifiers_never_raise(name: str) -> None:
    """They refuse non-ASCII signatures and missing keys."""
    from .ported import Client as ClientModel

    for signature in ("%C3%A9", "a", ""):
        header = f'OAuth oauth_consumer_key="c", oauth_signature_method="X", oauth_signature="{signature}"'
        request = OAuth1Request("GET", "https://a.test/", None, {"Authorization": header})
        request.client = ClientModel("c", None)
        request.credential = Token("c", "t", "", None)
        assert getattr(our_signature, name)(request) is False
