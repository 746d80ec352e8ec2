"""The page that shows the last requests, live."""

from __future__ import annotations

import re
from ipaddress import ip_address
from pathlib import Path
from socket import gethostname
from urllib.parse import urlsplit

from quart import Blueprint, Response, abort, g, jsonify, render_template, request

from async_oauth1.explain.report import Marker, marked_lines

from .records import RecordedRequest, Records
from .settings import Settings

__all__ = ["Pages", "add_security_headers", "base_string_rows", "require_own_host"]

#: Records on the page.
SHOWN = 50
_STATIC = {"style.css": "text/css", "page.js": "text/javascript", "icon.svg": "image/svg+xml"}
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)


class Pages:
    """The views of the page."""

    def __init__(self, settings: Settings, records: Records) -> None:
        """Show these records."""
        self._settings, self._records = settings, records

    def blueprint(self) -> Blueprint:
        """The routes of the page."""
        pages = Blueprint("pages", __name__, template_folder="templates")
        pages.get("/")(self.page)
        pages.get("/-/requests")(self.fragment)
        pages.get("/-/requests.json")(self.as_json)
        pages.get("/-/<name>")(self.static)
        pages.before_request(lambda: require_own_host(self._settings))
        pages.app_template_filter("base_string_rows")(base_string_rows)
        return pages

    async def page(self) -> str:
        """The whole page."""
        records = self._newest(0)
        last = max((record.number for record in records), default=0)
        return await render_template("requests.html", records=records, last=last, preset=self._settings.preset)

    async def fragment(self) -> Response:
        """The requests after a number, as HTML, the newest first."""
        after = request.args.get("after", "0")
        if not re.fullmatch("[0-9]{1,12}", after):
            abort(400, "after is the number of a request.")
        records = self._newest(int(after))
        last = max((record.number for record in records), default=int(after))
        return Response(await render_template("records.html", records=records), headers={"X-Last": str(last)})

    async def as_json(self) -> Response:
        """All recorded requests."""
        return jsonify([record.as_json() for record in self._records.after(0)])

    async def static(self, name: str) -> Response:
        """A file of the page."""
        if name not in _STATIC:
            abort(404)
        return Response((Path(__file__).parent / "static" / name).read_bytes(), content_type=_STATIC[name])

    def _newest(self, after: int) -> list[RecordedRequest]:
        return self._records.after(after)[-SHOWN:][::-1]


def require_own_host(settings: Settings) -> None:
    """Refuse pages under other names: a site whose name resolves to this machine could read them.

    Raises:
        HTTPException: 421.
    """
    host = _name(request.host)
    external = _name(urlsplit(settings.external_base_url or "").netloc)
    if host and host in ("localhost", settings.host.lower(), gethostname().lower(), external):
        return
    try:
        ip_address(host)
    except ValueError:
        abort(421, "This page is shown under the provider's own address alone. Use the URL that it printed.")


def _name(authority: str) -> str:
    """The host of an authority, in lower case, without port, brackets and a dot at the end."""
    host = authority.rpartition("@")[2].lower()
    host = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    return host.removesuffix(".")


async def add_security_headers(response: Response) -> Response:
    """Forbid scripts and content of other sites, framing, referrers and caching."""
    policy = _POLICY if g.get("form_leaves_site") else f"{_POLICY}; form-action 'self'"
    response.headers.setdefault("Content-Security-Policy", policy)
    response.headers.setdefault("X-Frame-Options", "DENY")
    response.headers.setdefault("Referrer-Policy", "no-referrer")
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Cache-Control", "no-store")
    return response


Pieces = list[str]


class _Splitter(Marker):
    """Marks what differs with two characters that stand in no printable text."""

    def different(self, text: str) -> str:
        """A piece that only one of the two has."""
        return f"\ue000{text}\ue001"


def base_string_rows(record: RecordedRequest) -> list[tuple[Pieces, Pieces]]:
    """Both base strings of a record, in rows side by side.

    Returns:
        For each row the pieces of the provider's and of the client's line. The second piece and every other one after
        it is in that line alone. The client's lines are empty if nothing is known of them.
    """
    explanation = record.explanation
    if explanation is None or not explanation.base_string:
        return []
    ours, theirs = marked_lines(
        explanation.base_string, explanation.signed or explanation.base_string, _Splitter(colour=False)
    )
    return [(_pieces(one), _pieces(two)) for one, two in zip(ours, theirs, strict=True)]


def _pieces(line: str) -> Pieces:
    return re.split("[\ue000\ue001]", line)
