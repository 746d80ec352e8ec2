"""What Jane does on the pages, by what she sees and hears there."""

from __future__ import annotations

from playwright.sync_api import Page

from .applications import Application


def sign_in(page: Page, password: str = "wonderland") -> None:
    """Fill in the form of the sign-in page."""
    page.get_by_label("Name").fill("jane")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def approve(page: Page) -> None:
    """Let the application in."""
    page.get_by_role("button", name="Approve").click()


def deny(page: Page) -> None:
    """Keep the application out."""
    page.get_by_role("button", name="Deny").click()


def let_in(page: Page, application: Application) -> None:
    """The whole dance, from the application and back to it, while she is signed in."""
    page.goto(application.ask())
    approve(page)
    page.wait_for_url(f"{application.callback}?*")
    application.finish(page.url)
