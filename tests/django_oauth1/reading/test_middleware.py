"""Middleware and views of both kinds, in Django's own handlers for WSGI and ASGI."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from asgiref.sync import iscoroutinefunction, sync_to_async
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.test import AsyncClient, override_settings
from django.test import Client as Browser
from django.urls import path
from django.utils.decorators import sync_and_async_middleware

from async_oauth1.django import ResourceProtector
from async_oauth1.errors import OAuth1Error
from examples.django_provider.models import Client, Token

from ..requesting import FORM, signer

pytestmark = pytest.mark.usefixtures("database")

require_oauth = ResourceProtector(Client, Token)


@require_oauth()
def in_thread(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"form": dict(request.POST.lists())})


@require_oauth()
async def on_loop(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"form": dict(request.POST.lists())})


urlpatterns = [path("in-thread", in_thread), path("on-loop", on_loop)]


@sync_and_async_middleware
def parse(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Parses every form, as one that logs or checks fields does."""

    async def on_loop(request: HttpRequest) -> Any:
        _ = request.POST
        return await get_response(request)

    def in_thread(request: HttpRequest) -> Any:
        _ = request.POST
        return get_response(request)

    return on_loop if iscoroutinefunction(get_response) else in_thread


def drain(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Reads every body as a stream."""

    def middleware(request: HttpRequest) -> HttpResponse:
        request.read()
        return get_response(request)

    return middleware


def protect(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Protects the whole site, besides what protects the views."""

    def middleware(request: HttpRequest) -> HttpResponse:
        try:
            require_oauth.acquire_credential(request)
        except OAuth1Error as error:
            return require_oauth.error_response(error)
        return get_response(request)

    return middleware


@sync_and_async_middleware
def protect_both(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """The same for async requests."""

    async def on_loop(request: HttpRequest) -> Any:
        try:
            await require_oauth.aacquire_credential(request)
        except OAuth1Error as error:
            return require_oauth.error_response(error)
        return await get_response(request)

    return on_loop if iscoroutinefunction(get_response) else protect(get_response)


async def post_async(target: str, body: bytes, headers: dict[str, str]) -> Any:
    return await AsyncClient().post(target, body, content_type=FORM, headers=headers, secure=True)


def post_sync(target: str, body: bytes, headers: dict[str, str]) -> Any:
    return Browser().post(target, body, content_type=FORM, headers=headers, secure=True)


Post = Callable[[str, bytes, dict[str, str]], Awaitable[Any]]
posts = pytest.mark.parametrize("post", [post_async, sync_to_async(post_sync)], ids=["asgi", "wsgi"])
views = pytest.mark.parametrize("view", ["/in-thread", "/on-loop"])


@pytest.fixture(autouse=True)
def insecure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Django's async client has port 0, as a peer has whose address comes from a header."""
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "true")


def below(*names: str) -> Any:
    """Django behind some of this module's middleware."""
    return override_settings(
        ROOT_URLCONF=__name__,
        ALLOWED_HOSTS=["testserver"],
        MIDDLEWARE=["django.middleware.csrf.CsrfViewMiddleware", *(f"{__name__}.{name}" for name in names)],
    )


def form(view: str) -> tuple[bytes, dict[str, str]]:
    _, headers, body = signer().sign(f"https://testserver{view}", "POST", "a=1&a=2", {"Content-Type": FORM})
    return body.encode(), {"Authorization": headers["Authorization"]}


@posts
@views
@pytest.mark.parametrize(
    "names", [(), ("parse",), ("protect",), ("protect_both",), ("parse", "protect_both", "protect")]
)
async def test_views_of_both_kinds_have_what_was_verified(post: Post, view: str, names: tuple[str, ...]) -> None:
    """Behind any of them, once; a copy and a changed form are refused."""
    with below(*names):
        body, headers = form(view)
        answer = await post(view, body, headers)
        assert (answer.status_code, answer.content) == (200, b'{"form": {"a": ["1", "2"]}}')
        assert (await post(view, body, headers)).status_code == 401
        body, headers = form(view)
        assert (await post(view, body + b"&a=3", headers)).status_code == 401


@posts
@views
async def test_a_body_that_is_gone_is_400(post: Post, view: str) -> None:
    """Behind middleware that reads the stream."""
    with below("drain"):
        answer = await post(view, *form(view))
        assert answer.status_code == 400
        assert b"read before" in answer.content
