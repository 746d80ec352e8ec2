"""The table of hypotheses: what clients, proxies and frameworks are known to get wrong, each a function of its own."""

from __future__ import annotations

from ..changes import Hypothesis
from . import encoding, keys, parameters, path, repetition, uri, values

__all__ = ["HYPOTHESES"]

#: In the order in which equally likely changes are tried.
HYPOTHESES: tuple[Hypothesis, ...] = (
    *uri.HYPOTHESES,
    *path.HYPOTHESES,
    *keys.HYPOTHESES,
    *parameters.HYPOTHESES,
    *repetition.HYPOTHESES,
    *values.HYPOTHESES,
    *encoding.HYPOTHESES,
)
