"""Settings for a machine of your own. `manage.py check --deploy` says what production needs besides."""

from __future__ import annotations

import os

SECRET_KEY = os.environ.get("PROVIDER_SECRET_KEY", "a key for this machine, which signs nothing of value")
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
ROOT_URLCONF = "examples.django_provider.urls"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "async_oauth1.django",
    "examples.django_provider",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
            ]
        },
    }
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("PROVIDER_DATABASE", "provider.sqlite3"),
    }
}
LOGIN_URL = "/login"
# The address of the consent page has the temporary token; it must not reach other sites in a Referer header.
SECURE_REFERRER_POLICY = "same-origin"

AUTHLIB_OAUTH1_PROVIDER = {"nonces": "models", "signature_methods": ["HMAC-SHA1", "HMAC-SHA256"], "realm": "photos"}
