"""Django in this process, over a database in a temporary file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

_folder = tempfile.TemporaryDirectory()
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.django_oauth1.settings"
os.environ["PROVIDER_DATABASE"] = str(Path(_folder.name) / "tests.sqlite3")

import django  # noqa: E402

django.setup()


@pytest.fixture(scope="session")
def tables() -> Iterator[None]:
    """Create the tables."""
    from django.core.management import call_command
    from django.db import connections

    call_command("migrate", verbosity=0)
    yield
    connections.close_all()


@pytest.fixture
def database(tables: None) -> Iterator[None]:
    """Empty tables, with a client, a user and a token."""
    from django.contrib.auth.models import User
    from django.db import connections

    from async_oauth1.django.models import Nonce, TemporaryCredential
    from examples.django_provider.models import Client, Token

    for model in (Nonce, TemporaryCredential, Token, Client, User):
        model.objects.all().delete()
    Client.objects.create(client_id="printer", client_secret="secret", callback="https://printer.example/ready")
    jane = User.objects.create(username="jane")
    Token.objects.create(client_id="printer", oauth_token="t", oauth_token_secret="s", user=jane)
    yield
    connections.close_all()
