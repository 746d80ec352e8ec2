"""The admin page can be read and used by everyone: landmarks, names, contrast, small screens, the keyboard."""

from __future__ import annotations

from collections.abc import Iterator

from playwright.sync_api import Page, expect

from ..contrast import EDGE, outline_contrast, weak_elements
from ..watching import Open

WIDTH = "document.documentElement.scrollWidth"
CONTROLS = "a:not(.skip), button, summary, input:not([type=hidden]), select, textarea"


def every_page(page: Page) -> Iterator[str]:
    """Open one page after the other, everything on it unfolded; yields the name of each."""
    page.goto("/admin/?q=p")
    yield "list"
    page.goto("/admin/?q=nothing+like+this")
    yield "nothing found"
    page.goto("/admin/client?id=printer")
    unfold(page)
    yield "client"
    page.goto("/admin/client?id=markup")
    unfold(page)
    page.get_by_role("button", name="Disable it").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Disabled")
    unfold(page)
    yield "disabled client"
    page.get_by_role("button", name="Enable it").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Enabled")
    page.goto("/admin/new")
    yield "form"
    page.get_by_label("Name", exact=True).fill("n" * 200)
    page.get_by_label("Callbacks").fill("nonsense" * 20)
    page.get_by_role("button", name="Register").click()
    expect(page.get_by_role("alert")).to_be_visible()
    yield "mistake"
    page.get_by_label("Callbacks").fill("")
    page.get_by_role("button", name="Register").click()
    expect(page.locator("output")).to_have_count(2)
    yield "secret"
    page.goto("/admin/nothing")
    yield "error"


def unfold(page: Page) -> None:
    """Open all that is folded."""
    for summary in page.locator("summary").all():
        summary.click()


def test_every_page_has_landmarks_headings_and_named_controls(open_signed_in: Open) -> None:
    """A screen reader can announce the page, its parts and its controls."""
    page = open_signed_in()
    for name in every_page(page):
        expect(page.locator("html")).to_have_attribute("lang", "en")
        for landmark in ("banner", "main"):
            expect(page.get_by_role(landmark)).to_have_count(1)  # type: ignore[arg-type]  # a role
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        assert page.title().endswith(" · OAuth clients"), name
        snapshot = page.locator("body").aria_snapshot()
        for line in (line.strip().removeprefix("- ") for line in snapshot.splitlines()):
            if line.startswith(("link", "button", "textbox", "searchbox", "checkbox", "combobox", "table")):
                assert '"' in line, (name, line)  # its accessible name


def test_contrast_is_sufficient(open_signed_in: Open) -> None:
    """Text, edges, hovered and focused controls meet WCAG's level AA, in light and dark mode."""
    page = open_signed_in()
    for name in every_page(page):
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of its literals
            page.mouse.move(0, 0)
            assert not list(weak_elements(page)), (name, scheme)
            if name not in ("client", "mistake"):
                continue  # these two have every kind of control
            page.keyboard.press("Tab")  # the outline is for the keyboard
            for control in page.locator(CONTROLS).all()[:8]:
                control.focus()
                assert outline_contrast(control) >= EDGE, (name, scheme, control)
            for control in page.locator("button, .button").all()[:3]:
                control.hover()
                assert not list(weak_elements(page)), (name, scheme, control)


def test_nothing_scrolls_sideways(open_signed_in: Open) -> None:
    """Every page fits into 320 pixels, and into 640 at twice the size of text; what is touched is large enough."""
    page = open_signed_in(viewport={"width": 320, "height": 568}, has_touch=True, is_mobile=True)
    for name in every_page(page):
        assert page.evaluate(WIDTH) == 320, name
        for control in page.locator("button, summary, select, textarea, input[type=text], .checks label").all():
            box = control.bounding_box()
            assert box is not None
            assert 0 <= box["x"] <= box["x"] + box["width"] <= 320, (name, control)
            assert box["height"] >= 44, (name, control)
        page.set_viewport_size({"width": 640, "height": 568})
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        assert page.evaluate(WIDTH) == 640, name
        page.set_viewport_size({"width": 320, "height": 568})


def test_the_keyboard_is_enough(open_signed_in: Open) -> None:
    """The first stop is the link to the content; an action is unfolded, and its form filled and sent, by keys."""
    page = open_signed_in()
    page.goto("/admin/client?id=frame")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="All clients")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("summary", has_text="Rotate the secret")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("for an hour")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("has a new secret")
