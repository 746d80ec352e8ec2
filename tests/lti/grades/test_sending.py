"""Grades that a tool sends."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from decimal import Decimal
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import defusedxml.ElementTree as Xml
import httpx
import pytest

from async_oauth1 import run_sync
from async_oauth1.lti import LTIConsumer, Outcome, OutcomeError, OutcomeUnclearError, outcomes
from tests.lti.consumer import BASIC, Tool, launched

from .service import KEY, NAMESPACE, OLD_NAMESPACE, OUTCOME, SECRET, URL, Gradebook, posted


def query(key: str) -> LTIConsumer | None:
    """The hook of a tool."""
    return LTIConsumer(client_id=KEY, client_secret=SECRET) if key == KEY else None


def element(book: Gradebook, name: str) -> str | None:
    """The text of an element in what was sent."""
    text: str | None = Xml.fromstring(book.sent.content).findtext(f".//{{{NAMESPACE}}}{name}")
    return text


async def test_the_three_functions() -> None:
    """A grade is sent, read and deleted; each request has its own identifier, nonce, and the exact Content-Type."""
    book = Gradebook()
    seen = set()
    assert await outcomes.read_result(OUTCOME, http=book, query_consumer=query) is None
    await outcomes.replace_result(OUTCOME, 0.92, http=book, query_consumer=query)
    assert book.grades == {"grade-1": 0.92}
    for _ in range(2):
        assert await outcomes.read_result(OUTCOME, http=book, query_consumer=query) == 0.92
        assert book.sent.headers["Content-Type"] == "application/xml"
        seen.add((element(book, "imsx_messageIdentifier"), book.sent.headers["Authorization"]))
    await outcomes.delete_result(OUTCOME, http=book, query_consumer=query)
    assert book.grades == {"grade-1": None}
    assert len({one for one, _ in seen}) == len({one for _, one in seen}) == 2
    assert "oauth_body_hash" in book.sent.headers["Authorization"]


@pytest.mark.parametrize("method", ["HMAC-SHA1", "HMAC-SHA256"])
async def test_a_launch_is_enough(method: str) -> None:
    """It has the consumer, and says with which method the consumer signs."""
    fields = {**BASIC, "lis_outcome_service_url": URL, "lis_result_sourcedid": 'grade-"<ö>&\r\n'}
    launch = Tool().verify(launched(fields, method=method))
    book = Gradebook({'grade-"<ö>&\r\n': None})
    await outcomes.replace_result(launch, 1, http=book)
    assert book.grades['grade-"<ö>&\r\n'] == 1.0
    assert f'oauth_signature_method="{method}"' in book.sent.headers["Authorization"]
    assert book.sent.content.isascii()
    stored = Outcome(**json.loads(json.dumps(asdict(launch.outcome or OUTCOME))))
    assert await outcomes.read_result(stored, http=book, query_consumer=query) == 1.0


async def test_a_relative_url() -> None:
    """Its host is that of the URL to which the consumer wants browsers back."""
    fields = {**BASIC, "lis_outcome_service_url": "/outcomes?a=1", "lis_result_sourcedid": "grade-1"}
    book = Gradebook()
    returning = {**fields, "launch_presentation_return_url": "https://lms.example/course/7"}
    await outcomes.replace_result(Tool().verify(launched(returning)), 0.5, http=book)
    assert book.sent.url == "https://lms.example/outcomes?a=1"
    with pytest.raises(ValueError, match="no http or https URL"):
        await outcomes.replace_result(Tool().verify(launched(fields)), 0.5, http=book)


@pytest.mark.parametrize(
    "url", ["https://lms.example/a%20b/{x}|'^?q=a%20b&q=%5B&r='{}", "https://LMS.example:443", URL + "#end"]
)
async def test_httpx_sends_what_was_signed(url: str) -> None:
    """A URL with special characters, a default port, or a fragment verifies as it arrives."""
    book = Gradebook()

    async def handle(request: httpx.Request) -> httpx.Response:
        raw = request.url.raw_path.decode()
        arrived = posted(request.content, dict(request.headers), f"https://{request.headers['host']}{raw}")
        response = await book.service.respond(arrived)
        return httpx.Response(response.status_code, headers=response.headers, content=response.body)

    async with httpx.AsyncClient(transport=httpx.MockTransport(handle)) as client:
        await outcomes.replace_result(Outcome(KEY, url, "grade-1"), 0.5, http=client, query_consumer=query)
    assert book.grades == {"grade-1": 0.5}


def test_without_an_event_loop() -> None:
    """A client that blocks, as in Flask and Django."""
    body = answer("success")
    with httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200, content=body))) as client:
        run_sync(outcomes.replace_result(OUTCOME, 0.5, http=client, query_consumer=query))


@pytest.mark.parametrize(
    ("score", "text"),
    [(0, "0.0"), (1, "1.0"), (1e-05, "0.00001"), (5e-324, "0." + "0" * 323 + "5"), (-0.0, "0.0"), (0.1 + 0.2, None),
     (Decimal("1E-5"), "0.00001"), (Decimal("1E-99999999"), "0.0"), (Fraction(1, 4), "0.25")],
)  # fmt: skip
async def test_scores(score: Any, text: str | None) -> None:
    """Never an exponent."""
    book = Gradebook()
    await outcomes.replace_result(OUTCOME, score, http=book, query_consumer=query)
    assert element(book, "textString") == (text or str(score))
    assert book.grades["grade-1"] == float(score)


@pytest.mark.parametrize(
    "score", [math.nan, math.inf, -0.1, 1.1, True, False, "0.9", None, b"1", 1j, Decimal("NaN"), Decimal("sNaN")]
)
async def test_what_is_no_score(score: Any) -> None:
    """Nothing is sent."""
    book = Gradebook()
    with pytest.raises(ValueError, match=r"number|NaN"):
        await outcomes.replace_result(OUTCOME, score, http=book, query_consumer=query)
    assert not hasattr(book, "sent")


async def test_result_data() -> None:
    """A text or a URL, not both."""
    book = Gradebook()
    await outcomes.replace_result(OUTCOME, 1, http=book, query_consumer=query, text="Ein <b>Aufsatz</b>")
    assert element(book, "text") == "Ein <b>Aufsatz</b>"
    await outcomes.replace_result(OUTCOME, 1, http=book, query_consumer=query, url="https://tool.example/work?a=1&b=2")
    assert element(book, "url") == "https://tool.example/work?a=1&b=2"
    with pytest.raises(ValueError, match="not both"):
        await outcomes.replace_result(OUTCOME, 1, http=book, query_consumer=query, url="a", text="b")
    with pytest.raises(ValueError, match=r"U\+0000"):
        await outcomes.replace_result(OUTCOME, 1, http=book, query_consumer=query, text="\0")


async def test_what_cannot_be_sent() -> None:
    """A launch that allows no grade, an unknown consumer, an Outcome without the hook."""
    book = Gradebook()
    with pytest.raises(ValueError, match="allows no grade"):
        await outcomes.read_result(Tool().verify(launched()), http=book)
    with pytest.raises(LookupError, match="unknown"):
        await outcomes.read_result(Outcome("other", URL, "a"), http=book, query_consumer=query)
    with pytest.raises(TypeError, match="query_consumer"):
        await outcomes.read_result(OUTCOME, http=book)
    with pytest.raises(ValueError, match="no http or https"):
        await outcomes.read_result(Outcome(KEY, "file:///etc/passwd", "a"), http=book, query_consumer=query)
    assert not hasattr(book, "sent")


class Answering:
    """A consumer that answers always the same."""

    def __init__(self, content: bytes | Exception, status_code: int = 200) -> None:
        self.content, self.status_code, self.count = content, status_code, 0

    def post(self, url: str, *, content: bytes, headers: dict[str, str]) -> SimpleNamespace:
        """Count, and answer."""
        self.count += 1
        if isinstance(self.content, Exception):
            raise self.content
        return SimpleNamespace(status_code=self.status_code, content=self.content)


def answer(code: str, description: str = "", *, namespace: str = NAMESPACE, score: str | None = None) -> bytes:
    """The XML of a consumer."""
    status = f"<imsx_codeMajor>{code}</imsx_codeMajor><imsx_description>{description}</imsx_description>"
    result = f"<result><resultScore><textString>{score}</textString></resultScore></result>" if score else ""
    return (
        f'<?xml version="1.0"?><imsx_POXEnvelopeResponse xmlns="{namespace}"><imsx_POXHeader>'
        f"<imsx_POXResponseHeaderInfo><imsx_statusInfo>{status}</imsx_statusInfo></imsx_POXResponseHeaderInfo>"
        f"</imsx_POXHeader><imsx_POXBody><readResultResponse>{result}</readResultResponse></imsx_POXBody>"
        "</imsx_POXEnvelopeResponse>"
    ).encode()


@pytest.mark.parametrize("namespace", [NAMESPACE, OLD_NAMESPACE])
async def test_both_namespaces(namespace: str) -> None:
    """An answer counts in either of them."""
    http = Answering(answer("success", namespace=namespace, score=" 8.5E-1 "))
    assert await outcomes.read_result(OUTCOME, http=http, query_consumer=query) == 0.85


@pytest.mark.parametrize(("code", "status_code"), [("failure", 200), ("Failure", 401), ("unsupported", 200)])
async def test_the_consumer_refuses(code: str, status_code: int) -> None:
    """The error has the consumer's text, which cannot forge a line of the log."""
    http = Answering(answer(code, "Kein Kurs für\nCRITICAL: grade-1"), status_code)
    with pytest.raises(OutcomeError, match=r"Kein Kurs für\\nCRITICAL: grade-1") as raised:
        await outcomes.replace_result(OUTCOME, 0.5, http=http, query_consumer=query)
    error = raised.value
    assert not isinstance(error, OutcomeUnclearError)
    assert (error.description, error.status_code) == ("Kein Kurs für\nCRITICAL: grade-1", status_code)
    assert (error.code_major, http.count) == (code.lower(), 1)


@pytest.mark.parametrize(
    ("content", "status_code"),
    [
        (b"", 204),
        (b"", 200),
        (b" \n", 200),
        (b"<html><body>Sign in</body></html>", 200),
        (b"<!doctype html><p>Sign in", 200),
        (b"<html/>", 302),
        (b"OK", 200),
        (b"Bad gateway", 502),
        (answer("processing"), 200),
        (answer(""), 200),
        (answer("success"), 500),
        (answer("success", namespace="urn:other"), 200),
        (answer("success").replace(b"<imsx_POXE", b"<!DOCTYPE a><imsx_POXE", 1), 200),
        (answer("success") + b" " * 65_536, 200),
        (httpx.ReadTimeout("slow"), 0),
        (TimeoutError(), 0),
        (ConnectionResetError("reset"), 0),
    ],
)
async def test_an_unclear_answer(content: bytes | Exception, status_code: int) -> None:
    """The grade may be there; the request is not sent again."""
    http = Answering(content, status_code)
    with pytest.raises(OutcomeUnclearError):
        await outcomes.replace_result(OUTCOME, 0.5, http=http, query_consumer=query)
    assert http.count == 1


@pytest.mark.parametrize("score", ["abc", "85", "NaN", "-1", "0,85"])
async def test_a_score_that_cannot_be_read(score: str) -> None:
    """It is not taken for another one, or for none."""
    with pytest.raises(OutcomeUnclearError, match="no number from 0 to 1"):
        await outcomes.read_result(OUTCOME, http=Answering(answer("success", score=score)), query_consumer=query)


async def test_a_mistake_of_the_program() -> None:
    """An object that cannot post is not an unclear answer."""
    with pytest.raises(AttributeError):
        await outcomes.read_result(OUTCOME, http=object(), query_consumer=query)  # type: ignore[arg-type]


async def test_secrets_stay_secret() -> None:
    """No error has the secret, and no repr the sourcedid."""
    with pytest.raises(OutcomeUnclearError) as raised:
        await outcomes.replace_result(OUTCOME, 0.5, http=Answering(b""), query_consumer=query)
    assert SECRET not in str(raised.value)
    assert "grade-1" not in repr(OUTCOME)
