"""Try a running provider from outside, with a test client: a table of small probes, and the engine that runs them."""

from __future__ import annotations

from .connection import Connections, UnreachableError
from .deciding import DECIDING
from .passing import PASSING
from .reaching import REACHING
from .session import Finding, Probe, Session, Target, examine

__all__ = ["PROBES", "Connections", "Finding", "Probe", "Session", "Target", "UnreachableError", "examine"]

#: What ``async-oauth1 doctor`` tries, in this order.
PROBES = (*REACHING, *DECIDING, *PASSING)
