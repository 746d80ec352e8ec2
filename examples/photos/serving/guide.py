"""What to do with the provider, printed when it listens."""

from __future__ import annotations

import os
import sys

from examples.photos.settings import Settings
from examples.photos.storage import PASSWORD, PRINTER, USER, Storage

__all__ = ["guide"]


def guide(settings: Settings, storage: Storage, url: str) -> str:
    """The endpoints, and how to sign in, as lines with labels.

    Args:
        settings: the provider's settings.
        storage: says whether the demo user and client are there. Their secrets are in RFC 5849 and in the README.
        url: where the provider listens.
    """
    base = (settings.external_base_url or url).rstrip("/")
    lines = [
        ("temporary credentials", f"POST {base}/initiate"),
        ("authorization page", f"{base}/authorize"),
        ("token credentials", f"POST {base}/token"),
        ("protected resources", f"{base}/photos?file=vacation.jpg&size=original and {base}/echo"),
        *(_demo_data(base) if storage.has_demo_data else [("demo data", "none in this store; --demo-data adds it")]),
        ("stop", "Ctrl-C"),
    ]
    if storage.store.shared:  # another process cannot reach a store in memory
        command = f"{_programs()}async-oauth1 client add --store {storage.store.url} --name NAME --callback URL"
        lines.insert(-1, ("add a client", command))
    return "\n".join(f"  {label + ':':<23}{text}" for label, text in lines)


def _demo_data(base: str) -> list[tuple[str, str]]:
    return [
        ("sign in", f"{base}/ with the name {USER} and the password {PASSWORD}"),
        ("client key", PRINTER.client_id),
        ("client secret", f"{PRINTER.client_secret} (HMAC-SHA1)"),
        ("its callback", PRINTER.callbacks[0]),
        ("see the whole flow", f"{_programs()}python -m examples.printer --provider {base}"),
    ]


def _programs() -> str:
    """The folder of this interpreter as seen from here, such as ``.venv/bin/``; empty if it is somewhere else."""
    folder = os.path.relpath(os.path.dirname(sys.executable))
    return "" if folder.startswith("..") else f"{folder}/"
