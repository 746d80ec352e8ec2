"""The answer to a ``ContentItemSelectionRequest``."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from oauthlib.oauth1 import SignatureOnlyEndpoint
from oauthlib.oauth1.rfc5849.request_validator import RequestValidator

from async_oauth1 import run_sync
from async_oauth1.lti import SignedForm

from .consumer import KEY, SECRET, Tool, launched
from .test_requirements import SELECTION

ITEMS = [{"@type": "LtiLinkItem", "url": "https://tool.example/launch?page=3", "title": "Dürer"}]


class Consumer(RequestValidator):  # type: ignore[misc]  # oauthlib has no types
    """What oauthlib needs to verify the answer."""

    safe_characters = property(lambda self: {*map(chr, range(33, 127))})
    client_key_length = nonce_length = property(lambda self: (1, 100))  # type: ignore[assignment]
    enforce_ssl = True
    dummy_client = "dummy"
    timestamp_lifetime = 10**10

    def validate_client_key(self, client_key: str, request: Any) -> bool:
        """Whether it is the consumer's key."""
        return client_key == KEY

    def get_client_secret(self, client_key: str, request: Any) -> str:
        """The secret."""
        return SECRET

    def validate_timestamp_and_nonce(self, *args: Any, **kwargs: Any) -> bool:
        """Accept any."""
        return True


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
    valid, _ = SignatureOnlyEndpoint(Consumer()).validate_request(
        url, "POST", urlencode(form.fields), {"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert valid


def test_only_what_was_asked_for_is_answered() -> None:
    """Another message, an unsafe URL and an unknown message are mistakes that are named."""
    with pytest.raises(ValueError, match="ContentItemSelectionRequest"):
        answer({**SELECTION, "lti_message_type": "basic-lti-launch-request", "resource_link_id": "1"})
    with pytest.raises(ValueError, match="content_item_return_url"):
        answer({**SELECTION, "content_item_return_url": "javascript:alert(1)"})
    with pytest.raises(ValueError, match="Unknown messages lti_message"):
        answer(SELECTION, lti_message="x")
