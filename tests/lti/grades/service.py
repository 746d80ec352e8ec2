"""An outcome service with a gradebook that records what its hooks are asked, and a client of HTTP that calls it."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import defusedxml.ElementTree as Xml

from async_oauth1 import Client, OAuth1Request, run_sync
from async_oauth1.lti import LTIConsumer, Outcome, OutcomeService
from async_oauth1.lti.signing import sign_body
from async_oauth1.provider.responses import OAuth1Response

KEY, SECRET, URL = "course-7", "kd94hf93k423kf44", "https://lms.example/outcomes?tenant=a%20b"
OUTCOME = Outcome(KEY, URL, "grade-1")
#: The namespaces of the specification and of its first examples.
NAMESPACE = "http://www.imsglobal.org/services/ltiv1p1/xsd/imsoms_v1p0"
OLD_NAMESPACE = "http://www.imsglobal.org/lis/oms1p0/pox"


def envelope(
    operation: str = "replaceResult",
    *,
    score: str | None = "0.92",
    sourcedid: str = "grade-1",
    namespace: str = NAMESPACE,
    declaration: str = '<?xml version="1.0" encoding="UTF-8"?>',
) -> str:
    """A request as the specification's example has it."""
    result = "" if score is None else f"<result><resultScore><textString>{score}</textString></resultScore></result>"
    record = f"<resultRecord><sourcedGUID><sourcedId>{sourcedid}</sourcedId></sourcedGUID>{result}</resultRecord>"
    return (
        f'{declaration}<imsx_POXEnvelopeRequest xmlns="{namespace}"><imsx_POXHeader><imsx_POXRequestHeaderInfo>'
        "<imsx_version>V1.0</imsx_version><imsx_messageIdentifier>message-1</imsx_messageIdentifier>"
        f"</imsx_POXRequestHeaderInfo></imsx_POXHeader><imsx_POXBody><{operation}Request>{record}"
        f"</{operation}Request></imsx_POXBody></imsx_POXEnvelopeRequest>"
    )


def posted(
    body: bytes, headers: Mapping[str, str], url: str = URL, *, method: str = "POST", peer: str = "192.0.2.1"
) -> OAuth1Request:
    """The request that arrives."""
    parts = urlsplit(url)
    return OAuth1Request(
        method,
        scheme=parts.scheme,
        host=parts.netloc,
        raw_path=parts.path.encode(),
        raw_query=parts.query.encode(),
        headers=[(name.lower().encode(), value.encode()) for name, value in headers.items()],
        body=body,
        peer=peer,
    )


def signed(body: bytes | str, *, content_type: str = "application/xml", **signing: Any) -> OAuth1Request:
    """A request that is signed, whatever its body is."""
    octets = body if isinstance(body, bytes) else body.encode()
    key, secret = signing.pop("key", KEY), signing.pop("secret", SECRET)
    authorization = sign_body(URL, octets, key, secret, **signing)
    return posted(octets, {"Content-Type": content_type, "Authorization": authorization})


class Gradebook:
    """The hooks, and what they have kept."""

    def __init__(
        self, grades: Mapping[str, Any] | None = None, *, hooks: tuple[str, ...] = ("replace", "read", "delete")
    ) -> None:
        self.grades: dict[str, Any] = {"grade-1": None, **(grades or {})}
        self.calls: list[tuple[Any, ...]] = []
        self.nonces: set[tuple[str, str, str]] = set()
        self.consumers: dict[str, Client] = {KEY: LTIConsumer(client_id=KEY, client_secret=SECRET)}
        given: Any = {name: getattr(self, name) for name in hooks}
        self.service = OutcomeService(self.consumers.get, self.exists_nonce, **given)

    def exists_nonce(self, nonce: str, timestamp: str, key: str, token: str | None) -> bool:
        """Whether the nonce was used."""
        known = (key, timestamp, nonce) in self.nonces
        self.nonces.add((key, timestamp, nonce))
        return known

    def replace(self, consumer: Any, sourcedid: str, score: float) -> bool:
        """Store a grade."""
        self.calls.append(("replace", consumer.client_id, sourcedid, score))
        return self._change(sourcedid, score)

    def delete(self, consumer: Any, sourcedid: str) -> bool:
        """Delete a grade."""
        self.calls.append(("delete", consumer.client_id, sourcedid))
        return self._change(sourcedid, None)

    def read(self, consumer: Any, sourcedid: str) -> Any:
        """The grade."""
        self.calls.append(("read", consumer.client_id, sourcedid))
        return self.grades.get(sourcedid, False)

    def _change(self, sourcedid: str, score: float | None) -> bool:
        if sourcedid not in self.grades:
            return False
        self.grades[sourcedid] = score
        return True

    def answer(self, request: Any) -> Reply:
        """What the service answers, without an event loop."""
        return Reply(run_sync(self.service.respond(request)))

    async def post(self, url: str, *, content: bytes, headers: dict[str, str]) -> SimpleNamespace:
        """What a client of HTTP does."""
        self.sent = SimpleNamespace(url=url, content=content, headers=headers)
        response = await self.service.respond(posted(content, headers, url))
        return SimpleNamespace(status_code=response.status_code, content=response.body.encode())


class Reply:
    """An answer, and what its XML says."""

    def __init__(self, response: OAuth1Response) -> None:
        self.status_code, self.body, pairs = response
        self.headers = dict(pairs)
        self.root = Xml.fromstring(self.body)
        assert self.headers["Content-Type"] == "application/xml"
        assert self.root.tag == f"{{{NAMESPACE}}}imsx_POXEnvelopeResponse"

    def __getitem__(self, name: str) -> str | None:
        """The text of the first element of a name."""
        text: str | None = self.root.findtext(f".//{{{NAMESPACE}}}{name}")
        return text

    @property
    def code(self) -> tuple[int, str | None]:
        """The status, and ``imsx_codeMajor``."""
        return self.status_code, self["imsx_codeMajor"]
