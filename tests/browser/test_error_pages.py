"""Error pages."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.examples.running import Photos

from .jane import sign_in
from .watching import Watch


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/nothing-here", 404, "This page does not exist."),
        ("/logout", 405, "This address cannot be used in this way."),
        ("/authorize", 400, "The application did not say what it asks for."),
        ("/authorize?oauth_token=unknown", 400, "This request has expired, or you have answered it already."),
        ("/authorize?oauth_token=<b>bold</b>", 400, "This request has expired, or you have answered it already."),
    ],
)
def test_an_error_page_explains_the_error(
    page: Page, watch: Watch, provider: Photos, path: str, status: int, text: str
) -> None:
    """It has a plain text, the status, and a link to the home page."""
    page.goto(path)
    assert watch.answers[-1].status == status
    expect(page.get_by_role("heading", level=1)).to_have_text("This did not work")
    expect(page.get_by_role("main")).to_contain_text(text)
    expect(page.get_by_role("main")).to_contain_text(f"Error {status}.")
    expect(page).to_have_title(f"Error {status} · Photos")
    page.get_by_role("link", name="Your home page").click()
    expect(page).to_have_url(f"{provider.url}/login?next=%2F")


def test_a_form_without_its_session(page: Page, watch: Watch) -> None:
    """The page says what to do, and that works."""
    page.goto("/")
    page.context.clear_cookies()
    sign_in(page)
    expect(page.get_by_role("main")).to_contain_text("This form is no longer valid. Go back, reload the page")
    assert watch.answers[-1].status == 400
    page.go_back()
    page.reload()
    sign_in(page)
    expect(page.get_by_text("Signed in as jane")).to_be_visible()


def test_the_policy_blocks_planted_markup(page: Page, watch: Watch, landing: str) -> None:
    """Markup that is planted on the sign-in page loads nothing and sends nothing.

    This is also how the other tests know that a complaint of the browser would be seen.
    """
    page.goto("/login")
    plant = """([tag, name, value]) => {
        const element = Object.assign(document.createElement(tag), {[name]: value});
        document.body.append(element);
        if (tag === "form") element.submit();
    }"""
    for planted in (["img", "src", f"{landing}/image"], ["form", "action", f"{landing}/stolen"]):
        with page.expect_console_message(lambda message: message.type == "error") as refusal:
            page.evaluate(plant, planted)
        assert "violates the following Content Security Policy directive" in refusal.value.text
    assert [complaint for complaint in watch.complaints if "Content Security Policy" in complaint]
    watch.forget()
    assert not [answer for answer in watch.answers if answer.url.startswith(landing)]
