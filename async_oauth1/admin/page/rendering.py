"""Renders the admin page: its templates, its style, and the header fields that protect it."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from async_oauth1.provider.responses import OAuth1Response

__all__ = ["Renderer", "query", "visible"]

_FOLDER = Path(__file__).parent
_ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Crect width='32' height='32' "
    "rx='7' fill='%231f5f8b'/%3E%3Ccircle cx='12' cy='16' r='5' fill='none' stroke='white' stroke-width='3'/%3E%3Cpath "
    "d='M17 16h9v5m-4-5v3' fill='none' stroke='white' stroke-width='3'/%3E%3C/svg%3E"
)


class Renderer:
    """Makes responses of templates."""

    def __init__(self) -> None:
        """Read the style, and prepare the templates."""
        style = (_FOLDER / "style.css").read_text(encoding="utf-8")
        self._environment = _make_environment(style)
        self._headers = _make_headers(style)

    def page(self, template: str, status: int = 200, /, **values: Any) -> OAuth1Response:
        """The page of a template, with header fields against scripts, frames and caches."""
        body = self._environment.get_template(template).render(values)
        return OAuth1Response(status, body, [*self._headers])

    def redirect(self, location: str) -> OAuth1Response:
        """Redirect to a page after a form, so that a reload does not send the form again."""
        return OAuth1Response(303, "", [("Location", location), *self._headers])


def _make_environment(style: str) -> Environment:
    environment: Any = Environment(  # its filters are not typed
        loader=FileSystemLoader(_FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"field": _field, "day": _day, "minute": _minute, "query": query}
    environment.globals |= {"style": Markup(style), "icon": _ICON}  # noqa: S704 - a file of this package
    made: Environment = environment
    return made


def _make_headers(style: str) -> list[tuple[str, str]]:
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    )
    return [
        ("Content-Type", "text/html; charset=utf-8"),
        ("Content-Security-Policy", policy),
        ("X-Frame-Options", "DENY"),
        # Not "no-referrer": with it, browsers send the forms of this very page with "Origin: null".
        ("Referrer-Policy", "same-origin"),
        ("X-Content-Type-Options", "nosniff"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("X-Robots-Tag", "noindex"),
        ("Cache-Control", "no-store"),
    ]


def visible(text: str) -> str:
    r"""The text with an escape for each character that is not seen, such as ``\u202e``, which turns text around.

    Line breaks and tabs stay: HTML shows them as spaces.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char in "\n\t" else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"


def _shown(value: object) -> object:
    return visible(value) if type(value) is str else value


def _field(value: str) -> Markup:
    """A value that a form sends back as it is."""
    return escape(value)


def query(values: dict[str, str | None]) -> str:
    """A query of the values that are not empty."""
    return urlencode({name: value for name, value in values.items() if value})


def _day(seconds: float) -> Markup:
    return _time(seconds, "%-d %b %Y")


def _minute(seconds: float) -> Markup:
    return _time(seconds, "%-d %b %Y, %H:%M UTC")


def _time(seconds: float, form: str) -> Markup:
    try:
        time = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):  # a year that the calendar does not have
        return Markup("later than the year 9999")
    text = time.strftime(form)
    return Markup('<time datetime="{}">{}</time>').format(time.isoformat(timespec="seconds"), text)
