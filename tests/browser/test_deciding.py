"""Approving and denying an application."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, Request, expect

from .applications import APP, OUT_OF_BAND, Application, Register
from .jane import approve, deny, let_in, remove_access, sign_in
from .watching import Open

MARKUP = '<b>Bold</b> & "Sons" <script>alert(1)</script>'


def test_approving(page: Page, printer: Application) -> None:
    """The callback gets a token and a verifier, with which the application gets the photo."""
    page.goto(printer.ask())
    asked_for = printer.oauth_token
    sign_in(page)
    approve(page)
    page.wait_for_url(f"{printer.callback}?*")
    expect(page.get_by_role("heading")).to_have_text("Back in the application")
    came_along = parse_qs(urlsplit(page.url).query, strict_parsing=True)
    assert set(came_along) == {"oauth_token", "oauth_verifier"}
    assert came_along["oauth_token"] == [asked_for]
    printer.finish(page.url)
    answer = printer.photo()
    assert answer.status_code == 200
    assert answer.json()["owner"] == "jane"


def test_denying(her_page: Page, printer: Application) -> None:
    """The callback gets an error and the token, and the request cannot be answered again."""
    question = printer.ask()
    her_page.goto(question)
    deny(her_page)
    her_page.wait_for_url(f"{printer.callback}?*")
    came_along = parse_qs(urlsplit(her_page.url).query, strict_parsing=True)
    assert came_along == {"error": ["access_denied"], "oauth_token": [printer.oauth_token]}
    her_page.goto(question)
    expect(her_page.get_by_role("main")).to_contain_text("you have answered it already")


def test_the_consent_page_describes_the_request(her_page: Page, printer: Application, landing: str) -> None:
    """It shows the application's name and permissions, the user's name, and the host of the callback."""
    her_page.goto(printer.ask())
    main = her_page.get_by_role("main")
    expect(main.get_by_role("heading", level=1)).to_have_text("Let Printer see your photos?")
    expect(main.get_by_role("listitem")).to_have_text(["see all photos that you keep here,", "know your name, jane."])
    expect(main).to_contain_text(f"Either way you return to {urlsplit(landing).netloc}.")
    expect(her_page).to_have_title("Let Printer see your photos? · Photos")


def test_approving_shows_a_code(her_page: Page, printer: Application) -> None:
    """The user types the code into an application that has no callback."""
    her_page.goto(printer.ask(OUT_OF_BAND))
    expect(her_page.get_by_role("main")).to_contain_text("you get a code to type into the application")
    approve(her_page)
    code = her_page.locator("output#oauth_verifier")
    expect(code).to_have_accessible_name(re.compile("^Type this code into .?Printer.?$"))
    printer.finish_with_code(code.inner_text())
    assert printer.photo().json()["owner"] == "jane"


def test_denying_a_code(her_page: Page, printer: Application) -> None:
    """Without a callback, a page says that nothing was shared."""
    her_page.goto(printer.ask(OUT_OF_BAND))
    deny(her_page)
    expect(her_page.get_by_role("heading")).to_have_text("Printer was not let in")
    expect(her_page.locator("output")).to_have_count(0)


def test_a_link_is_invalid_after_the_exchange(her_page: Page, printer: Application) -> None:
    """Opening the link of the consent page again shows an error page."""
    question = printer.ask()
    her_page.goto(question)
    approve(her_page)
    her_page.wait_for_url(f"{printer.callback}?*")
    printer.finish(her_page.url)
    her_page.goto(question)
    expect(her_page.get_by_role("main")).to_contain_text("has expired, or you have answered it already")


def test_a_callback_that_redirects_to_another_origin(her_page: Page, printer: Application) -> None:
    """Browsers apply form-action to all redirects after a form; this one is not blocked."""
    her_page.goto(printer.ask("/moved"))
    approve(her_page)
    her_page.wait_for_url("http://localhost:*/ready?*")
    printer.finish(her_page.url)
    assert printer.photo().status_code == 200


@pytest.mark.parametrize(("decide", "answer"), [(approve, "oauth_verifier="), (deny, "error=access_denied")])
def test_a_callback_of_an_app(
    her_page: Page, printer: Application, decide: Callable[[Page], None], answer: str
) -> None:
    """The browser tries to open the scheme of the app; no policy blocks it."""
    her_page.goto(printer.ask(APP))
    expect(her_page.get_by_role("main")).to_contain_text("the app on this device that opens com.example.printer.")

    def to_the_app(request: Request) -> bool:
        return request.url.startswith("com.example.printer:")

    with her_page.expect_event("requestfailed", to_the_app) as handed_over:
        decide(her_page)
    assert answer in handed_over.value.url


def test_markup_in_a_name_is_escaped(her_page: Page, register: Register) -> None:
    """The page shows the characters of the name."""
    marked = register(MARKUP)
    her_page.goto(marked.ask())
    expect(her_page.get_by_role("heading", level=1)).to_have_text(f"Let {MARKUP} see your photos?")
    expect(her_page).to_have_title(f"Let {MARKUP} see your photos? · Photos")
    expect(her_page.locator("b, script")).to_have_count(0)
    let_in(her_page, marked)
    her_page.goto("/")
    expect(her_page.get_by_role("listitem").filter(has_text="Sons").locator("strong")).to_have_text(MARKUP)
    expect(her_page.locator("b, script")).to_have_count(0)


def test_by_keyboard_alone(page: Page, printer: Application) -> None:
    """Signing in and approving work with Tab and Enter, and the focus is visible."""
    page.goto(printer.ask())
    expect(page.get_by_label("Name")).to_be_focused()
    page.keyboard.type("jane")
    page.keyboard.press("Tab")
    page.keyboard.type("wonderland")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Approve")).to_be_visible()
    stops: list[str] = []
    while "Approve" not in stops:
        assert len(stops) < 10, stops
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        stops.append(focused.inner_text())
        expect(focused).to_have_css("outline-style", "solid")
        expect(focused).to_have_css("outline-width", "3px")
    assert stops == ["photos.example.net", "Sign out", "home page", "Approve"]
    page.keyboard.press("Enter")
    page.wait_for_url(f"{printer.callback}?*oauth_verifier=*")


def test_denying_by_keyboard(her_page: Page, printer: Application) -> None:
    """Deny comes right after Approve, and works with the space bar."""
    her_page.goto(printer.ask())
    her_page.get_by_role("button", name="Approve").focus()
    her_page.keyboard.press("Tab")
    expect(her_page.get_by_role("button", name="Deny")).to_be_focused()
    her_page.keyboard.press("Space")
    her_page.wait_for_url(f"{printer.callback}?*error=access_denied*")


def test_without_scripts(open_page: Open, printer: Application) -> None:
    """The whole flow works without JavaScript."""
    page = open_page(java_script_enabled=False)
    page.goto(printer.ask())
    sign_in(page, "wrong")
    expect(page.get_by_role("alert")).to_be_visible()
    sign_in(page)
    approve(page)
    page.wait_for_url(f"{printer.callback}?*")
    printer.finish(page.url)
    assert printer.photo().status_code == 200
    page.goto("/")
    remove_access(page, "Printer")
    expect(page.get_by_role("listitem").filter(has_text="Printer")).to_have_count(0)
    assert printer.photo().status_code == 401
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
