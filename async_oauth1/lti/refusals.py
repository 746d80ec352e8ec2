"""What is known of a launch that was refused, kept with its error for the page that the browser gets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from async_oauth1.errors import OAuth1Error
from async_oauth1.explaining.queue import Refusal

__all__ = ["RefusedLaunch", "keep", "refused_launch"]

_KEPT = "_async_oauth1_lti"


@dataclass(frozen=True, slots=True)
class RefusedLaunch:
    """A launch that was refused.

    Attributes:
        refusal: the request, the error, and the rules at that time.
        signed: the fields, if the signature holds; else ``None``, and nothing in them is to be believed.
    """

    refusal: Refusal = field(repr=False)
    signed: Mapping[str, str] | None = field(repr=False)


def keep(error: OAuth1Error, launch: RefusedLaunch) -> None:
    """Keep what is known with the error."""
    error.__dict__[_KEPT] = launch


def refused_launch(error: OAuth1Error) -> RefusedLaunch | None:
    """What is known of the launch; ``None`` if its request could not be read."""
    launch: RefusedLaunch | None = error.__dict__.get(_KEPT)
    return launch
