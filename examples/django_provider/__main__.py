"""The commands of Django: ``python -m examples.django_provider migrate``."""

from __future__ import annotations

import os
import sys

from django.core.management import execute_from_command_line

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "examples.django_provider.settings")
execute_from_command_line(["manage.py", *sys.argv[1:]])
