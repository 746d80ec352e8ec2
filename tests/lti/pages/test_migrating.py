"""The program of the page on migrating to LTI 1.3."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from async_oauth1.lti import migration_signature


def claims(**changes: Any) -> dict[str, Any]:
    """The claims of a launch of 1.3 with those of 1EdTech's published example."""
    signed = {
        "oauth_consumer_key": "179248902",
        "deployment_id": "689302",
        "iss": "https://lmsvendor.com",
        "client_id": "PM48OJSfGDTAzAo",
        "exp": 1551290856,
        "nonce": "172we8671fd8z",
    }
    signature = migration_signature(**signed, secret="my-lti11-secret")
    migrated = {"oauth_consumer_key": "179248902", "oauth_consumer_key_sign": signature, "user_id": "7"}
    return {
        "iss": signed["iss"],
        "aud": signed["client_id"],
        "exp": signed["exp"],
        "nonce": signed["nonce"],
        "sub": "new-7",
        "https://purl.imsglobal.org/spec/lti/claim/deployment_id": signed["deployment_id"],
        "https://purl.imsglobal.org/spec/lti/claim/lti1p1": migrated,
        **changes,
    }


def test_the_migration_moves_a_user(repository: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A claim that holds gives the user of 1.1, later without the claim, too; a forged one moves no user."""
    page = (repository / "docs" / "lti-migration.md").read_text(encoding="utf-8")
    (program,) = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {"__name__": "migration"}
    exec(compile(program, "lti-migration.md", "exec", dont_inherit=True), names)
    user_of = names["user_of"]
    forged = claims(nonce="another", sub="new-8")
    assert user_of(forged) == ("https://lmsvendor.com", "new-8")
    assert "nonce" in caplog.text
    assert user_of(claims()) == ("179248902", "7")
    later = claims()
    del later["https://purl.imsglobal.org/spec/lti/claim/lti1p1"]
    assert user_of(later) == ("179248902", "7")
    assert user_of({**later, "sub": "new-9"}) == ("https://lmsvendor.com", "new-9")
