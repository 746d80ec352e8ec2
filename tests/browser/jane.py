"""Jane's actions on the pages, by labels and roles."""

from __future__ import annotations

from playwright.sync_api import Page

from .applications import Application


def sign_in(page: Page, password: str = "wonderland") -> None:
    """Fill in the form of the sign-in page."""
    page.get_by_label("Name").fill("jane")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def approve(page: Page) -> None:
    """Approve the application."""
    page.get_by_role("button", name="Approve").click()


def deny(page: Page) -> None:
    """Deny the application."""
    page.get_by_role("button", name="Deny").click()


def remove_access(page: Page, name: str = "") -> None:
    """Remove the access of an application, or of the first one, and say yes on the page that asks."""
    button = page.get_by_role("button", name=f"Remove access {name}".strip(), exact=bool(name))
    button.first.click()
    page.wait_for_url("**/remove?*")
    page.get_by_role("button", name="Remove access", exact=True).click()
    page.wait_for_url(lambda url: "/remove" not in url)


def let_in(page: Page, application: Application) -> None:
    """Run the whole flow while she is signed in."""
    page.goto(application.ask())
    approve(page)
    page.wait_for_url(f"{application.callback}?*")
    application.finish(page.url)
