"""A consumer for tests, signed by oauthlib, and a tool with hooks that record their calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from oauthlib.oauth1 import SIGNATURE_TYPE_BODY
from oauthlib.oauth1 import Client as Signer

from async_oauth1 import OAuth1Error, OAuth1Request, Policy, run_sync
from async_oauth1.lti import DEFAULT_POLICY, Launch, LTIConsumer, LTITool

NOW = 1_700_000_000
URL = "https://tool.example/launch"
KEY, SECRET = "course-7", "kd94hf93k423kf44"
FORM = (b"content-type", b"application/x-www-form-urlencoded")
#: A basic launch.
BASIC: Mapping[str, str] = {
    "lti_message_type": "basic-lti-launch-request",
    "lti_version": "LTI-1p0",
    "resource_link_id": "link-1",
    "user_id": "user-1",
    "roles": "Learner",
    "context_id": "context-1",
    "tool_consumer_instance_guid": "lms.example",
}
Pairs = Sequence[tuple[str, str]]


def signed(
    fields: Mapping[str, str] | Pairs = BASIC,
    url: str = URL,
    *,
    key: str = KEY,
    secret: str = SECRET,
    method: str = "HMAC-SHA1",
    timestamp: int = NOW,
    nonce: str | None = None,
) -> list[tuple[str, str]]:
    """The fields of a form that a consumer posts, with their signature."""
    signer = Signer(
        key,
        client_secret=secret,
        signature_type=SIGNATURE_TYPE_BODY,
        signature_method=method,
        timestamp=str(timestamp),
        nonce=nonce,
    )
    pairs = list(fields.items()) if isinstance(fields, Mapping) else list(fields)
    _, _, body = signer.sign(url, "POST", urlencode(pairs), {"Content-Type": FORM[1].decode()})
    return parse_qsl(str(body), keep_blank_values=True)


def posted(
    fields: Mapping[str, str] | Pairs,
    url: str = URL,
    *,
    method: str = "POST",
    headers: Sequence[tuple[bytes, bytes]] = (),
    peer: str | None = "192.0.2.1",
) -> OAuth1Request:
    """The request with which a browser posts a form."""
    parts = urlsplit(url)
    return OAuth1Request(
        method,
        scheme=parts.scheme,
        host=parts.netloc,
        raw_path=parts.path.encode(),
        raw_query=parts.query.encode(),
        headers=[FORM, *headers],
        body=urlencode(fields if isinstance(fields, Sequence) else list(fields.items())).encode(),
        peer=peer,
    )


def launched(fields: Mapping[str, str] | Pairs = BASIC, url: str = URL, **signing: Any) -> OAuth1Request:
    """A signed launch, posted to the URL that was signed."""
    return posted(signed(fields, url, **signing), url)


class Tool:
    """A tool whose hooks are plain functions, which record their calls."""

    def __init__(self, *consumers: Any, policy: Policy = DEFAULT_POLICY, pins: bool = True, **switches: Any) -> None:
        known = consumers or (LTIConsumer(client_id=KEY, client_secret=SECRET, **switches),)
        self.consumers: dict[str, Any] = {consumer.client_id: consumer for consumer in known}
        self.calls: list[str] = []
        self.now = float(NOW)
        self.nonces: set[tuple[str, str, str]] = set()
        self.pins: dict[str, str] = {}
        self.launches: list[tuple[str, float]] = []
        hooks: dict[str, Callable[..., Any]] = {"pin_consumer": self._pin} if pins else {}
        hooks["launched"] = lambda key, when: self.launches.append((key, when))
        self.tool = LTITool(self._query, self._exists, policy=policy, clock=lambda: self.now, **hooks)

    def verify(self, request: Any, **options: Any) -> Launch:
        """Verify a launch without an event loop."""
        return run_sync(self.tool.verify_launch(request, **options))

    def refuse(self, request: Any, **options: Any) -> OAuth1Error:
        """The error of a launch that must be refused."""
        try:
            launch = self.verify(request, **options)
        except OAuth1Error as error:
            return error
        raise AssertionError(f"{launch} was accepted")

    def _query(self, key: str) -> Any:
        self.calls.append("query_consumer")
        return self.consumers.get(key)

    def _exists(self, nonce: str, timestamp: str, key: str, token: str | None) -> bool:
        self.calls.append("exists_nonce")
        assert token is None
        known = (key, timestamp, nonce) in self.nonces
        self.nonces.add((key, timestamp, nonce))
        return known

    def _pin(self, key: str, value: str) -> str:
        self.calls.append("pin_consumer")
        return self.pins.setdefault(key, value)
