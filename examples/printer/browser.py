"""Jane's browser: it follows redirects within a site, and fills in forms."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx2

Fields = dict[str, str]


class FormParser(HTMLParser):
    """Collects the forms of a page, each with its action and its prefilled fields."""

    def __init__(self) -> None:
        """Start without any form."""
        super().__init__()
        self.forms: list[tuple[str, Fields]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note forms and their inputs."""
        attributes = dict(attrs)
        if tag == "form":
            self.forms.append((attributes.get("action") or "", {}))
        elif tag == "input" and self.forms and attributes.get("name"):
            self.forms[-1][1][attributes["name"] or ""] = attributes.get("value") or ""


class Browser:
    """A browser with cookies and one page."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        """Use an HTTP client, which keeps the cookies."""
        self.http = http
        self.page: httpx2.Response | None = None

    async def open(self, url: str) -> httpx2.Response:
        """Open a page, following redirects."""
        self.page = await self.http.get(url, follow_redirects=True)
        return self.page

    async def submit(self, action: str, **fields: str) -> httpx2.Response:
        """Fill in and send the form of the page that goes to ``action``; redirects are left to the caller.

        Raises:
            LookupError: the page has no such form.
        """
        if self.page is None:
            raise LookupError("no page is open")
        parser = FormParser()
        parser.feed(self.page.text)
        for target, filled_in in parser.forms:
            if target == action:
                url = urljoin(str(self.page.url), target)
                self.page = await self.http.post(url, data={**filled_in, **fields}, follow_redirects=False)
                return self.page
        raise LookupError(f"{self.page.url} has no form that goes to {action}")
