"""The messages of the outcome service: a request, and its answer (LTI 1.1.1, section 6.1)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any, Literal

from .reading import child, envelope, local_name, text_of
from .writing import DECLARATION, element, text_element

__all__ = ["MEDIA_TYPE", "Answer", "CodeMajor", "Operation", "Question", "read_answer", "read_question"]

MEDIA_TYPE = "application/xml"
_NAMESPACE = {"xmlns": "http://www.imsglobal.org/services/ltiv1p1/xsd/imsoms_v1p0"}
Operation = Literal["replaceResult", "readResult", "deleteResult"]
CodeMajor = Literal["success", "failure", "unsupported"]


@dataclass(frozen=True, slots=True)
class Question:
    """A request.

    Attributes:
        operation: such as ``replaceResult``; ``None`` if the request has none, or several.
        sourcedid: which grade; ``None`` unless exactly one was sent.
        score: as it was sent; ``None`` likewise.
        message_id: ``imsx_messageIdentifier``.
        data: the element and the text of the result data.
    """

    operation: str | None
    sourcedid: str | None = field(repr=False)
    score: str | None = None
    message_id: str | None = None
    data: tuple[str, str] | None = field(default=None, repr=False)

    def xml(self) -> bytes:
        """The request as it is sent.

        Raises:
            ValueError: a text has a character that XML does not have.
        """
        record = [element("sourcedGUID", text_element("sourcedId", self.sourcedid or "")), *self._result()]
        request = element(f"{self.operation}Request", element("resultRecord", *record))
        header = element("imsx_POXRequestHeaderInfo", *_identified(self.message_id or secrets.token_hex(16)))
        return _document("imsx_POXEnvelopeRequest", header, request).encode()

    def _result(self) -> list[str]:
        if self.score is None:
            return []
        data = [element("resultData", text_element(*self.data))] if self.data else []
        return [element("result", _score(self.score), *data)]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer.

    Attributes:
        code_major: ``success``, ``failure``, ``unsupported``, or what else a consumer says.
        description: the consumer's text.
        operation: that was asked for, if it could be read.
        message_ref: the ``imsx_messageIdentifier`` of the request, if it could be read.
        score: of ``readResult``; empty if there is no grade.
    """

    code_major: str
    description: str
    operation: str | None = None
    message_ref: str | None = None
    score: str | None = None

    def xml(self) -> str:
        """The answer as it is sent."""
        severity = "status" if self.code_major == "success" else "error"
        status = [
            text_element("imsx_codeMajor", self.code_major),
            text_element("imsx_severity", severity),
            text_element("imsx_description", self.description),
        ]
        if self.message_ref is not None:
            status.append(text_element("imsx_messageRefIdentifier", self.message_ref))
        if self.operation is not None:
            status.append(text_element("imsx_operationRefIdentifier", self.operation))
        identified = _identified(secrets.token_hex(16))
        header = element("imsx_POXResponseHeaderInfo", *identified, element("imsx_statusInfo", *status))
        return _document("imsx_POXEnvelopeResponse", header, *self._result())

    def _result(self) -> list[str]:
        if self.code_major != "success" or self.operation is None:
            return []
        result = [] if self.score is None else [element("result", _score(self.score))]
        return [element(f"{self.operation}Response", *result)]


def read_question(octets: bytes) -> Question:
    """Read a request.

    Raises:
        UnreadableError: it is no envelope.
    """
    root = envelope(octets, "imsx_POXEnvelopeRequest")
    message_id = text_of(root, "imsx_POXHeader", "imsx_POXRequestHeaderInfo", "imsx_messageIdentifier")
    body = child(root, "imsx_POXBody")
    if body is None or len(body) != 1:
        return Question(None, None, message_id=message_id)
    operation = local_name(body[0]).removesuffix("Request")
    sourcedid = text_of(body[0], "resultRecord", "sourcedGUID", "sourcedId")
    return Question(operation, sourcedid, _score_in(body[0], "resultRecord"), message_id)


def read_answer(octets: bytes) -> Answer:
    """Read an answer.

    Raises:
        UnreadableError: it is no envelope.
    """
    root = envelope(octets, "imsx_POXEnvelopeResponse")
    status = ("imsx_POXHeader", "imsx_POXResponseHeaderInfo", "imsx_statusInfo")
    code, description = (text_of(root, *status, name) for name in ("imsx_codeMajor", "imsx_description"))
    result = child(root, "imsx_POXBody", "readResultResponse")
    score = None if result is None else _score_in(result)
    return Answer((code or "").strip().lower(), (description or "").strip(), score=score)


def _score_in(parent: Any, *names: str) -> str | None:
    return text_of(parent, *names, "result", "resultScore", "textString")


def _score(text: str) -> str:
    return element("resultScore", text_element("language", "en"), text_element("textString", text))


def _identified(message_id: str) -> tuple[str, str]:
    return text_element("imsx_version", "V1.0"), text_element("imsx_messageIdentifier", message_id)


def _document(name: str, header: str, *body: str) -> str:
    content = element("imsx_POXHeader", header), element("imsx_POXBody", *body)
    return DECLARATION + element(name, *content, attributes=_NAMESPACE)
