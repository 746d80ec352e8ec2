"""The addresses of the provider."""

from __future__ import annotations

from django.contrib.auth.views import LoginView
from django.urls import path

from . import views

__all__ = ["urlpatterns"]

urlpatterns = [
    path("oauth/initiate", views.initiate),
    path("oauth/authorize", views.authorize),
    path("oauth/token", views.token),
    path("photos", views.photos),
    path("photos/async", views.photos_async),
    path("login", LoginView.as_view(template_name="login.html")),
]
