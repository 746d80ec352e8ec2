"""Each request with a mistake is refused, and explained by the code that it was built for."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from async_oauth1.explain import Secrets, WireRequest, explain
from async_oauth1.explain.said import explain_said
from async_oauth1.probing.signing import Message
from async_oauth1.protocol.signature import SIGNATURE_METHODS
from async_oauth1.testing import BrokenAuth, OAuth1Server


def test_each_mistake_is_explained_by_its_code(oauth1_server: OAuth1Server) -> None:
    """A provider that explains its refusals names the code, for every code but two.

    It knows no former secrets here, and a provider names no cause for a wrong secret.
    """
    keys = oauth1_server.client()
    token = oauth1_server.token(keys)
    wrong: dict[str, object] = {}
    for code in sorted({*BrokenAuth.codes} - {"former_secret", "key"}):
        oauth1_server.clear()
        path = "/signed" if code == "empty_token" else "/echo"
        auth = BrokenAuth(code, keys.client_id, keys.client_secret, *(() if code == "empty_token" else token))
        url = f"{oauth1_server.url}{path}/a%20b?file=vacation.jpg&q=x%20y&u=%C3%BC&public=true"
        body = {"json": {"note": "x y", "ü": [1]}} if code == "body_included" else {"data": {"note": "x y"}}
        answer = httpx.post(url, auth=auth, **body)
        [recorded] = oauth1_server.requests
        if not 400 <= answer.status_code < 500 or code not in [str(cause) for cause in recorded.causes]:
            wrong[code] = (answer.status_code, recorded.error, recorded.causes)
    assert wrong == {}


def test_an_unknown_code() -> None:
    """The error names the codes."""
    with pytest.raises(ValueError, match="the codes are ampersand_missing, body_hash, body_included, charset"):
        BrokenAuth("nothing", "client", "secret")


KEYS = Secrets(client_secrets=("secret",), token_secret="token secret", former=(("client", "old secret"),))


def arrived(code: str, body: bytes = b"", media_type: str = "text/plain", **options: Any) -> WireRequest:
    """A request with a mistake, as the provider gets it."""
    headers = ((b"Content-Type", media_type.encode()),)
    message = Message(
        method="POST",
        scheme="https",
        host="photos.test",
        path=b"/photos",
        query=b"size=large",
        headers=headers,
        body=body,
    )
    sent = BrokenAuth(code, "client", "secret", "token", "token secret", **options).sign(message)
    return WireRequest(
        method=sent.method,
        scheme=sent.scheme,
        host=sent.host,
        path=sent.path,
        query=sent.query,
        headers=sent.headers,
        body=sent.body,
    )


@pytest.mark.parametrize("method", [name for name in SIGNATURE_METHODS if not name.startswith("RSA")])
def test_a_former_secret(method: str) -> None:
    """It is the reason if the provider still knows it, by each method with a shared secret."""
    wire = arrived("former_secret", former_secret="old secret", signature_method=method)
    assert [cause.code for cause in explain(wire, KEYS).causes] == ["former_secret"]


@pytest.mark.parametrize("options", [{"code": "former_secret"}, {"code": "key", "former_secret": "old"}])
def test_the_former_secret_belongs_to_its_code(options: dict[str, str]) -> None:
    """Nothing can be signed with one that is not given, and another code would not use it."""
    with pytest.raises(ValueError, match="former_secret="):
        BrokenAuth(client_id="client", **options)


def test_a_wrong_secret() -> None:
    """No cause of the provider, whose base string is the client's, so the key is wrong."""
    wire = arrived("key")
    explanation = explain(wire, KEYS)
    assert (explanation.verifies, explanation.causes) == (False, ())
    assert explain_said(wire, explanation.base_string).causes[0].code == "key"


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (b'{"a": 1, "b": {"c": "\xc3\xbc"}}', "application/json"),
        (b"[1, 2]", "application/json"),
        (b"plain text", "text/plain"),
        (b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--x--\r\n', "multipart/form-data; boundary=x"),
    ],
)
def test_a_body_that_is_no_form(body: bytes, media_type: str) -> None:
    """JSON, text and multipart forms are counted as clients do that sign them."""
    wire = arrived("body_included", body, media_type)
    assert [cause.code for cause in explain(wire, KEYS).causes] == ["body_included"]


@pytest.mark.parametrize("code", ["sorting", "secret_encoding"])
@pytest.mark.parametrize("place", ["header", "query"])
def test_mistakes_that_need_nothing(code: str, place: str) -> None:
    """Any request can have them, wherever its parameters stand."""
    assert [cause.code for cause in explain(arrived(code, place=place), KEYS).causes] == [code]
