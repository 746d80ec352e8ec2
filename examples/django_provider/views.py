"""The three endpoints of OAuth 1.0, and two protected views."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from async_oauth1.django import ModelAuthorizationServer, OAuth1HttpRequest, ResourceProtector
from async_oauth1.errors import OAuth1Error

from .models import Client, Token

__all__ = ["authorize", "initiate", "photos", "photos_async", "token"]

server = ModelAuthorizationServer(Client, Token)
require_oauth = ResourceProtector(Client, Token)


@csrf_exempt
@transaction.non_atomic_requests
def initiate(request: HttpRequest) -> HttpResponse:
    """Issue temporary credentials."""
    response: HttpResponse = server.create_temporary_credentials_response(request)
    return response


@transaction.non_atomic_requests
async def token(request: HttpRequest) -> HttpResponse:
    """Exchange them for token credentials."""
    return await server.acreate_token_response(request)


vars(token)["csrf_exempt"] = True  # the decorator takes async views only since Django 5.0


@login_required
@require_http_methods(["GET", "POST"])
def authorize(request: HttpRequest) -> HttpResponse:
    """Ask the user, who is signed in, and record the decision."""
    try:
        if request.method == "GET":
            asked = server.check_authorization_request(request)
            return render(request, "authorize.html", {"client": asked.client, "oauth_token": asked.token})
        user = request.user if request.POST.get("decision") == "approve" else None
        response: HttpResponse = server.create_authorization_response(request, user)
    except OAuth1Error as error:
        return render(request, "refused.html", {"error": error.description}, status=error.status_code)
    return response


@require_oauth()
def photos(request: OAuth1HttpRequest[Token]) -> JsonResponse:
    """A synchronous view."""
    return JsonResponse({"owner": request.oauth1_credential.user.get_username(), "photos": ["beach.jpg"]})


@require_oauth()
async def photos_async(request: OAuth1HttpRequest[Token]) -> JsonResponse:
    """An async view."""
    owner = await Token.objects.values_list("user__username", flat=True).aget(pk=request.oauth1_credential.pk)
    return JsonResponse({"owner": owner, "photos": ["beach.jpg"]})
