"""Policy: its attributes, and the errors for invalid values."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from async_oauth1 import Policy

NUMBERS = [field.name for field in fields(Policy) if field.type == "int"]


def test_defaults() -> None:
    """The defaults follow the RFC strictly."""
    policy = Policy()
    assert policy.timestamp_window == 300
    assert policy.signature_methods == ("HMAC-SHA1",)
    assert policy.require_https is True
    assert policy.uniform_errors is True
    assert policy.max_identifier_bytes == 255
    assert policy.max_parameters == 1_000
    assert policy.max_wrong_verifiers == 5
    assert policy.temporary_credential_lifetime == 600


def test_nonce_lifetime_covers_the_timestamp_window() -> None:
    """A request may arrive one window early and be repeated one window late, on a worker with another clock."""
    assert Policy().nonce_lifetime == 660
    assert Policy(timestamp_window=60).nonce_lifetime == 180


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", [0, -1, 1.5, "300", True, None])
def test_numbers(name: str, value: Any) -> None:
    """Each number must be a positive integer, and the error names the attribute."""
    with pytest.raises(ValueError, match=name):
        Policy(**{name: value})


@pytest.mark.parametrize("name", ["signature_methods", "trusted_proxies", "allowed_hosts"])
@pytest.mark.parametrize("value", ["HMAC-SHA1", b"x", 1, None])
def test_collections(name: str, value: Any) -> None:
    """A single string would be read as its letters, so it is refused, and the error names the attribute."""
    with pytest.raises(TypeError, match=name):
        Policy(**{name: value})


@pytest.mark.parametrize("kind", [list, tuple, set, frozenset])
def test_collections_of_any_kind(kind: type) -> None:
    """Lists, tuples and sets are accepted, so that a set in the configuration is not ignored."""
    assert Policy(signature_methods=kind(["HMAC-SHA256"])).signature_methods == ("HMAC-SHA256",)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("signature_methods", ()),
        ("realm", "Fotos für alle"),
        ("realm", "a\r\nX: y"),
        ("external_base_url", "photos.example.net"),
        ("external_base_url", "ftp://photos.example.net"),
        ("external_base_url", "https://"),
        ("external_base_url", "https://user@photos.example.net"),
        ("external_base_url", "https://photos.example.net?a=b"),
        ("external_base_url", "https://photos.example.net/#x"),
        ("external_base_url", "https://photos.example.net\n"),
        ("external_base_url", "https://photos example.net"),
    ],
)
def test_invalid_values_are_named(name: str, value: Any) -> None:
    """The error for any other invalid value names the attribute."""
    with pytest.raises(ValueError, match=name):
        Policy(**{name: value})


@pytest.mark.parametrize("value", ["proxy.example", "10.0.0.1/8", "10.0.0.0/33", "", "10.0.0.0-10.0.0.9"])
def test_trusted_proxies_are_networks(value: str) -> None:
    """A host name or a malformed network is refused when the policy is created."""
    with pytest.raises(ValueError, match=r"."):
        Policy(trusted_proxies=(value,))


@pytest.mark.parametrize(
    "value",
    ["http://127.0.0.1:8000", "HTTPS://Photos.Example.NET/", "https://photos.example.net/api/v1", "https://[::1]:8443"],
)
def test_external_base_urls(value: str) -> None:
    """It must be a URL with scheme and host, and may have a port and a path."""
    assert Policy(external_base_url=value).external_base_url == value


def test_updated_from_configuration() -> None:
    """Each attribute has a key, and signature methods have Authlib's; None and missing keys keep the default."""
    policy = Policy(realm="Photos").updated(
        {
            "OAUTH1_TIMESTAMP_WINDOW": 60,
            "OAUTH1_SUPPORTED_SIGNATURE_METHODS": ["HMAC-SHA256", "PLAINTEXT"],
            "OAUTH1_REQUIRE_HTTPS": False,
            "OAUTH1_ALLOWED_HOSTS": {"a.example"},
            "OAUTH1_EXTERNAL_BASE_URL": None,
            "TIMESTAMP_WINDOW": 1,
        }
    )
    assert policy == Policy(
        realm="Photos",
        timestamp_window=60,
        signature_methods=("HMAC-SHA256", "PLAINTEXT"),
        require_https=False,
        allowed_hosts=("a.example",),
    )


def test_every_attribute_can_be_configured() -> None:
    """Every attribute has a configuration key."""
    for field in fields(Policy):
        key = {"signature_methods": "SUPPORTED_SIGNATURE_METHODS"}.get(field.name, field.name.upper())
        changed = {"int": 7, "int | None": 7, "bool": False, "str": "r"}.get(str(field.type), ("10.0.0.1",))
        if field.name == "external_base_url":
            changed = "https://a.example"
        if field.name == "tolerances":
            changed = ("other_header_parameters",)
        if field.name == "denial_parameters":
            changed = ("denied", "error")
        assert getattr(Policy().updated({f"OAUTH1_{key}": changed}), field.name) == changed


@pytest.mark.parametrize(
    ("key", "value", "error"),
    [
        ("OAUTH1_TIMESTAMP_WINDOW", "60", ValueError),
        ("OAUTH1_SUPPORTED_SIGNATURE_METHODS", "HMAC-SHA1", TypeError),
        ("OAUTH1_MAX_PARAMETERS", 0, ValueError),
        ("OAUTH1_TOLERANCES", "other_header_parameters", TypeError),
        ("OAUTH1_TOLERANCES", ["any_header_parameter"], ValueError),
    ],
)
def test_configuration_is_checked(key: str, value: Any, error: type[Exception]) -> None:
    """An invalid value in the configuration raises the same error as in code."""
    with pytest.raises(error):
        Policy().updated({key: value})


def test_policy_cannot_be_changed() -> None:
    """A policy may be shared between servers, so a change creates a new one."""
    with pytest.raises(AttributeError):
        Policy().timestamp_window = 1  # type: ignore[misc]
