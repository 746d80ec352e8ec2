"""A Django provider whose clients and token credentials are its own models."""

# pyright: strict

from __future__ import annotations

from typing import reveal_type

from django.contrib.auth.models import User
from django.db import models
from django.http import HttpRequest, HttpResponse, JsonResponse

from async_oauth1.django import ModelAuthorizationServer, OAuth1HttpRequest, ResourceProtector


class Client(models.Model):
    client_id: models.CharField[str, str] = models.CharField(max_length=48, unique=True)
    client_secret: models.CharField[str, str] = models.CharField(max_length=120)

    def get_client_secret(self) -> str:
        return self.client_secret


class Token(models.Model):
    user: models.ForeignKey[User, User] = models.ForeignKey(User, on_delete=models.CASCADE)
    client_id: models.CharField[str, str] = models.CharField(max_length=48)
    oauth_token: models.CharField[str, str] = models.CharField(max_length=84, unique=True)
    oauth_token_secret: models.CharField[str, str] = models.CharField(max_length=84)

    def get_oauth_token(self) -> str:
        return self.oauth_token

    def get_oauth_token_secret(self) -> str:
        return self.oauth_token_secret


server = ModelAuthorizationServer(Client, Token)
require_oauth = ResourceProtector(Client, Token)
ResourceProtector(Client, str)  # refused

reveal_type(require_oauth)  # ResourceProtector[Client, Token]
reveal_type(require_oauth.token_model)  # type[Token]


async def token(request: HttpRequest) -> HttpResponse:
    return await server.acreate_token_response(request)


@require_oauth
def photos(request: OAuth1HttpRequest[Token]) -> JsonResponse:
    reveal_type(request.oauth1_credential)  # Token
    reveal_type(request.oauth1_credential.user)  # User
    print(request.oauth1_credential.usr)  # refused
    return JsonResponse({"owner": request.oauth1_credential.user.username})


@require_oauth("photos", scope="photos.read", two_legged=True)
async def album(request: OAuth1HttpRequest[Token], number: int) -> HttpResponse:
    credential = await require_oauth.aacquire_credential(request)
    reveal_type(credential)  # Token | None
    return HttpResponse(str(number))


async def use(request: OAuth1HttpRequest[Token]) -> None:
    reveal_type(photos(request))  # JsonResponse
    reveal_type(await album(request, 1))  # HttpResponse
    await album(request, "1")  # refused
    require_oauth(scopes="photos.read")  # refused
