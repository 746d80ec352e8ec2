"""The answer to a ``ContentItemSelectionRequest``."""

from __future__ import annotations

import json

import pytest

from async_oauth1 import run_sync
from async_oauth1.lti import SignedForm

from .consumer import Tool, launched, signed
from .test_requirements import SELECTION

#: The parameters that oauthlib adds when it signs.
ADDED = {"oauth_consumer_key", "oauth_nonce", "oauth_timestamp", "oauth_version", "oauth_signature_method"}
ADDED |= {"oauth_signature"}
ITEMS = [{"@type": "LtiLinkItem", "url": "https://tool.example/launch?page=3", "title": "Dürer"}]


def answer(fields: dict[str, str], **messages: str) -> SignedForm:
    """The answer of the tool."""
    tool = Tool()
    launch = tool.verify(launched(fields))
    return run_sync(tool.tool.content_item_response(launch, ITEMS, **messages))


@pytest.mark.parametrize("url", ["https://lms.example/items", "https://lms.example/items?course=a%20b"])
def test_the_consumer_accepts_it(url: str) -> None:
    """It is signed with the consumer's secret, the query included, and returns ``data`` as it came."""
    form = answer({**SELECTION, "content_item_return_url": url, "data": "state & more"}, lti_msg="One page")
    assert form.url == url
    assert form.fields["lti_message_type"] == "ContentItemSelection"
    assert (form.fields["data"], form.fields["lti_msg"]) == ("state & more", "One page")
    assert json.loads(form.fields["content_items"])["@graph"] == ITEMS
    fields = {name: value for name, value in form.fields.items() if name not in ADDED}
    nonce, timestamp = form.fields["oauth_nonce"], int(form.fields["oauth_timestamp"])
    assert dict(signed(fields, url, nonce=nonce, timestamp=timestamp)) == form.fields


def test_only_what_was_asked_for_is_answered() -> None:
    """Another message, an unsafe URL and an unknown message are mistakes that are named."""
    with pytest.raises(ValueError, match="ContentItemSelectionRequest"):
        answer({**SELECTION, "lti_message_type": "basic-lti-launch-request", "resource_link_id": "1"})
    with pytest.raises(ValueError, match="content_item_return_url"):
        answer({**SELECTION, "content_item_return_url": "javascript:alert(1)"})
    with pytest.raises(ValueError, match="Unknown messages lti_message"):
        answer(SELECTION, lti_message="x")
