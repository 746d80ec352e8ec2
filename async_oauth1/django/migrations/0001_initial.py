"""The tables of nonces and temporary credentials."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from django.db import migrations, models
from django.db.migrations.operations.base import Operation


class Migration(migrations.Migration):
    """Creates the tables of nonces and of temporary credentials."""

    initial = True
    dependencies: ClassVar[Sequence[tuple[str, str]]] = ()
    operations: ClassVar[Sequence[Operation]] = [
        migrations.CreateModel(
            name="Nonce",
            fields=[
                ("key", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("expires_at", models.BigIntegerField(db_index=True)),
            ],
        ),
        migrations.CreateModel(
            name="TemporaryCredential",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("oauth_token", models.CharField(max_length=255, unique=True)),
                ("oauth_token_secret", models.CharField(max_length=255)),
                ("client_id", models.CharField(db_index=True, max_length=255)),
                ("oauth_callback", models.TextField(blank=True)),
                ("requested_scope", models.TextField(blank=True)),
                ("granted_scope", models.TextField(blank=True)),
                ("oauth_verifier", models.CharField(blank=True, max_length=84)),
                ("user_id", models.CharField(blank=True, max_length=255)),
                ("denied", models.BooleanField(default=False)),
                ("wrong_verifiers", models.PositiveIntegerField(default=0)),
                ("expires_at", models.BigIntegerField(db_index=True)),
            ],
        ),
    ]
