"""The announced end of OAuth 1.0 at a provider."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, cast

from .errors import RetiredError

__all__ = ["Retirement"]

#: Seconds in which the use of one client is told once.
USE_INTERVAL = 60

_URL = re.compile(r"https?://[!#-;=?-\[\]_a-z~]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Retirement:
    """Says when OAuth 1.0 ends, and prepares clients for it. Give it to a resource protector.

    ::

        ResourceProtector(retirement=Retirement(
            deprecated_at=datetime(2026, 1, 1, tzinfo=UTC),
            sunset_at=datetime(2026, 12, 31, tzinfo=UTC),
            link="https://provider.example/oauth1-ends",
            brownouts=[(datetime(2026, 11, 3, 9, tzinfo=UTC), datetime(2026, 11, 3, 10, tzinfo=UTC))],
        ))

    Every answer to a request with OAuth 1.0, also to a refused one, says so in the header fields ``Deprecation`` (RFC
    9745), ``Sunset`` (RFC 8594) and ``Link``. In a brown-out such a request is refused with 410, before anything of it
    is verified. Requests with a bearer token are left alone.

    Attributes:
        deprecated_at: since when clients should use something else; may be in the future.
        sunset_at: when OAuth 1.0 is expected to end; ``None`` if that is not known. Nothing is refused because of it:
            give the end as a brown-out without an end.
        link: URL of a page about it, for developers; ``None`` for no page.
        brownouts: pairs of beginning and end, between which OAuth 1.0 is refused; an end of ``None`` means for good.
        text: what a client is told in a brown-out.
        usage: called with the identifier of a client and the time, a moment after a verified request, at most once a
            minute for each client. Async or not. If it fails, the error is logged, and the next request is told.
    """

    deprecated_at: datetime
    sunset_at: datetime | None = None
    link: str | None = None
    brownouts: Collection[tuple[datetime, datetime | None]] = ()
    text: str = RetiredError.description
    usage: Callable[[str, datetime], Any] | None = None
    _told: dict[str, float] = field(default_factory=dict[str, float], init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse what makes no sense, by name.

        Raises:
            TypeError: a value of the wrong kind.
            ValueError: a datetime without a time zone, an end before its beginning, or an invalid URL.
        """
        _check_time("deprecated_at", self.deprecated_at)
        if self.sunset_at is not None:
            _check_time("sunset_at", self.sunset_at)
            if self.sunset_at < self.deprecated_at:
                raise ValueError("sunset_at is before deprecated_at (RFC 9745 section 4 forbids that)")
        if self.link is not None and not _URL.fullmatch(self.link):
            raise ValueError(
                f"link is an http or https URL in ASCII, with other characters percent-encoded, not {self.link!r}"
            )
        object.__setattr__(self, "brownouts", _checked_brownouts(self.brownouts))
        if not self.text.strip():
            raise ValueError("text is empty: clients would not learn why they are refused")
        if self.usage is not None and not callable(self.usage):
            raise TypeError(f"usage is a function, not {type(self.usage).__name__}")

    @property
    def headers(self) -> list[tuple[str, str]]:
        """The header fields of every answer to a request with OAuth 1.0."""
        fields = [("Deprecation", f"@{int(self.deprecated_at.timestamp())}")]
        if self.sunset_at is not None:
            fields.append(("Sunset", format_datetime(self.sunset_at.astimezone(UTC), usegmt=True)))
        if self.link is not None:
            relations = ["deprecation"] if self.sunset_at is None else ["deprecation", "sunset"]
            fields += [("Link", f'<{self.link}>; rel="{relation}"; type="text/html"') for relation in relations]
        return fields

    def check(self, now: float) -> None:
        """Refuse a request in a brown-out.

        Args:
            now: Unix time.

        Raises:
            RetiredError: this is a brown-out.
        """
        for start, end in self.brownouts:
            if start.timestamp() <= now and (end is None or now < end.timestamp()):
                raise RetiredError(self.text)

    def is_use_due(self, client_id: str, now: float) -> bool:
        """Whether the use of a client has to be told now; it counts as told then.

        Args:
            client_id: of a verified request.
            now: Unix time.
        """
        told = self._told.get(client_id)
        if self.usage is None or (told is not None and 0 <= now - told < USE_INTERVAL):
            return False
        self._told[client_id] = now
        return True

    def forget_use(self, client_id: str) -> None:
        """Let the next use of a client be told: this one could not be."""
        self._told.pop(client_id, None)


def _checked_brownouts(brownouts: object) -> tuple[tuple[datetime, datetime | None], ...]:
    if isinstance(brownouts, str) or not isinstance(brownouts, Collection):
        raise TypeError(f"brownouts is a collection of pairs of datetimes, not {type(brownouts).__name__}")
    return tuple(_checked_brownout(brownout) for brownout in cast("Collection[object]", brownouts))


def _checked_brownout(brownout: object) -> tuple[datetime, datetime | None]:
    if not isinstance(brownout, (tuple, list)) or len(cast("tuple[object, ...]", brownout)) != 2:
        raise TypeError(f"a brown-out is a pair of datetimes, not {brownout!r}")
    start, end = cast("tuple[datetime, datetime | None]", brownout)
    _check_time("the beginning of a brown-out", start)
    if end is not None:
        _check_time("the end of a brown-out", end)
        if end <= start:
            raise ValueError(f"a brown-out ends at {end}, which is not after its beginning at {start}")
    return start, end


def _check_time(name: str, value: object) -> None:
    if not isinstance(value, datetime):
        raise TypeError(f"{name} is a datetime, not {type(value).__name__}")
    if value.utcoffset() is None:
        raise ValueError(f"{name} has no time zone: {value}. Write datetime(..., tzinfo=UTC)")
