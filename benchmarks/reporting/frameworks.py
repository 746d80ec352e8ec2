"""What protection adds under other servers and frameworks, as ratios and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .figures import ratios, spread

__all__ = ["COLUMNS", "added_over_ours", "row", "twin_over_protected"]

COLUMNS = (
    "server",
    "application",
    "reader",
    "unprotected, us",
    "protected, us",
    "dependency, us",
    "unprotected / protected",
    "added by Authlib / by ours",
    "added by oauthlib / by ours",
)
#: Microseconds that protection adds at least; noise may make it less than nothing.
LEAST = 0.1


def twin_over_protected(cpu: dict[str, list[float]]) -> list[float]:
    """The CPU time of the unprotected route over that of the protected one, for each round."""
    return ratios(cpu["/albums"], cpu["/photos"])


def added_over_ours(cpu: dict[str, list[float]], path: str) -> list[float]:
    """What another verifier adds to the unprotected route over what ours adds, for each round.

    Args:
        cpu: the figures of each path.
        path: of the other verifier.
    """
    rounds = zip(cpu["/albums"], cpu["/photos"], cpu[path], strict=True)
    return [(other - nothing) / max(ours - nothing, LEAST) for nothing, ours, other in rounds]


def row(line: dict[str, Any]) -> Sequence[object]:
    """A row of the table, with an empty cell for what was not measured."""
    cpu = line["cpu"]
    times = [spread(cpu[path]) if path in cpu else None for path in ("/albums", "/photos", "/secured")]
    peers = [spread(added_over_ours(cpu, path)) if path in cpu else None for path in ("/authlib", "/oauthlib")]
    share = spread(twin_over_protected(cpu))
    return [line["server"], line["application"], line["reader"], *times, share, *peers]
