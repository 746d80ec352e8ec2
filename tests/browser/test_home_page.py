"""The home page: listing applications, and removing their access."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from .applications import Application, Register
from .jane import let_in, remove_access


def test_removing_access(her_page: Page, register: Register) -> None:
    """The next request of the application is refused; other applications keep their access."""
    printer, calendar = register("Printer"), register("Wall calendar")
    let_in(her_page, printer)
    let_in(her_page, calendar)
    her_page.goto("/")
    applications = her_page.get_by_role("listitem")
    expect(applications.filter(has_text="Printer")).to_have_count(1)
    expect(applications.filter(has_text="Wall calendar")).to_have_count(1)
    assert printer.photo().status_code == 200
    remove_access(her_page, "Printer")
    expect(applications.filter(has_text="Printer")).to_have_count(0)
    expect(applications.filter(has_text="Wall calendar")).to_have_count(1)
    assert printer.photo().status_code == 401
    assert calendar.photo().status_code == 200


def test_an_application_that_was_let_in_twice(her_page: Page, printer: Application) -> None:
    """It is listed once; removing it revokes all its tokens, and it can ask again."""
    let_in(her_page, printer)
    first_session = printer.leave_session()
    let_in(her_page, printer)
    her_page.goto("/")
    button = her_page.get_by_role("button", name="Remove access Printer", exact=True)
    expect(button).to_have_count(1)
    remove_access(her_page, "Printer")
    expect(button).to_have_count(0)
    assert printer.photo().status_code == 401
    assert first_session() == 401
    let_in(her_page, printer)
    assert printer.photo().status_code == 200


def test_keeping_access(her_page: Page, printer: Application) -> None:
    """The page before a removal shows what is about to be removed; without an answer, nothing is."""
    let_in(her_page, printer)
    assert printer.photo().status_code == 200
    her_page.goto("/")
    her_page.get_by_role("button", name="Remove access Printer", exact=True).click()
    expect(her_page.get_by_role("heading")).to_have_text("Remove the access of Printer?")
    expect(her_page.locator("dt")).to_have_text(["Host", "Since", "Last used"])
    expect(her_page.locator("dd").last).to_contain_text("UTC")
    her_page.reload()
    her_page.get_by_role("link", name="Keep access").click()
    expect(her_page.get_by_role("listitem").filter(has_text="Printer")).to_have_count(1)
    assert printer.photo().status_code == 200


def test_the_way_back_after_a_removal(her_page: Page, printer: Application) -> None:
    """Back leads to the list, since there is nothing left to ask about."""
    let_in(her_page, printer)
    her_page.goto("/")
    remove_access(her_page, "Printer")
    her_page.go_back()
    expect(her_page.get_by_role("heading")).to_have_text("Your applications")
    expect(her_page.get_by_role("listitem").filter(has_text="Printer")).to_have_count(0)


def test_no_applications(her_page: Page) -> None:
    """The page says that there are none."""
    her_page.goto("/")
    applications = her_page.get_by_role("listitem")
    for left in reversed(range(applications.count())):
        remove_access(her_page)
        expect(applications).to_have_count(left)
    expect(her_page.get_by_role("main")).to_contain_text("No application can see your photos.")
