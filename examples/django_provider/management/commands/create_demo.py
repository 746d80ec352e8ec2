"""``create_demo``: a client and a user to try the provider with."""

from __future__ import annotations

from secrets import token_urlsafe
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand

from examples.django_provider.models import Client

__all__ = ["Command"]


class Command(BaseCommand):
    """Creates a client and the user ``jane``, or new secrets for them, and prints their secrets once."""

    help = "Creates a client and a user, and prints their secrets."

    def add_arguments(self, parser: Any) -> None:
        """Take the client's callback."""
        parser.add_argument("--callback", default="http://127.0.0.1:5001/callback")

    def handle(self, *args: Any, **options: Any) -> None:
        """Create both."""
        secret, password = token_urlsafe(32), token_urlsafe(9)
        values = {"client_secret": secret, "callback": options["callback"], "name": "Photo printer"}
        Client.objects.update_or_create(client_id="printer", defaults=values)
        user, _ = User.objects.get_or_create(username="jane")
        user.set_password(password)
        user.save()
        self.stdout.write(f"client: printer {secret}\nuser: jane {password}")
