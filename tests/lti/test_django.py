"""Launches of LTI 1.1 are read from Django's requests."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import override_settings

import tests.django_oauth1.conftest  # noqa: F401 - sets Django up
from async_oauth1 import OAuth1Error, run_sync
from async_oauth1.lti import LTIConsumer, LTITool
from async_oauth1.stores import MemoryStore
from tests.django_oauth1.requesting import wsgi

from .consumer import BASIC, FORM, SECRET, signed

URL = "http://localhost/launch?custom_page=3"


def test_django_needs_no_event_loop() -> None:
    """A launch is accepted once, the view can read the form, and ``ALLOWED_HOSTS`` counts."""
    tool = LTITool(lambda key: LTIConsumer(client_id=key, client_secret=SECRET), MemoryStore().exists_nonce)
    body = urlencode(signed({**BASIC, "context_title": "Dürer"}, URL, timestamp=int(time.time()))).encode()

    def request() -> Any:
        return wsgi("POST", "/launch?custom_page=3", body, {"Content-Type": FORM[1].decode()})

    with override_settings(ALLOWED_HOSTS=["localhost"]):
        first = request()
        assert run_sync(tool.verify_launch(first)).custom == {"page": "3"}
        assert first.POST["context_title"] == "Dürer"
        with pytest.raises(OAuth1Error, match="invalid_nonce"):
            run_sync(tool.verify_launch(request()))
    with override_settings(ALLOWED_HOSTS=["elsewhere"]), pytest.raises(OAuth1Error, match="ALLOWED_HOSTS"):
        run_sync(tool.verify_launch(request()))
