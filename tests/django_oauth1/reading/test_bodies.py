"""Bodies that something else has read, that are announced wrongly, or that hold files: a 4xx, or the whole body."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.test import override_settings
from oauthlib.oauth1 import SIGNATURE_TYPE_AUTH_HEADER, SIGNATURE_TYPE_QUERY
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.views import APIView

from async_oauth1.django import ResourceProtector
from async_oauth1.django.rest_framework import OAuth1Authentication
from examples.django_provider.models import Client, Token

from ..requesting import FORM, asgi, signed, signer, wsgi

pytestmark = pytest.mark.usefixtures("database")

BOUNDARY = "multipart/form-data; boundary=b"
UPLOAD = (
    b'--b\r\nContent-Disposition: form-data; name="title"\r\n\r\nbeach\r\n'
    b'--b\r\nContent-Disposition: form-data; name="photo"; filename="a.jpg"\r\n\r\nJPEG\r\n--b--\r\n'
)


def view(request: HttpRequest) -> JsonResponse:
    """Read a body in both ways."""
    files = {name: file.read().decode() for name, file in request.FILES.items()}
    return JsonResponse({"octets": len(request.body), "form": request.POST.dict(), "files": files})


def ask(request: Any, **demands: Any) -> Any:
    return ResourceProtector(Client, Token)(**demands)(view)(request)


def upload(signature_type: str) -> WSGIRequest:
    """A signed request with a file; oauthlib adds the body hash."""
    given = signer(signature_type=signature_type)
    sent, headers, body = given.sign("http://localhost/photos", "POST", UPLOAD.decode(), {"Content-Type": BOUNDARY})
    assert "oauth_body_hash" in f"{sent}{headers}"
    return wsgi("POST", sent.removeprefix("http://localhost"), body.encode(), headers)


in_both = pytest.mark.parametrize("signature_type", [SIGNATURE_TYPE_QUERY, SIGNATURE_TYPE_AUTH_HEADER])


@in_both
def test_an_upload_has_a_body_hash(signature_type: str) -> None:
    """It is compared with the whole body, and the view has fields, files and octets."""
    answer = ask(upload(signature_type), body_hash_required=True)
    expected = {"octets": len(UPLOAD), "form": {"title": "beach"}, "files": {"photo": "JPEG"}}
    assert (answer.status_code, answer.content) == (200, JsonResponse(expected).content)


@in_both
def test_an_upload_that_was_changed_is_refused(signature_type: str) -> None:
    """Its body hash differs."""
    sent = upload(signature_type)
    changed = type(sent)({**sent.environ, "wsgi.input": BytesIO(UPLOAD.replace(b"JPEG", b"EVIL"))})
    assert ask(changed, body_hash_required=True).status_code == 401


def test_an_upload_that_a_middleware_has_parsed() -> None:
    """Without a body hash it is accepted; with one, it cannot be compared any more: 400."""
    sent = upload(SIGNATURE_TYPE_AUTH_HEADER)
    assert sent.POST["title"] == "beach"
    answer = ask(sent, body_hash_required=True)
    assert answer.status_code == 400
    assert b"read before" in answer.content
    method, target, _, headers = signed("GET", "/photos")
    plain = wsgi(method, target, UPLOAD, {**headers, "Content-Type": BOUNDARY})
    assert plain.FILES == {}
    assert ResourceProtector(Client, Token)()(lambda _: HttpResponse())(plain).status_code == 200


@pytest.mark.parametrize("limit", [10, len(UPLOAD) - 1])
def test_a_body_hash_over_more_than_django_reads_is_413(limit: int) -> None:
    """DATA_UPLOAD_MAX_MEMORY_SIZE counts for everything that is read into memory."""
    with override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=limit):
        assert ask(upload(SIGNATURE_TYPE_AUTH_HEADER), body_hash_required=True).status_code == 413


@pytest.mark.parametrize("make", [wsgi, asgi])
@pytest.mark.parametrize("length", ["abc", "-1", "+3", "3_0", " 3", "3,3", "\xb2", "9" * 5000])
@pytest.mark.parametrize("kind", [FORM, "application/json", BOUNDARY])
def test_a_malformed_length_is_4xx(make: Any, length: str, kind: str) -> None:
    """Django fails at some, and reads others as another number; neither is a 500."""
    method, target, body, headers = signed("POST", "/photos", "a=1")
    for sent in (
        make(method, target, body, {**headers, "Content-Type": kind}),
        make(method, f"{target}?oauth_token=t", body, {"Content-Type": kind}),
    ):
        sent.META["CONTENT_LENGTH"] = length
        assert ask(sent, body_hash_required=True).status_code in (400, 401)


@pytest.mark.parametrize("make", [wsgi, asgi])
def test_a_chunked_form(make: Any) -> None:
    """Under ASGI it is verified. Under WSGI Django does not read it, and the refusal says so."""
    sent = make(*signed("POST", "/photos", "a=1"))
    del sent.META["CONTENT_LENGTH"]
    sent.META["HTTP_TRANSFER_ENCODING"] = "chunked"
    answer = ask(sent)
    assert answer.status_code == (200 if make is asgi else 400)
    assert (b"chunked" in answer.content) is (make is wsgi)


@pytest.mark.parametrize("kind", [f"{FORM}\xa0", f"\x0b{FORM}", f"{FORM}\x1f;charset=utf-8", f"{FORM}, text/plain"])
def test_a_form_in_disguise_is_refused(kind: str) -> None:
    """Django strips more from a Content-Type than white space, and would read a form that no signature covers."""
    for make in (wsgi, asgi):
        method, target, _, headers = signed("POST", "/photos")
        sent = make(method, target, b"a=1", {**headers})
        sent.META["CONTENT_TYPE"] = kind
        if make is asgi:
            sent.scope["headers"].append((b"content-type", kind.encode("latin-1")))
        assert ask(sent).status_code == 415


class OAuth1(OAuth1Authentication):
    protector = ResourceProtector(Client, Token)


class Hashed(OAuth1):
    body_hash_required = True


class Early(APIView):
    """Reads the body before the request is authenticated."""

    authentication_classes = (OAuth1,)
    permission_classes = (AllowAny,)

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        _ = request.data
        super().initial(request, *args, **kwargs)

    def post(self, request: Any) -> Response:
        return Response({"token": request.auth and request.auth.oauth_token})


class EarlyHashed(Early):
    authentication_classes = (Hashed,)


class Decorated(APIView):
    """Its method is protected, and gets the framework's request."""

    authentication_classes = ()

    @staticmethod
    def posted(request: Any) -> Response:
        return Response({"token": request.oauth1_credential.oauth_token, **request.data.dict()})

    def post(self, request: Any) -> Any:
        return ResourceProtector(Client, Token)()(self.posted)(request)


def answer_of(kind: type[APIView], sent: Any) -> Any:
    with override_settings(REST_FRAMEWORK={"DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"]}):
        return kind.as_view()(sent)


def test_a_parser_that_reads_a_body_first() -> None:
    """A form that was parsed before the authentication is verified, and never taken for an empty one."""
    method, target, body, headers = signed("POST", "/photos", "a=1")
    assert answer_of(Early, wsgi(method, target, body, headers)).data == {"token": "t"}
    assert answer_of(Early, wsgi(method, target, b"a=2", headers)).status_code == 401


def test_a_parser_that_reads_json_first() -> None:
    """JSON is in no signature; if a body hash is required, it cannot be compared any more: 400."""
    method, target, _, headers = signed("POST", "/photos")
    sent = {**headers, "Content-Type": "application/json"}
    assert answer_of(Early, wsgi(method, target, b"{}", sent)).data == {"token": "t"}
    method, target, _, headers = signed("POST", "/photos?oauth_body_hash=x")
    assert answer_of(EarlyHashed, wsgi(method, target, b"{}", {**sent, **headers})).status_code == 400


@pytest.mark.parametrize("make", [wsgi, asgi])
def test_a_method_of_a_rest_view_may_be_decorated(make: Any) -> None:
    """The framework's request wraps Django's, under ASGI as well."""
    assert answer_of(Decorated, make(*signed("POST", "/photos", "a=1"))).data == {"token": "t", "a": "1"}


def test_a_malformed_length_authenticates_nothing() -> None:
    """With the parameters in the form, too, and without an error of the server."""
    sent = wsgi("POST", "/photos", b"oauth_token=t", {"Content-Type": FORM})
    sent.META["CONTENT_LENGTH"] = "abc"
    assert OAuth1().authenticate(APIView().initialize_request(sent)) is None
