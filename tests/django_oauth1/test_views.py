"""Protected views, and requests that must be refused with a 4xx."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.test import override_settings
from django.utils.decorators import method_decorator
from django.views import View

from async_oauth1.django import CacheAuthorizationServer, ModelAuthorizationServer, ResourceProtector
from async_oauth1.errors import StoreUnavailableError
from examples.django_provider.models import Client, Token

from .requesting import asgi, signed, wsgi

pytestmark = pytest.mark.usefixtures("database")


def view(request: HttpRequest, **_: Any) -> JsonResponse:
    credential: Any = vars(request)["oauth1_credential"]
    return JsonResponse({"owner": credential.user.username, "form": dict(request.POST.lists())})


def protect(**demands: Any) -> Any:
    return ResourceProtector(Client, Token)(**demands)(view)


def body_of(response: HttpResponse) -> Any:
    return json.loads(response.content)


def test_repeated_parameters_are_verified_as_sent() -> None:
    """Repeated names, invalid UTF-8 and escapes verify, and the view still has the form."""
    request = wsgi(*signed("POST", "/photos/a%2Fb?q=1&q=2&e=", "a=1&a=2&b=%C3%BC"))
    answer = protect()(request)
    assert answer.status_code == 200, answer.content
    assert body_of(answer) == {"owner": "jane", "form": {"a": ["1", "2"], "b": ["ü"]}}


def test_a_changed_form_is_refused() -> None:
    """The octets count."""
    method, target, body, headers = signed("POST", "/photos", "a=1&a=2")
    assert protect()(wsgi(method, target, body.replace(b"a=2", b"a=3"), headers)).status_code == 401


async def test_async_views_verify_without_blocking() -> None:
    """An async view, over an ASGI request; a replay is refused."""

    @ResourceProtector(Client, Token)()
    async def photos(request: HttpRequest) -> JsonResponse:
        return JsonResponse({"owner": (await Token.objects.select_related("user").aget()).user.username})

    made = signed("POST", "/photos?q=%E4%BD%A0", "a=1&a=2")
    answer = await photos(asgi(*made))
    assert body_of(answer) == {"owner": "jane"}
    assert (await photos(asgi(*made))).status_code == 401


async def test_methods_of_a_class_based_view_are_protected() -> None:
    """``method_decorator`` works on an async view, too."""

    @method_decorator(ResourceProtector(Client, Token)(), name="dispatch")
    class Photos(View):
        async def get(self, request: HttpRequest) -> HttpResponse:
            return HttpResponse("photos")

    answer: Any = await Photos.as_view()(asgi(*signed("GET", "/photos")))  # type: ignore[misc]
    assert answer.content == b"photos"
    assert (await Photos.as_view()(asgi("GET", "/photos"))).status_code == 400  # type: ignore[misc]


def test_overrides_may_be_async() -> None:
    """In a synchronous view, too."""

    class Protector(ResourceProtector[Client, Token]):
        async def get_client_by_id(self, client_id: str) -> Client | None:  # type: ignore[override]
            return await Client.objects.filter(client_id=client_id).afirst()

    assert Protector(Client, Token)()(view)(wsgi(*signed("GET", "/photos"))).status_code == 200


def test_one_verification_serves_two_demands() -> None:
    """The nonce is used once for each request."""
    protector = ResourceProtector(Client, Token)
    request = wsgi(*signed("GET", "/photos"))
    assert protector.acquire_credential(request) is protector.acquire_credential(request)


@pytest.mark.parametrize("size", [100, 2 * 1024 * 1024])
def test_a_form_over_a_limit_is_413(size: int) -> None:
    """Django's limit, and the policy's."""
    with override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=50):
        assert protect()(wsgi(*signed("POST", "/photos", f"a={'x' * size}"))).status_code == 413


def test_a_body_that_is_gone_is_never_taken_for_an_empty_one() -> None:
    """Something has read the body: 400."""
    for is_read in (lambda request: request.read(), lambda request: request.read(3)):
        request = wsgi(*signed("POST", "/photos", ""), CONTENT_TYPE="application/x-www-form-urlencoded")
        request = WSGIRequest(
            {**request.environ, "CONTENT_LENGTH": "3", "wsgi.input": __import__("io").BytesIO(b"a=1")}
        )
        is_read(request)
        answer = protect()(request)
        assert answer.status_code == 400
        assert "read before" in body_of(answer)["error_description"]


def test_a_form_shorter_than_announced_is_refused() -> None:
    """A client that hung up."""
    method, target, body, headers = signed("POST", "/photos", "a=1")
    assert protect()(wsgi(method, target, body, headers, CONTENT_LENGTH="9")).status_code == 400


@pytest.mark.parametrize(
    "target",
    [
        "/photos?oauth_consumer_key=%00&oauth_token=t",
        "/photos?oauth_consumer_key=%FF%FE&oauth_token=%ED%A0%80",
        "/photos?oauth_consumer_key=printer&oauth_token=%00",
        "/photos?oauth_consumer_key=printer&oauth_token=" + "x" * 300,
        "/photos?oauth_consumer_key=printer&oauth_token=t&oauth_token=t",
        "/photos?oauth_consumer_key=printer&oauth_token=t&oauth_timestamp=x&oauth_nonce=n",
    ],
)
def test_odd_identifiers_are_4xx(target: str) -> None:
    """No octets make the database or the cache fail."""
    for answer in (
        protect()(wsgi("GET", target)),
        CacheAuthorizationServer(Client, Token).create_token_response(wsgi("POST", target)),
        ModelAuthorizationServer(Client, Token).create_token_response(wsgi("POST", target)),
    ):
        assert 400 <= answer.status_code < 500


def test_a_host_that_is_not_allowed_is_400() -> None:
    """Not Django's page."""
    assert protect()(wsgi("GET", "/photos", HTTP_HOST="evil.example")).status_code == 400


def test_a_cache_that_fails_is_503() -> None:
    """Nothing is accepted that could not be checked."""
    caches = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1"}}
    with override_settings(CACHES=caches, AUTHLIB_OAUTH1_PROVIDER={}):
        answer = protect()(wsgi(*signed("GET", "/photos")))
        assert answer.status_code == 503
        assert answer["Retry-After"] == str(StoreUnavailableError.retry_after)


def test_an_anonymous_user_approves_nothing() -> None:
    """A view without ``login_required``: 403."""
    from django.contrib.auth.models import AnonymousUser
    from django.core.exceptions import PermissionDenied

    with pytest.raises(PermissionDenied):
        ModelAuthorizationServer(Client, Token).create_authorization_response(
            wsgi("POST", "/?oauth_token=x"), AnonymousUser()
        )


def test_secrets_are_not_in_any_repr() -> None:
    """Neither of the cache's credentials nor of the models."""
    from async_oauth1.django.models import TemporaryCredential
    from async_oauth1.django.pending import PendingCredential

    values = {"oauth_token": "token", "oauth_token_secret": "hidden", "client_id": "printer"}
    assert "hidden" not in repr(PendingCredential(values))
    assert "hidden" not in repr(TemporaryCredential(**values))
