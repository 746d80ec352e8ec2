"""The answer to a ``ContentItemSelectionRequest`` (LTI 1.x Content-Item message, version 1)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .errors import named
from .launches import Launch
from .launching.requirements import CONTENT_ITEM_SELECTION
from .signing import sign_form
from .urls import is_web_url

__all__ = ["SignedForm", "selection_form"]

_MESSAGES = {"lti_msg", "lti_log", "lti_errormsg", "lti_errorlog"}
_JSON_LD = "http://purl.imsglobal.org/ctx/lti/v1/ContentItem"


class SignedForm(NamedTuple):
    """A form that a browser has to post.

    Attributes:
        url: where to.
        fields: the fields, signed.
    """

    url: str
    fields: dict[str, str]


def selection_form(
    launch: Launch, items: Sequence[Mapping[str, Any]], messages: Mapping[str, str], *, secret: str, now: float
) -> SignedForm:
    """Sign the answer.

    Args:
        launch: the request.
        items: what was chosen, each a JSON object.
        messages: ``lti_msg``, ``lti_log``, ``lti_errormsg`` or ``lti_errorlog``.
        secret: of the consumer.
        now: Unix time in seconds.

    Raises:
        ValueError: the launch is another message, its return URL is not http or https, or a message is not known.
    """
    if launch.message_type != CONTENT_ITEM_SELECTION:
        raise ValueError(f"The launch is no {CONTENT_ITEM_SELECTION}, but {named([launch.message_type or ''])}.")
    url = launch.content_item_return_url or ""
    if not is_web_url(url):
        raise ValueError(f"content_item_return_url is no http or https URL: {named([url])}.")
    if unknown := set(messages) - _MESSAGES:
        raise ValueError(f"Unknown messages {', '.join(sorted(unknown))}; known are {', '.join(sorted(_MESSAGES))}.")
    fields = {
        "lti_message_type": "ContentItemSelection",
        "lti_version": "LTI-1p0",
        "content_items": json.dumps({"@context": _JSON_LD, "@graph": [dict(item) for item in items]}),
        **messages,
    }
    if "data" in launch.fields:
        fields["data"] = launch.fields["data"]
    return SignedForm(url, sign_form(url, fields, launch.consumer_key, secret, method=_method(launch), now=now))


def _method(launch: Launch) -> str:
    """The method with which the consumer signs, since it can verify that one."""
    method = launch.fields.get("oauth_signature_method", "")
    return method if method.startswith("HMAC-") else "HMAC-SHA1"
