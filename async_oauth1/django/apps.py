"""The application, for ``INSTALLED_APPS = ["async_oauth1.django"]``."""

from __future__ import annotations

from django.apps import AppConfig
from django.core.checks import register

from .checks import check_cache, check_models, check_proxy, check_setting

__all__ = ["OAuth1Config"]


class OAuth1Config(AppConfig):
    """The optional models, the admin, the system checks and the command ``purge_oauth1``."""

    name = "async_oauth1.django"
    label = "async_oauth1"
    verbose_name = "OAuth 1.0"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the system checks."""
        for check in (check_setting, check_cache, check_models, check_proxy):
            register(check)
