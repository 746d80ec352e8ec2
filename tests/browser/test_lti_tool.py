"""The learning tool in Chromium: in the course's frame and in a window, with cookies, without them, and in between."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, FrameLocator, Page, Route, expect

from tests.examples.lti_tool.demo import Demo, lti_demo

from .conftest import PATIENCE
from .contrast import weak_elements
from .watching import Watch

DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 900}}
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
SCREENS = {"desktop": DESKTOP, "phone": PHONE, "dark": {**DESKTOP, "color_scheme": "dark"}}
#: Settings of Chromium.
BLOCKED_THIRD_PARTIES = {"profile": {"cookie_controls_mode": 1, "block_third_party_cookies": True}}

OpenWith = Callable[..., Page]


def blocked_site(demo: Demo) -> dict[str, Any]:
    """The setting that blocks every cookie of the tool in the course, as browsers without partitions do."""
    blocked = {f"{demo.tool},{demo.course}": {"setting": 2}}
    return {"profile": {"content_settings": {"exceptions": {"cookies": blocked}}}}


@pytest.fixture(scope="module")
def demo(executable: str) -> Iterator[Demo]:
    """The tool and the course, on hosts that are different sites."""
    with lti_demo("--debug") as running:
        yield running


@pytest.fixture(params=SCREENS)
def window(request: pytest.FixtureRequest, browser: Browser, demo: Demo, watch: Watch) -> Iterator[Page]:
    """A page; the test fails if the browser complains."""
    with browser.new_context(base_url=demo.course, **SCREENS[request.param]) as context:
        context.set_default_timeout(PATIENCE)
        context.on("page", watch.listen)
        yield context.new_page()
    assert not watch.complaints


@pytest.fixture
def open_with(browser: Browser, executable: str, demo: Demo, tmp_path: Path) -> Iterator[OpenWith]:
    """Opens a browser with other settings: Playwright takes them with a folder of its own only."""
    with ExitStack() as windows:

        def open_with(preferences: dict[str, Any]) -> Page:
            folder = tmp_path / "profile" / "Default"
            folder.mkdir(parents=True)
            (folder / "Preferences").write_text(json.dumps(preferences))
            context: BrowserContext = browser.browser_type.launch_persistent_context(
                folder.parent,
                executable_path=executable,
                args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
                base_url=demo.course,
            )
            windows.callback(context.close)
            context.set_default_timeout(PATIENCE)
            return context.new_page()

        yield open_with


def launched(page: Page, person: str = "jane", fault: str = "") -> FrameLocator:
    """Launch the tool in the course's frame."""
    page.goto("/")
    page.get_by_label("Open as").select_option(person)
    page.get_by_label("Launch", exact=True).select_option(fault)
    page.get_by_role("button", name="Launch here").click()
    return page.frame_locator("iframe[name=activity]")


def looks_right(page: Page) -> None:
    """Nothing is cut off at the side, and everything can be read."""
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    for shown in page.frames:
        assert shown.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert not list(weak_elements(page))


def test_a_launch_in_the_frame(window: Page, tmp_path: Path) -> None:
    """The frame shows the launch's record; the session is in a cookie of this course's partition."""
    tool = launched(window)
    record = tool.locator(".record")
    for text in ("Jane Doe", "learns", "Botany 101", "in a cookie"):
        expect(record).to_contain_text(text)
    tool.locator("summary").click()
    expect(tool.locator(".signed")).to_contain_text("lis_person_name_full")
    (cookie,) = window.context.cookies()
    assert (cookie["partitionKey"], cookie["sameSite"], cookie["httpOnly"]) == ("http://localhost", "None", True)
    looks_right(window)
    window.screenshot(path=tmp_path / "frame.png", full_page=True)


def send(page: Page, tool: FrameLocator, percent: str) -> None:
    """Send a grade from the frame, and wait until it is in the gradebook beside it."""
    tool.get_by_label("Grade, in percent").fill(percent)
    tool.get_by_role("button", name="Send the grade").click()
    expect(tool.get_by_role("status")).to_contain_text(f"Sent: {percent} %")
    expect(page.locator("#gradebook")).to_contain_text(f"Omar Haddad{percent} %")
    looks_right(page)


@pytest.mark.parametrize("window", ["desktop", "phone"], indirect=True)
def test_a_grade(window: Page, tmp_path: Path) -> None:
    """It is sent from the frame, and arrives in the gradebook beside it. So does the one that replaces it."""
    tool = launched(window, "omar")
    send(window, tool, "61")
    send(window, tool, "87.5")
    window.screenshot(path=tmp_path / "grade.png", full_page=True)


@pytest.mark.parametrize("window", ["desktop"], indirect=True)
def test_a_launch_in_a_window(window: Page, tmp_path: Path) -> None:
    """The page is the tool's; going back leads to the course, not to the launch."""
    window.goto("/")
    window.get_by_label("Open as").select_option("ahn")
    with window.expect_popup() as opened:
        window.get_by_role("button", name="Launch in a new window").click()
    tool = opened.value
    expect(tool.locator(".record")).to_contain_text("teaches")
    assert tool.url.endswith("/activity")
    looks_right(tool)
    tool.screenshot(path=tmp_path / "window.png", full_page=True)


@pytest.mark.parametrize(
    ("window", "fault"), [("phone", "used"), ("desktop", "slash"), ("dark", "clock")], indirect=["window"]
)
def test_a_refused_launch(fault: str, window: Page, tmp_path: Path) -> None:
    """The page says what happened, why in debug mode, and offers the way back if the launch was signed."""
    launched(window).locator(".record").wait_for()
    tool = launched(window, fault=fault)
    causes = {"used": "used before", "slash": "path_trailing_slash", "clock": "timestamp_clock"}
    expect(tool.locator("body")).to_contain_text(causes[fault])
    looks_right(window)
    window.screenshot(path=tmp_path / "refused.png", full_page=True)
    if fault == "used":
        tool.get_by_role("link", name="Back to the course").click()
        tool.get_by_role("link", name="To the course").click()
        expect(window.get_by_role("button", name="Launch here")).to_be_visible()
    else:
        expect(tool.get_by_role("link")).to_have_count(0)


def test_a_launch_from_the_history(browser: Browser, demo: Demo) -> None:
    """A browser that posts the launch again gets a page that says so, with the way back to the course."""
    with browser.new_context(base_url=demo.course, java_script_enabled=False, **DESKTOP) as context:
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.goto("/launch?person=jane")
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_role("heading")).to_have_text("Opening the activity")
        page.reload()
        expect(page.locator("h1")).to_have_text("This launch was used before")
        page.get_by_role("link", name="Back to the course").click()
        expect(page.get_by_role("heading")).to_have_text("Back from Leaf shapes")


def test_without_scripts(browser: Browser, demo: Demo) -> None:
    """Each page that posts itself has a button, too."""
    with browser.new_context(base_url=demo.course, java_script_enabled=False, **DESKTOP) as context:
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.goto("/launch?person=omar")
        page.get_by_role("button", name="Continue").click()
        page.get_by_role("button", name="Continue").click()
        expect(page.locator(".record")).to_contain_text("Omar Haddad")


def test_third_party_cookies_blocked(open_with: OpenWith) -> None:
    """A partitioned cookie is kept nevertheless. Without the partition it is not, and the page carries the session."""
    page = open_with(BLOCKED_THIRD_PARTIES)
    expect(launched(page).locator(".record")).to_contain_text("in a cookie")

    def unpartitioned(route: Route) -> None:
        answer = route.fetch()
        cookie = answer.headers["set-cookie"].replace("; Partitioned", "")
        route.fulfill(response=answer, headers={**answer.headers, "set-cookie": cookie})

    page.context.clear_cookies()
    page.route("http://127.0.0.1:*/launch", unpartitioned)
    expect(launched(page).locator(".record")).to_contain_text("the browser keeps no cookie here")


def test_no_cookie_is_kept(open_with: OpenWith, demo: Demo, tmp_path: Path) -> None:
    """The page in the frame carries the session; in a window of its own, the tool may keep its cookie."""
    page = open_with(blocked_site(demo))
    tool = launched(page, "omar")
    expect(tool.locator(".record")).to_contain_text("the browser keeps no cookie here")
    send(page, tool, "42")
    page.screenshot(path=tmp_path / "no-cookie.png", full_page=True)
    with page.expect_popup() as opened:
        tool.get_by_role("button", name="Continue in a new window").click()
    expect(opened.value.locator(".record")).to_contain_text("in a cookie")
