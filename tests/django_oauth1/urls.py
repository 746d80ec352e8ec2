"""The example's views, with the storage that the environment names, and a way to die in the middle of an exchange."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from django.http import HttpResponse
from django.urls import path

from async_oauth1.django import CacheAuthorizationServer, ModelAuthorizationServer
from examples.django_provider import views
from examples.django_provider.models import Client, Token
from examples.django_provider.urls import urlpatterns as of_the_example

__all__ = ["urlpatterns"]

urlpatterns = [*of_the_example, path("worker", lambda _: HttpResponse(str(os.getpid())))]

_in_models = os.environ.get("PROVIDER_STORAGE", "models").split()[0] in ("models", "postgres")
_base: Any = ModelAuthorizationServer if _in_models else CacheAuthorizationServer


class Mortal(_base):
    """Kills its process between the two steps of an exchange, if a file says so."""

    def create_token_credential(self, request: Any) -> Any:
        if Path(os.environ.get("PROVIDER_DIES", "/nonexistent")).exists():
            os.kill(os.getpid(), signal.SIGKILL)
        return super().create_token_credential(request)


views.server = Mortal(Client, Token)
