"""Signing in and out."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.examples.running import Photos

from .applications import OUT_OF_BAND, Application
from .jane import approve, let_in, sign_in
from .watching import Open, Watch

MISTAKE = "This name and password do not match. Try again."


def expect_to_be_asked(page: Page) -> None:
    """The page is the sign-in page, without the user's data."""
    expect(page.get_by_role("heading", name="Sign in to your photos")).to_be_visible()
    expect(page.get_by_role("button", name="Sign out")).to_have_count(0)


def test_a_wrong_password_then_the_right_one(page: Page, printer: Application) -> None:
    """The error is announced, the name is kept, the password is not, and signing in leads on to the page she wanted."""
    question = printer.ask()
    page.goto(question)
    sign_in(page, "wonderland?")
    expect(page.get_by_role("alert")).to_have_text(MISTAKE)
    expect(page).to_have_title("Wrong name or password · Photos")
    expect(page.get_by_label("Name")).to_have_value("jane")
    password = page.get_by_label("Password")
    expect(password).to_have_value("")
    expect(password).to_be_focused()
    expect(password).to_have_accessible_description(MISTAKE)
    sign_in(page)
    expect(page.get_by_role("heading", name="Let Printer see your photos?")).to_be_visible()
    assert page.url == question


def test_signing_in_leads_to_the_home_page(page: Page, provider: Photos) -> None:
    """She stays signed in, by a cookie that scripts cannot read."""
    page.goto("/")
    expect_to_be_asked(page)
    sign_in(page)
    expect(page).to_have_url(f"{provider.url}/")
    expect(page.get_by_text("Signed in as jane")).to_be_visible()
    page.reload()
    expect(page.get_by_text("Signed in as jane")).to_be_visible()
    (cookie,) = page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Lax", "/")
    assert page.evaluate("document.cookie") == ""


def test_going_back_after_signing_out_shows_nothing(page: Page, printer: Application) -> None:
    """Neither the browser's history nor a copy of its cookies shows her pages."""
    page.goto("/")
    sign_in(page)
    expect(page.get_by_text("Signed in as jane")).to_be_visible()
    let_in(page, printer)
    page.goto("/")
    expect(page.get_by_role("listitem").filter(has_text="Printer")).to_have_count(1)
    page.goto(printer.ask())
    cookies = page.context.cookies()
    page.get_by_role("button", name="Sign out").click()
    expect_to_be_asked(page)
    page.go_back()
    page.wait_for_url("**/login?next=%2Fauthorize*")
    expect_to_be_asked(page)
    page.go_back()
    page.wait_for_url("**/login?next=%2F")
    expect_to_be_asked(page)
    page.context.add_cookies(cookies)  # type: ignore[arg-type]  # the types of Playwright differ
    page.goto("/")
    expect_to_be_asked(page)


def test_going_back_after_signing_out_shows_no_code(page: Page, printer: Application, watch: Watch) -> None:
    """The page with the code is not in the browser's history."""
    page.goto(printer.ask(OUT_OF_BAND))
    sign_in(page)
    approve(page)
    expect(page.locator("output#oauth_verifier")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect_to_be_asked(page)
    # The browser would have to send the form again, and asks for confirmation.
    with page.expect_event("requestfailed"):
        page.evaluate("history.back()")
    assert [complaint.rpartition(" ")[2] for complaint in watch.complaints] == ["net::ERR_CACHE_MISS"]
    watch.forget()
    expect(page.locator("output#oauth_verifier")).to_have_count(0)


def test_signing_out_applies_to_every_window(page: Page, printer: Application) -> None:
    """Approving in another window leads to the sign-in page, and then to the consent page."""
    page.goto(printer.ask())
    sign_in(page)
    expect(page.get_by_role("button", name="Approve")).to_be_visible()
    other = page.context.new_page()
    other.goto("/")
    other.get_by_role("button", name="Sign out").click()
    expect_to_be_asked(other)
    approve(page)
    expect_to_be_asked(page)
    sign_in(page)
    approve(page)
    page.wait_for_url(f"{printer.callback}?*")


def test_sessions_belong_to_one_browser(open_page: Open, her_page: Page, printer: Application) -> None:
    """A link that she passes on does not show her pages in another browser."""
    her_page.goto(printer.ask())
    expect(her_page.get_by_role("button", name="Approve")).to_be_visible()
    another = open_page()
    another.goto(her_page.url)
    expect_to_be_asked(another)
