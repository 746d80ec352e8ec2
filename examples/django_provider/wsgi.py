"""The application for WSGI servers."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

__all__ = ["application"]

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "examples.django_provider.settings")
application = get_wsgi_application()
