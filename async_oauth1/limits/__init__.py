"""Limits on what one client and one address may do; see ``docs/limits.md``.

    limits = Limits("redis://127.0.0.1:6379/0", resource=Rates(per_client="600/minute"))
    limits.limit(server, require_oauth)

Beyond a limit the answer is 429, with ``Retry-After`` and the ``RateLimit`` fields.
"""

from __future__ import annotations

from .addresses import client_address
from .limiting import Limits
from .rates import Rates

__all__ = ["Limits", "Rates", "client_address"]
