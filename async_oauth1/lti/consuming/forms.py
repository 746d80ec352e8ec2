"""The page with which a consumer launches a tool: a form that the browser posts by itself."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from html import escape

from async_oauth1.lti.urls import is_web_url
from async_oauth1.provider.responses import OAuth1Response

__all__ = ["launch_page"]

# A field may be called "submit", so the method is not called on the form.
_SCRIPT = "HTMLFormElement.prototype.submit.call(document.forms[0])"
_HASH = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
_POLICY = f"default-src 'none'; script-src 'sha256-{_HASH}'; base-uri 'none'"


def launch_page(
    url: str, fields: Mapping[str, str], *, title: str = "Opening the tool", button: str = "Continue"
) -> OAuth1Response:
    """The page that posts a launch. Without JavaScript the user presses the button.

    Args:
        url: of the tool, as it was signed.
        fields: from `sign_launch`.
        title: of the page, in the user's language.
        button: likewise.

    Raises:
        ValueError: the URL is not http or https.
    """
    if not is_web_url(url):
        raise ValueError(f"The launch URL must be http or https, in ASCII, not {url!a}.")
    inputs = "\n".join(
        f'<input type="hidden" name="{_escaped(one)}" value="{_escaped(fields[one])}">' for one in fields
    )
    page = f"""<!doctype html>
<html><head><meta charset="utf-8"><title>{escape(title)}</title></head><body>
<form method="post" action="{escape(url)}" accept-charset="utf-8">
{inputs}
<button>{escape(button)}</button>
</form>
<script>{_SCRIPT}</script>
</body></html>
"""
    body = page.encode("ascii", "xmlcharrefreplace").decode()
    headers = [("Content-Type", "text/html; charset=utf-8"), ("Cache-Control", "no-store")]
    return OAuth1Response(200, body, [*headers, ("Content-Security-Policy", _POLICY)])


def _escaped(text: str) -> str:
    """Text in an attribute. A bare carriage return would become a line feed."""
    return escape(text).replace("\r", "&#13;").replace("\n", "&#10;")
