"""What the outcome service answers, and that nothing is stored that it refuses."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from async_oauth1.lti import LTIConsumer, OutcomeService
from async_oauth1.stores import MemoryStore

from .service import KEY, OLD_NAMESPACE, SECRET, Gradebook, envelope, posted, signed


@pytest.mark.parametrize("method", ["HMAC-SHA1", "HMAC-SHA256"])
@pytest.mark.parametrize(
    "body",
    [
        envelope(),
        envelope(namespace=OLD_NAMESPACE),
        envelope(declaration=""),
        "\ufeff" + envelope(),
        envelope(score="\n 0.92 "),
    ],
)
def test_a_grade_is_stored(body: str, method: str) -> None:
    """Both methods, both namespaces."""
    book = Gradebook()
    reply = book.answer(signed(body, method=method))
    assert reply.code == (200, "success")
    assert reply["imsx_messageRefIdentifier"] == "message-1"
    assert reply["imsx_operationRefIdentifier"] == "replaceResult"
    assert reply["imsx_messageIdentifier"]
    assert book.calls == [("replace", KEY, "grade-1", 0.92)]


def test_prefixes_and_escapes() -> None:
    """Elements may have a prefix, and the sourcedid may be written in any way that XML has."""
    text = envelope(sourcedid="a&amp;b<![CDATA[<c>]]>&#246;").replace("<imsx", "<p:imsx").replace("</imsx", "</p:imsx")
    for name in ("replaceResultRequest", "resultRecord", "sourcedGUID", "sourcedId", "resultScore", "result>"):
        text = text.replace(f"<{name}", f"<p:{name}").replace(f"</{name}", f"</p:{name}")
    text = text.replace("<textString", "<p:textString").replace("</textString", "</p:textString")
    book = Gradebook({"a&b<c>ö": None})
    assert book.answer(signed(text.replace("xmlns=", "xmlns:p="))).code == (200, "success")
    assert book.grades["a&b<c>ö"] == 0.92


@pytest.mark.parametrize(("score", "number"), [("0", 0.0), ("1", 1.0), ("1.000", 1.0), (".5", 0.5), ("0.00001", 1e-5)])
def test_scores(score: str, number: float) -> None:
    """Any decimal from 0 to 1."""
    book = Gradebook()
    assert book.answer(signed(envelope(score=score))).code == (200, "success")
    assert book.grades["grade-1"] == number


@pytest.mark.parametrize(
    "score",
    ["1.5", "NaN", "nan", "-0.1", "1.0000000000000000000001", "inf", "1e-5", "0,92", "92%", "", " ", "٠.٥", "0x1",
     "True", "1_0", "+0.5", "0.9</textString><textString>0.8", "0.9<b/>2", "9" * 60_000],
)  # fmt: skip
def test_a_score_that_is_none(score: str) -> None:
    """Failure with 200, and no hook is asked."""
    book = Gradebook()
    reply = book.answer(signed(envelope(score=score)))
    assert reply.code == (200, "failure")
    assert reply["imsx_messageRefIdentifier"] == "message-1"
    assert "decimal from 0 to 1" in str(reply["imsx_description"])
    assert book.calls == []


def test_a_score_that_is_missing() -> None:
    """Likewise."""
    book = Gradebook()
    assert book.answer(signed(envelope(score=None))).code == (200, "failure")
    assert book.calls == []


@pytest.mark.parametrize("operation", ["replaceResult", "readResult", "deleteResult"])
@pytest.mark.parametrize("sourcedid", ["unknown", "", "grade-1</sourcedId><sourcedId>grade-2", "grade-1<b/>"])
def test_an_unknown_sourcedid(operation: str, sourcedid: str) -> None:
    """Failure with 200; so is one that is sent twice."""
    book = Gradebook()
    assert book.answer(signed(envelope(operation, sourcedid=sourcedid))).code == (200, "failure")
    assert book.grades == {"grade-1": None}


@pytest.mark.parametrize("operation", ["replaceMembership", "readAllResults", "replaceresult", "replace"])
def test_other_operations(operation: str) -> None:
    """Unsupported with 200, named in the answer."""
    reply = Gradebook().answer(signed(envelope(operation)))
    assert reply.code == (200, "unsupported")
    assert reply["imsx_operationRefIdentifier"] == operation


@pytest.mark.parametrize("operation", ["replaceResult", "readResult", "deleteResult"])
def test_hooks_that_are_not_there(operation: str) -> None:
    """Unsupported with 200; what does not verify is 401 all the same."""
    book = Gradebook(hooks=())
    assert book.answer(signed(envelope(operation))).code == (200, "unsupported")
    assert book.answer(signed(envelope(operation), secret="wrong")).code == (401, "failure")


@pytest.mark.parametrize(
    ("grade", "text"), [(None, ""), (0.5, "0.5"), (0, "0.0"), (1e-5, "0.00001"), (Decimal("0.92"), "0.92")]
)
def test_read(grade: Any, text: str) -> None:
    """The score without an exponent, and an empty one if there is none yet."""
    reply = Gradebook({"grade-1": grade}).answer(signed(envelope("readResult", score=None)))
    assert reply.code == (200, "success")
    assert (reply["textString"] or "") == text


def test_delete() -> None:
    """The hook is asked without a score."""
    book = Gradebook({"grade-1": 0.5})
    assert book.answer(signed(envelope("deleteResult", score=None))).code == (200, "success")
    assert book.calls == [("delete", KEY, "grade-1")]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not xml",
        b"<html><body>hello</body></html>",
        envelope()[:-5],
        envelope() + "<a/>",
        envelope(namespace="urn:other"),
        envelope().replace(' xmlns="', ' other="'),
        envelope().replace("EnvelopeRequest", "EnvelopeResponse"),
        envelope(declaration='<?xml version="1.0" encoding="ISO-8859-1"?>'),
        envelope(declaration='<?xml version="1.0" encoding="UTF-16"?>'),
        envelope(sourcedid="ö").encode("latin-1"),
        envelope(declaration="").encode("utf-16"),
        envelope(declaration="").encode("utf-16-le"),
        envelope(declaration="").encode("utf-7").replace(b"<", b"+ADw-"),
        envelope(declaration="<!DOCTYPE a>"),
        envelope(declaration='<!DOCTYPE a [<!ENTITY b "grade-1">]>', sourcedid="&b;"),
        envelope(declaration='<!DOCTYPE a SYSTEM "file:///etc/passwd">'),
        envelope(sourcedid="&unknown;"),
        envelope(sourcedid="\0"),
        envelope(sourcedid="a" * 64 * 1024),
    ],
)
def test_what_is_no_envelope(body: str | bytes) -> None:
    """Malformed, of another kind, in another encoding, with entities, or too large: 400, and no hook is asked."""
    book = Gradebook()
    reply = book.answer(signed(body))
    assert reply.code == (400, "failure")
    assert reply["imsx_messageRefIdentifier"] is None
    assert book.calls == []


def test_another_charset_in_the_header() -> None:
    """400, since two parsers would read two texts."""
    assert Gradebook().answer(signed(envelope(), content_type="text/xml; charset=ISO-8859-1")).code == (400, "failure")
    assert Gradebook().answer(signed(envelope(), content_type='text/xml; charset="utf-8"')).code == (200, "success")


@pytest.mark.parametrize("body", ["<imsx_POXBody></imsx_POXBody>", "<imsx_POXBody><a/><b/></imsx_POXBody>", ""])
def test_an_envelope_without_one_operation(body: str) -> None:
    """400, with the identifier of the message."""
    text = envelope()
    before, _, rest = text.partition("<imsx_POXBody>")
    reply = Gradebook().answer(signed(before + body + rest.partition("</imsx_POXBody>")[2]))
    assert reply.code == (400, "failure")
    assert reply["imsx_messageRefIdentifier"] == "message-1"


def test_64_kib_are_read() -> None:
    """One octet more is refused."""
    book = Gradebook()
    padding = " " * (64 * 1024 - len(envelope()))
    assert book.answer(signed(envelope() + padding)).code == (200, "success")
    assert book.answer(signed(envelope() + padding + " ")).code == (400, "failure")


@pytest.mark.parametrize("text", ["<a>" * 20_000, "<a/>" * 16_000, "<a b='" + "c" * 60_000 + "'/>"])
def test_deep_wide_and_long_documents(text: str) -> None:
    """They are answered like others."""
    assert Gradebook().answer(signed(text)).code == (400, "failure")
    assert Gradebook().answer(signed(envelope(sourcedid=text[:50_000]))).status_code in (200, 400)


def without(request: Any, name: str) -> Any:
    """The request without a header."""
    headers = {key.decode(): value.decode() for key, value in request.raw_headers if key != name.encode()}
    return posted(request.body, headers)


def test_what_does_not_verify() -> None:
    """401, with the identifier of the message, and no hook is asked."""
    book = Gradebook()
    request = signed(envelope())
    tampered = posted(request.body.replace(b"0.92", b"1.00"), {k.decode(): v.decode() for k, v in request.raw_headers})
    hash_missing = {
        key.decode(): value.decode().replace("oauth_body_hash", "oauth_other") for key, value in request.raw_headers
    }
    for refused in (
        without(request, "authorization"),
        tampered,
        posted(request.body, hash_missing),
        signed(envelope(), secret="wrong"),
        signed(envelope(), key="unknown"),
        signed(envelope(), content_type="application/x-www-form-urlencoded"),
    ):
        reply = book.answer(refused)
        assert reply.code == (401, "failure")
        assert reply["imsx_messageRefIdentifier"] == "message-1"
        assert reply.headers["WWW-Authenticate"].startswith("OAuth")
    assert book.calls == []


def test_an_unknown_key_looks_like_a_wrong_secret() -> None:
    """So does a disabled one."""
    book = Gradebook()
    book.consumers["off"] = LTIConsumer(client_id="off", client_secret=SECRET, disabled=True)
    requests = [signed(envelope(), key="unknown"), signed(envelope(), secret="wrong"), signed(envelope(), key="off")]
    replies = [book.answer(request) for request in requests]
    assert {(reply.code, reply["imsx_description"]) for reply in replies} == {
        ((401, "failure"), replies[0]["imsx_description"])
    }


def test_a_request_counts_once() -> None:
    """A copy is refused, and the grade stays."""
    book = Gradebook()
    request = signed(envelope())
    assert book.answer(request).code == (200, "success")
    assert book.answer(request).code == (401, "failure")
    assert len(book.calls) == 1


def test_other_methods() -> None:
    """405, in XML too."""
    reply = Gradebook().answer(posted(b"", {}, method="GET"))
    assert (reply.code, reply.headers["Allow"]) == ((405, "failure"), "POST")


def test_plain_http_is_refused() -> None:
    """401, unless both ends are on loopback."""
    request = signed(envelope())
    headers = {key.decode(): value.decode() for key, value in request.raw_headers}
    reply = Gradebook().answer(posted(request.body or b"", headers, "http://lms.example/outcomes"))
    assert reply.code == (401, "failure")


def failing(*_: object) -> bool:
    """A hook whose database is down."""
    raise ConnectionError("down")


@pytest.mark.parametrize("hook", ["query_consumer", "exists_nonce", "replace"])
def test_a_store_that_is_down(hook: str) -> None:
    """503 and failure: nothing is confirmed that was not stored."""
    book = Gradebook()
    book.service.register_hook(hook, failing)
    reply = book.answer(signed(envelope()))
    assert reply.code == (503, "failure")
    assert reply.headers["Retry-After"]


async def test_async_hooks_and_a_store() -> None:
    """Hooks may be coroutine functions, and a store fills the others."""
    grades: dict[str, float] = {}

    async def replace(consumer: Any, sourcedid: str, score: float) -> None:
        grades[sourcedid] = score

    service = OutcomeService(replace=replace)
    store = MemoryStore()
    await store.add_client(LTIConsumer(client_id=KEY, client_secret=SECRET))
    service.register_hooks(store)
    assert (await service.respond(signed(envelope()))).status_code == 200
    assert grades == {"grade-1": 0.92}


def test_a_token_is_never_looked_up() -> None:
    """A request with a token is 401, although its signature holds without one."""
    book = Gradebook()
    request = signed(envelope())
    headers = {key.decode(): value.decode() for key, value in request.raw_headers}
    headers["authorization"] += ', oauth_token="stolen"'
    assert book.answer(posted(request.body or b"", headers)).code == (401, "failure")
    assert book.nonces == set()
