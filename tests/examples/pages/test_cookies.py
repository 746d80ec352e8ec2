"""The session cookie."""

from __future__ import annotations

import httpx2
import pytest

from tests.examples.running import photos


@pytest.mark.parametrize(
    ("external", "name", "path", "secure"),
    [
        ("https://photos.example.net", "__Host-photos_session", "/", True),
        ("https://photos.example.net/deep", "__Host-photos_session", "/", True),
        ("http://127.0.0.1/deep", "photos_session", "/deep", False),
        ("http://127.0.0.1", "photos_session", "/", False),
    ],
)
def test_the_cookie_is_restricted(external: str, name: str, path: str, *, secure: bool) -> None:
    """It is restricted to this host over https, and otherwise to the provider's own paths."""
    with photos("--external-base-url", external) as running:
        cookie = httpx2.get(f"{running.url}/login").headers["Set-Cookie"]
    first, *attributes = cookie.split("; ")
    assert first.partition("=")[0] == name
    assert f"Path={path}" in attributes
    assert ("Secure" in attributes) is secure
    assert not any(attribute.lower().startswith("domain") for attribute in attributes)
