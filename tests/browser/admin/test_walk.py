"""An operator's way through the admin page, without JavaScript."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Error, Page, expect

from ..watching import Open, Watch
from .conftest import NAMES, sign_in


@pytest.fixture
def page(open_signed_in: Open) -> Page:
    """A window on a telephone, without JavaScript."""
    return open_signed_in(
        java_script_enabled=False, viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True
    )


def test_a_client_is_registered_and_its_secret_is_shown_once(page: Page) -> None:
    """A reload asks the browser to send the form again: no second client, and no secret. Nor does the way back."""
    page.get_by_role("link", name="Register a client").click()
    page.get_by_label("Name", exact=True).fill("My <i>app</i>")
    page.get_by_label("Callbacks").fill("oob")
    page.get_by_label("HMAC-SHA256").check()
    page.get_by_role("button", name="Register").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("My <i>app</i> is registered")
    secret = page.locator("output").nth(1).inner_text()
    assert len(secret) >= 43
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("This form was sent before")
    assert secret not in page.content()
    page.get_by_role("main").get_by_role("link", name="All clients").click()
    page.get_by_label("Search by name or identifier").fill("<i>APP")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("rowheader")).to_have_count(1)
    page.get_by_role("link", name="My <i>app</i>").click()
    expect(page.get_by_text("HMAC-SHA256")).to_be_visible()
    assert secret not in page.content()


def test_a_secret_is_rotated(page: Page, watch: Watch) -> None:
    """The browser insists on a choice; on the way back, the secret is not shown."""
    page.goto("/admin/client?id=printer")
    page.get_by_text("Rotate the secret").click()
    page.get_by_role("button", name="Give it a new secret").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Printer Enabled")  # nothing was sent
    page.get_by_label("The former secret stays valid").select_option("for a week")
    page.get_by_role("button", name="Give it a new secret").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Printer has a new secret")
    secret = page.locator("output").nth(1).inner_text()
    page.get_by_role("link", name="I have copied it").click()
    expect(page.get_by_text("valid until")).to_be_visible()
    # The browser asks whether to send the form again.
    with page.expect_event("requestfailed"), pytest.raises(Error, match="ERR_CACHE_MISS"):
        page.go_back()
    expect(page.get_by_text(secret)).to_have_count(0)
    watch.forget()
    other = page.context.new_page()  # the browser may still be opening its own page about this
    other.goto("/admin/client/rotate?id=printer")
    expect(other).to_have_url(re.compile(r"/admin/client\?id=printer$"))


def test_a_client_is_disabled_and_enabled_and_a_token_revoked(page: Page) -> None:
    """Each form leads back to the client, and says what was done."""
    page.goto("/admin/client?id=printer")
    page.get_by_text("Disable the client").click()
    page.get_by_role("button", name="Disable it").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Disabled")
    expect(page.get_by_role("status")).to_contain_text("Every request of this client is refused")
    page.get_by_text("Enable the client").click()
    page.get_by_role("button", name="Enable it").click()
    expect(page.get_by_role("status")).to_contain_text("its requests are verified again")
    row = page.get_by_role("row").filter(has_text="<b>bob</b>")
    row.get_by_text("Revoke", exact=True).click()
    row.get_by_role("button", name="Revoke it").click()
    expect(page.get_by_role("status")).to_have_text("The token is revoked.")
    expect(page.get_by_role("row").filter(has_text="<b>bob</b>")).to_have_count(0)


def test_the_list_goes_on(page: Page) -> None:
    """A long list is read in pages, and the way back leads to the page before."""
    first = page.get_by_role("rowheader").count()
    page.get_by_role("link", name="Next page").click()
    expect(page.get_by_role("link", name="First page")).to_be_visible()
    expect(page.get_by_role("link", name="Next page")).to_have_count(0)
    page.wait_for_load_state()
    assert (first, page.get_by_role("rowheader").count() >= len(NAMES)) == (50, True)
    page.get_by_role("link", name="First page").click()
    expect(page.get_by_role("rowheader")).to_have_count(50)


def test_a_form_of_another_site_changes_nothing(page: Page, watch: Watch) -> None:
    """The browser tells where the form is from, even if it has a token that holds."""
    page.goto("/admin/client?id=printer")
    token = page.locator('input[name="form_token"]').first.get_attribute("value")
    target = page.url.replace("/client?", "/client/disable?")
    page.set_content("<form>")  # about:blank
    other = page.context.new_page()
    form = f'<form method="post" action="{target}"><input name="form_token" value="{token}"><button>Win</button></form>'
    other.route("http://evil.example/", lambda route: route.fulfill(body=form, content_type="text/html"))
    other.goto("http://evil.example/")
    other.get_by_role("button").click()
    # The strict cookie of the session is not even sent.
    expect(other.get_by_role("heading", level=1)).to_have_text("You may not open this page")
    page.goto("/admin/client?id=printer")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Enabled")


def test_without_a_sign_in_there_is_only_a_link_to_it(page: Page) -> None:
    """The session decides, at each request."""
    page.context.clear_cookies()
    page.goto("/admin/client?id=printer")
    expect(page.get_by_role("heading", level=1)).to_have_text("You may not open this page")
    page.get_by_role("link", name="Sign in").click()
    sign_in(page)
