"""Accessibility of every page: contrast, width, and screen readers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from .applications import APP, OUT_OF_BAND, Application, Register
from .contrast import EDGE, contrast, outline_contrast, parsed, weak_elements
from .jane import approve, deny, let_in, remove_access, sign_in
from .watching import Open

#: A name that cannot be broken into lines.
LONG_NAME = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"

WIDTH = "document.scrollingElement.scrollWidth"

#: The controls of each page, in order, by role and accessible name.
HEADER = [("link", "photos.example.net")]
SIGNED_IN = [*HEADER, ("button", "Sign out")]
QUESTION = [*SIGNED_IN, ("link", "home page"), ("button", "Approve"), ("button", "Deny")]
SIGN_IN = [*HEADER, ("textbox", "Name"), ("textbox", "Password"), ("button", "Sign in")]
CONTROLS = {
    "sign in": SIGN_IN,
    "wrong password": SIGN_IN,
    "question": QUESTION,
    "question of an app": QUESTION,
    "question for a code": QUESTION,
    "code": [*SIGNED_IN, ("link", "Your applications")],
    "denied": [*SIGNED_IN, ("link", "Your applications")],
    "home": [*SIGNED_IN, ("button", f"Remove access {LONG_NAME}")],
    "removal": [*SIGNED_IN, ("button", "Remove access"), ("link", "Keep access")],
    "nobody let in": SIGNED_IN,
    "error": [*SIGNED_IN, ("link", "Your home page")],
}


def every_page(page: Page, application: Application) -> Iterator[str]:
    """Open one page after the other; yields the name of each."""
    page.goto("/")
    yield "sign in"
    sign_in(page, "wrong")
    expect(page.get_by_role("alert")).to_be_visible()
    yield "wrong password"
    sign_in(page)
    expect(page.get_by_role("heading")).to_have_text("Your applications")
    page.wait_for_load_state()
    while page.get_by_role("listitem").count():
        remove_access(page)
    yield "nobody let in"
    page.goto(application.ask(APP))
    yield "question of an app"
    page.goto(application.ask(OUT_OF_BAND))
    yield "question for a code"
    deny(page)
    expect(page.get_by_role("heading")).to_have_text(f"{application.name} was not let in")
    yield "denied"
    page.goto(application.ask(OUT_OF_BAND))
    approve(page)
    expect(page.locator("output")).to_be_visible()
    yield "code"
    page.goto(application.ask())
    yield "question"
    let_in(page, application)
    page.goto("/")
    yield "home"
    page.get_by_role("button", name="Remove access").click()
    page.wait_for_url("**/remove?*")
    yield "removal"
    page.goto("/authorize")
    yield "error"


@pytest.fixture
def application(register: Register) -> Application:
    """An application with a long name."""
    return register(LONG_NAME)


def test_every_page_has_landmarks_and_named_controls(page: Page, application: Application) -> None:
    """A screen reader can announce the page, its parts and its controls."""
    seen = {}
    for name in every_page(page, application):
        expect(page.locator("html")).to_have_attribute("lang", "en")
        for landmark in ("banner", "main"):
            expect(page.get_by_role(landmark)).to_have_count(1)  # type: ignore[arg-type]  # a role
        expect(page.get_by_role("heading")).to_have_count(1)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert page.title().endswith(" · Photos")
        seen[name] = controls(page)
        for role, label in seen[name]:
            expect(page.get_by_role(role, name=label, exact=True)).to_have_count(1)  # type: ignore[arg-type]
    assert seen == CONTROLS


def controls(page: Page) -> list[tuple[str, str]]:
    """The controls of a page, by role and accessible name, in the browser's accessibility tree."""
    snapshot = page.locator("body").aria_snapshot()
    lines = (line.strip().removeprefix("- ") for line in snapshot.splitlines())
    roles = ("link", "button", "textbox", "checkbox", "combobox")
    found = [line.partition(" ") for line in lines if line.startswith(roles)]
    return [(role, rest.split('"')[1]) for role, _, rest in found]


def test_contrast_is_sufficient(page: Page, application: Application) -> None:
    """Text, edges, hovered and focused controls meet WCAG's level AA, in light and dark mode."""
    for name in every_page(page, application):
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.mouse.move(0, 0)
            assert not list(weak_elements(page)), (name, scheme)
            for button in page.get_by_role("button").all():
                button.hover()
                assert not list(weak_elements(page)), (name, scheme, button)
            for control in page.locator("a, button, input:not([type=hidden])").all():
                control.focus()
                assert outline_contrast(control) >= EDGE, (name, scheme, control)


def test_nothing_scrolls_sideways(open_page: Open, application: Application) -> None:
    """Every page fits into 320 pixels, and into 640 at twice the size of text."""
    page = open_page(viewport={"width": 320, "height": 568}, has_touch=True, is_mobile=True)
    for name in every_page(page, application):
        assert page.evaluate(WIDTH) == 320, name
        for control in page.locator("button, input:not([type=hidden])").all():
            box = control.bounding_box()
            assert box is not None
            assert 0 <= box["x"] <= box["x"] + box["width"] <= 320, (name, control)
            # The size of touch targets by level AAA and the guidelines for phones.
            assert box["height"] >= 44, (name, control)
        page.set_viewport_size({"width": 640, "height": 568})
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        assert page.evaluate(WIDTH) == 640, name
        page.set_viewport_size({"width": 320, "height": 568})


def test_contrast_is_computed_as_in_wcag() -> None:
    """The figures match those for black on white, and for the lightest sufficient grey."""
    black, white, grey = parsed("rgb(0, 0, 0)"), parsed("rgb(255, 255, 255)"), parsed("rgb(118, 118, 118)")
    assert contrast(black, white) == pytest.approx(21)
    assert contrast(white, white) == pytest.approx(1)
    assert contrast(grey, white) == pytest.approx(4.54, abs=0.01)
