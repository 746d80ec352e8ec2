"""What a browser says that no page shows: errors, warnings, refused content."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import ConsoleMessage, Error, Page, Request, Response

NOTED_STATUS = "Failed to load resource: the server responded with a status of 4"


class Watch:
    """Listens to pages for as long as they are open.

    Attributes:
        answers: to navigations, in order.
    """

    def __init__(self) -> None:
        """Nothing was heard yet."""
        self.answers: list[Response] = []
        self._heard: list[tuple[str, str]] = []

    def listen(self, page: Page) -> None:
        """Begin, also with the pages that this one opens."""
        page.on("console", self._console)
        page.on("pageerror", self._page_error)
        page.on("requestfailed", self._request_failed)
        page.on("response", self._response)

    @property
    def complaints(self) -> list[str]:
        """What the browser has found wrong: violations of Content-Security-Policy, failed requests, errors."""
        # An error page is an answer, too: the browser notes its status, and that is no defect of the page.
        pages = {answer.url for answer in self.answers}
        return [text for url, text in self._heard if not (text.startswith(NOTED_STATUS) and url in pages)]

    def forget(self) -> None:
        """These complaints were expected."""
        self._heard.clear()

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning", "assert"):
            self._heard.append((message.location["url"], message.text))

    def _page_error(self, error: Error) -> None:
        self._heard.append(("", str(error)))

    def _request_failed(self, request: Request) -> None:
        # Aborted is what a later navigation overtakes.
        if request.failure != "net::ERR_ABORTED":
            self._heard.append((request.url, f"{request.method} {request.url}: {request.failure}"))

    def _response(self, response: Response) -> None:
        if response.request.is_navigation_request():
            self.answers.append(response)


#: Opens a browser window, with options of Playwright's.
Open = Callable[..., Page]
