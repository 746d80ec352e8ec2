"""The migration claim of LTI 1.3."""

from __future__ import annotations

from typing import Any

import pytest

from async_oauth1.lti import migration_signature, verify_migration

SECRET = "my-lti11-secret"
SIGNATURE = "lWd54kFo5qU7xshAna6v8BwoBm6tmUjc6GTax6+12ps="
CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"
#: 1EdTech's example.
VALUES: dict[str, Any] = {
    "oauth_consumer_key": "179248902",
    "deployment_id": "689302",
    "iss": "https://lmsvendor.com",
    "client_id": "PM48OJSfGDTAzAo",
    "exp": 1551290856,
    "nonce": "172we8671fd8z",
}


def claims(lti1p1: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """The claims of an ID token."""
    return {
        "iss": VALUES["iss"],
        "aud": VALUES["client_id"],
        "exp": VALUES["exp"],
        "nonce": VALUES["nonce"],
        "sub": "user-13",
        f"{CLAIM}deployment_id": VALUES["deployment_id"],
        f"{CLAIM}resource_link": {"id": "link-13"},
        f"{CLAIM}lti1p1": {
            "user_id": "34212",
            "resource_link_id": "4b6fa",
            "oauth_consumer_key": VALUES["oauth_consumer_key"],
            "oauth_consumer_key_sign": SIGNATURE,
            **(lti1p1 or {}),
        },
        **changes,
    }


def test_the_published_example() -> None:
    """The signature is the one that 1EdTech has published, and verifies."""
    assert migration_signature(**VALUES, secret=SECRET) == SIGNATURE
    migration = verify_migration(claims(), SECRET)
    assert migration.holds
    assert not migration.explanation
    assert migration.consumer_key == "179248902"
    assert (migration.user_id, migration.resource_link_id) == ("34212", "4b6fa")


@pytest.mark.parametrize(
    "audience", [["PM48OJSfGDTAzAo"], ["https://tool.example", "PM48OJSfGDTAzAo"], ("PM48OJSfGDTAzAo",)]
)
def test_the_audience_may_be_a_list(audience: Any) -> None:
    """One of its members has to be what was signed."""
    assert verify_migration(claims(aud=audience), SECRET).holds
    assert not verify_migration(claims(aud=["another"]), SECRET).holds


def test_what_is_the_same_in_both_versions_is_left_out() -> None:
    """Then the claims of LTI 1.3 have it."""
    given = claims()
    del given[f"{CLAIM}lti1p1"]["user_id"], given[f"{CLAIM}lti1p1"]["resource_link_id"]
    migration = verify_migration(given, SECRET)
    assert (migration.user_id, migration.resource_link_id) == ("user-13", "link-13")


@pytest.mark.parametrize(
    ("given", "secret", "words"),
    [
        (claims(nonce="foreign"), SECRET, ("nonce", "Canvas")),
        (claims(), "wrong", ("secret", "179248902")),
        (claims(), f"{SECRET}\n", ("blanks",)),
        (claims(iss="https://lmsvendor.com/"), SECRET, ("slash",)),
        (
            claims({"oauth_consumer_key_sign": migration_signature(**{**VALUES, "nonce": ""}, secret=SECRET)}),
            SECRET,
            ("empty nonce",),
        ),
        (claims(exp=1551290857), SECRET, ("exp",)),
        (claims({"oauth_consumer_key": "another"}), SECRET, ("another",)),
        (claims({"oauth_consumer_key_sign": ""}), SECRET, ("oauth_consumer_key_sign",)),
        (claims({"oauth_consumer_key_sign": None}), SECRET, ("oauth_consumer_key_sign",)),
        (claims({"oauth_consumer_key_sign": "ä"}), SECRET, ("match",)),
        (claims({"oauth_consumer_key": ["k"]}), SECRET, ("oauth_consumer_key",)),
        (claims(aud=None, exp=True, nonce=""), SECRET, ("aud", "exp", "nonce")),
        (claims(iss="\ud800"), SECRET, ("iss",)),
        (claims(), "", ("no secret",)),
        ({}, SECRET, ("lti1p1",)),
        ({f"{CLAIM}lti1p1": "text"}, SECRET, ("lti1p1",)),
    ],
)
def test_what_does_not_hold_is_explained(given: dict[str, Any], secret: str, words: tuple[str, ...]) -> None:
    """The explanation names what is wrong, and not the secret; no user is taken from a claim that does not hold."""
    migration = verify_migration(given, secret)
    assert not migration.holds
    for word in words:
        assert word in migration.explanation
    assert SECRET not in migration.explanation
    assert (migration.user_id, migration.resource_link_id, migration.context_id) == (None, None, None)
