"""`Retirement`: what it refuses when it is made, and what it says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from async_oauth1 import Retirement
from async_oauth1.errors import RetiredError

DEPRECATED = datetime(2026, 1, 1, tzinfo=UTC)
SUNSET = datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
NAIVE = NOON.replace(tzinfo=None)
HOUR = timedelta(hours=1)
LINK = "https://provider.example/oauth1-ends?lang=en"


def test_headers() -> None:
    """RFC 9745 has a structured date, RFC 8594 an HTTP date, and both a link relation."""
    assert Retirement(DEPRECATED, SUNSET, LINK).headers == [
        ("Deprecation", "@1767225600"),
        ("Sunset", "Thu, 31 Dec 2026 23:59:59 GMT"),
        ("Link", f'<{LINK}>; rel="deprecation"; type="text/html"'),
        ("Link", f'<{LINK}>; rel="sunset"; type="text/html"'),
    ]
    assert Retirement(DEPRECATED).headers == [("Deprecation", "@1767225600")]


def test_other_time_zones() -> None:
    """Any time zone will do; the header fields are in UTC."""
    zone = timezone(timedelta(hours=2))
    local = Retirement(DEPRECATED.astimezone(zone), SUNSET.astimezone(zone), LINK)
    assert local.headers == Retirement(DEPRECATED, SUNSET, LINK).headers


def refusals(retirement: Retirement, *times: datetime) -> list[bool]:
    """Whether each time is in a brown-out."""
    found: list[bool] = []
    for time in times:
        try:
            retirement.check(time.timestamp())
        except RetiredError:
            found.append(True)
        else:
            found.append(False)
    return found


def test_brownouts() -> None:
    """The beginning belongs to a brown-out, and the end does not; one without an end lasts for good."""
    retirement = Retirement(DEPRECATED, SUNSET, LINK, brownouts=[(NOON, NOON + HOUR), (SUNSET, None)])
    second = timedelta(seconds=1)
    assert refusals(retirement, NOON - second, NOON, NOON + HOUR - second, NOON + HOUR) == [False, True, True, False]
    assert refusals(retirement, SUNSET - second, SUNSET, SUNSET + 1000 * HOUR) == [False, True, True]


def test_the_sunset_alone_refuses_nothing() -> None:
    """It is an announcement."""
    assert refusals(Retirement(DEPRECATED, SUNSET, LINK), SUNSET + HOUR) == [False]


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"deprecated_at": NAIVE}, ValueError, "deprecated_at has no time zone"),
        ({"sunset_at": NAIVE}, ValueError, "sunset_at has no time zone"),
        ({"brownouts": [(NAIVE, NOON)]}, ValueError, "the beginning of a brown-out has no time zone"),
        ({"brownouts": [(NOON, NAIVE)]}, ValueError, "the end of a brown-out has no time zone"),
        ({"deprecated_at": "2026-01-01"}, TypeError, "deprecated_at is a datetime, not str"),
        ({"deprecated_at": SUNSET, "sunset_at": DEPRECATED}, ValueError, "sunset_at is before deprecated_at"),
        ({"brownouts": [(NOON, NOON)]}, ValueError, "not after its beginning"),
        ({"brownouts": [(NOON, NOON - HOUR)]}, ValueError, "not after its beginning"),
        ({"brownouts": (NOON, NOON + HOUR)}, TypeError, "a brown-out is a pair"),
        ({"brownouts": [(NOON,)]}, TypeError, "a brown-out is a pair"),
        ({"brownouts": NOON}, TypeError, "brownouts is a collection"),
        ({"link": 'https://x.example/">'}, ValueError, "link is an http or https URL"),
        ({"link": "https://x.example/\r\nSet-Cookie: a"}, ValueError, "link is an http or https URL"),
        ({"link": "javascript:alert(1)"}, ValueError, "link is an http or https URL"),
        ({"text": " "}, ValueError, "text is empty"),
        ({"usage": "print"}, TypeError, "usage is a function, not str"),
    ],
)
def test_what_is_refused(arguments: dict[str, Any], error: type[Exception], text: str) -> None:
    """The message names the argument."""
    with pytest.raises(error, match=text):
        Retirement(**{"deprecated_at": DEPRECATED, "sunset_at": SUNSET, "link": LINK, **arguments})


def test_a_use_is_due_once_a_minute_for_each_client() -> None:
    """Whatever the number of requests; a clock that was set back does not silence a client."""
    retirement = Retirement(DEPRECATED, usage=print)
    calls = [("a", 0), ("a", 1), ("b", 2), ("a", 59), ("a", 60), ("b", 61), ("a", 10)]
    told = [(client, now) for client, now in calls if retirement.is_use_due(client, now)]
    assert told == [("a", 0), ("b", 2), ("a", 60), ("a", 10)]
    assert not Retirement(DEPRECATED).is_use_due("a", 0)
