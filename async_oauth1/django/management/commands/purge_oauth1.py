"""``manage.py purge_oauth1``."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from async_oauth1.django.tables import purge

__all__ = ["Command"]


class Command(BaseCommand):
    """Deletes expired nonces and temporary credentials of the optional models."""

    help = "Deletes expired nonces and temporary credentials. Run it once an hour."

    def handle(self, *args: Any, **options: Any) -> None:
        """Delete, and say how many."""
        nonces, credentials = purge()
        self.stdout.write(f"Deleted {nonces} nonces and {credentials} temporary credentials.")
