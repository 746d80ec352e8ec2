"""Recording a browser's console: errors, warnings, and blocked content."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import ConsoleMessage, Error, Page, Request, Response

NOTED_STATUS = "Failed to load resource: the server responded with a status of 4"


class Watch:
    """Records the complaints about pages while they are open.

    Attributes:
        answers: to navigations, in order.
    """

    def __init__(self) -> None:
        """Start without complaints."""
        self.answers: list[Response] = []
        self._heard: list[tuple[str, str]] = []
        self._expected: list[str] = []

    def listen(self, page: Page) -> None:
        """Begin to watch a page, and the pages that it opens."""
        page.on("console", self._console)
        page.on("pageerror", self._page_error)
        page.on("requestfailed", self._request_failed)
        page.on("response", self._response)

    @property
    def complaints(self) -> list[str]:
        """The browser's complaints: violations of Content-Security-Policy, failed requests, errors."""
        # The browser also logs the status of an error page, which is not a defect of the page.
        pages = {answer.url for answer in self.answers}
        heard = [(url, text) for url, text in self._heard if not any(one in url + text for one in self._expected)]
        return [text for url, text in heard if not (text.startswith(NOTED_STATUS) and url in pages)]

    def expect_about(self, address: str) -> None:
        """Expect complaints about an address, whenever the browser reports them."""
        self._expected.append(address)

    def forget(self) -> None:
        """Forget the complaints so far: the test expected them."""
        self._heard.clear()

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning", "assert"):
            self._heard.append((message.location["url"], message.text))

    def _page_error(self, error: Error) -> None:
        self._heard.append(("", str(error)))

    def _request_failed(self, request: Request) -> None:
        # A request is aborted by a later navigation.
        if request.failure != "net::ERR_ABORTED":
            self._heard.append((request.url, f"{request.method} {request.url}: {request.failure}"))

    def _response(self, response: Response) -> None:
        if response.request.is_navigation_request():
            self.answers.append(response)


#: Opens a browser window with options of Playwright.
Open = Callable[..., Page]
