"""The tables of clients and tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django.conf import settings
from django.db import migrations, models
from django.db.migrations.operations.base import Operation


class Migration(migrations.Migration):
    """Creates both."""

    initial = True
    dependencies: ClassVar[Sequence[Any]] = (migrations.swappable_dependency(settings.AUTH_USER_MODEL),)
    operations: ClassVar[Sequence[Operation]] = [
        migrations.CreateModel(
            name="Client",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=80)),
                ("client_id", models.CharField(max_length=48, unique=True)),
                ("client_secret", models.CharField(max_length=120)),
                ("callback", models.URLField(blank=True)),
            ],
        ),
        migrations.CreateModel(
            name="Token",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("client_id", models.CharField(db_index=True, max_length=48)),
                ("oauth_token", models.CharField(max_length=84, unique=True)),
                ("oauth_token_secret", models.CharField(max_length=84)),
                ("user", models.ForeignKey(on_delete=models.deletion.CASCADE, to=settings.AUTH_USER_MODEL)),
            ],
        ),
    ]
