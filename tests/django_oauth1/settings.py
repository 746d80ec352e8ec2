"""The example's settings, with the storage that the environment names."""

from __future__ import annotations

import os

from examples.django_provider.settings import *  # noqa: F403
from examples.django_provider.settings import AUTHLIB_OAUTH1_PROVIDER as _PROVIDER
from examples.django_provider.settings import INSTALLED_APPS, MIDDLEWARE, TEMPLATES

ROOT_URLCONF = "tests.django_oauth1.urls"
STATIC_URL = "/static/"
INSTALLED_APPS = ["django.contrib.admin", "django.contrib.messages", *INSTALLED_APPS]
MIDDLEWARE = [*MIDDLEWARE, "django.contrib.messages.middleware.MessageMiddleware"]
TEMPLATES[0]["OPTIONS"]["context_processors"].append("django.contrib.messages.context_processors.messages")  # type: ignore[index]
_kind, _, _address = os.environ.get("PROVIDER_STORAGE", "models").partition(" ")
_BACKENDS = {
    "redis": "django.core.cache.backends.redis.RedisCache",
    "memcached": "django.core.cache.backends.memcached.PyMemcacheCache",
    "table": "django.core.cache.backends.db.DatabaseCache",
}
if _kind in _BACKENDS:
    CACHES = {"default": {"BACKEND": _BACKENDS[_kind], "LOCATION": _address or "oauth1_cache", "OPTIONS": {}}}
    if _kind == "table":
        CACHES["default"]["OPTIONS"] = {"MAX_ENTRIES": 1_000_000}
    AUTHLIB_OAUTH1_PROVIDER = {**_PROVIDER, "nonces": "cache"}
DATABASES["default"]["OPTIONS"] = {"timeout": 60}  # noqa: F405 - a writer may have to wait for a slow disk
if _kind == "postgres":
    DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "HOST": _address, "USER": "postgres"}}
    DATABASES["default"]["NAME"] = "postgres"
if os.environ.get("PROVIDER_ATOMIC"):
    DATABASES["default"]["ATOMIC_REQUESTS"] = True
