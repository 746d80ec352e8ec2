"""Jane lets an application in, or does not, and the application learns of it."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, Request, expect

from .applications import APP, OUT_OF_BAND, Application, Register
from .jane import approve, deny, let_in, sign_in
from .watching import Open

MARKUP = '<b>Bold</b> & "Sons" <script>alert(1)</script>'


def test_approving(page: Page, printer: Application) -> None:
    """She lands on the callback with a token and a verifier, which the application exchanges for a photo."""
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
    """She lands on the callback with the reason and the token it is about, and the question is settled."""
    question = printer.ask()
    her_page.goto(question)
    deny(her_page)
    her_page.wait_for_url(f"{printer.callback}?*")
    came_along = parse_qs(urlsplit(her_page.url).query, strict_parsing=True)
    assert came_along == {"error": ["access_denied"], "oauth_token": [printer.oauth_token]}
    her_page.goto(question)
    expect(her_page.get_by_role("main")).to_contain_text("you have answered it already")


def test_the_page_says_who_asks_for_what_and_what_comes_next(
    her_page: Page, printer: Application, landing: str
) -> None:
    """The application's name, what it gets, whom Jane is taken for, and where she goes."""
    her_page.goto(printer.ask())
    main = her_page.get_by_role("main")
    expect(main.get_by_role("heading", level=1)).to_have_text("Let Printer see your photos?")
    expect(main.get_by_role("listitem")).to_have_text(["see all photos that you keep here,", "know your name, jane."])
    expect(main).to_contain_text(f"Either way you return to {urlsplit(landing).netloc}.")
    expect(her_page).to_have_title("Let Printer see your photos? · Photos")


def test_a_code_to_type(her_page: Page, printer: Application) -> None:
    """An application that no redirect reaches gets a code by way of her fingers."""
    her_page.goto(printer.ask(OUT_OF_BAND))
    expect(her_page.get_by_role("main")).to_contain_text("you get a code to type into the application")
    approve(her_page)
    code = her_page.locator("output#oauth_verifier")
    expect(code).to_have_accessible_name("Type this code into the application")
    printer.finish_with_code(code.inner_text())
    assert printer.photo().json()["owner"] == "jane"


def test_denying_a_code(her_page: Page, printer: Application) -> None:
    """There is nowhere to go, so this site says that nothing was given away."""
    her_page.goto(printer.ask(OUT_OF_BAND))
    deny(her_page)
    expect(her_page.get_by_role("heading")).to_have_text("The application was not let in")
    expect(her_page.locator("output")).to_have_count(0)


def test_coming_back_to_a_question_that_was_answered(her_page: Page, printer: Application) -> None:
    """The link that has brought her here is used up with the exchange."""
    question = printer.ask()
    her_page.goto(question)
    approve(her_page)
    her_page.wait_for_url(f"{printer.callback}?*")
    printer.finish(her_page.url)
    her_page.goto(question)
    expect(her_page.get_by_role("main")).to_contain_text("has expired, or you have answered it already")


def test_a_callback_that_sends_her_on_to_another_origin(her_page: Page, printer: Application) -> None:
    """Browsers hold a policy's form-action against the whole chain of redirects; she arrives all the same."""
    her_page.goto(printer.ask("/moved"))
    approve(her_page)
    her_page.wait_for_url("http://localhost:*/ready?*")
    printer.finish(her_page.url)
    assert printer.photo().status_code == 200


@pytest.mark.parametrize(("decide", "answer"), [(approve, "oauth_verifier="), (deny, "error=access_denied")])
def test_a_callback_of_an_app_on_her_device(
    her_page: Page, printer: Application, decide: Callable[[Page], None], answer: str
) -> None:
    """The browser hands it to whatever opens that scheme: nothing on this machine, but no policy forbids it."""
    her_page.goto(printer.ask(APP))
    expect(her_page.get_by_role("main")).to_contain_text("the app on this device that opens com.example.printer.")

    def to_the_app(request: Request) -> bool:
        return request.url.startswith("com.example.printer:")

    with her_page.expect_event("requestfailed", to_the_app) as handed_over:
        decide(her_page)
    assert answer in handed_over.value.url


def test_a_name_with_markup_is_text(her_page: Page, register: Register) -> None:
    """Whatever an application calls itself, it adds nothing to the page but these characters."""
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
    """Signing in and approving take Tab and Enter, and each stop is seen."""
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
    """Deny comes right after Approve, and the space bar presses it."""
    her_page.goto(printer.ask())
    her_page.get_by_role("button", name="Approve").focus()
    her_page.keyboard.press("Tab")
    expect(her_page.get_by_role("button", name="Deny")).to_be_focused()
    her_page.keyboard.press("Space")
    her_page.wait_for_url(f"{printer.callback}?*error=access_denied*")


def test_without_scripts(open_page: Open, printer: Application) -> None:
    """The whole story works in a browser that runs none."""
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
    page.get_by_role("button", name="Remove access Printer", exact=True).click()
    expect(page.get_by_role("listitem").filter(has_text="Printer")).to_have_count(0)
    assert printer.photo().status_code == 401
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
