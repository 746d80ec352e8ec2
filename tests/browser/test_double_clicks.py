"""A second click on a button, a reload, and the way back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, Request, expect

from tests.examples.running import photos
from tests.stress import sample

from .applications import OUT_OF_BAND, Application, landing_server
from .jane import approve, deny, sign_in
from .watching import Open

#: Milliseconds between two clicks; a person needs 60 to 300.
DELAYS = sample([0, 60, 150, 300], 2)


def click_twice(page: Page, button: str, delay: int) -> None:
    """Press and release the mouse twice over a button, whatever the page does in between."""
    box = page.get_by_role("button", name=button).bounding_box()
    assert box is not None
    place = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.click(*place)
    if delay:
        page.wait_for_timeout(delay)
    page.mouse.click(*place)


def post_twice(page: Page, delay: int) -> None:
    """Send the form twice with the same button, past the guard of the page."""
    page.evaluate(
        """(delay) => {
            const button = document.querySelector('button[value="approve"]')
            button.click()
            if (delay) setTimeout(() => button.click(), delay)
            else button.click()
        }""",
        delay,
    )


def go_back(page: Page) -> None:
    """Go back to a page that the browser may have kept, for which there is no load event."""
    page.go_back(wait_until="commit")


def sent_forms(page: Page) -> list[str]:
    """The addresses of the forms that the page sends from now on."""
    sent: list[str] = []

    def note(request: Request) -> None:
        if request.method == "POST":
            sent.append(request.url)

    page.on("request", note)
    return sent


@pytest.fixture(scope="module")
def slow_application(executable: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    """An application whose callback is slow, of a provider with two workers."""
    store = f"sqlite:///{tmp_path_factory.mktemp('workers')}/photos.db"
    with photos("--workers", "2", store=store) as running, landing_server(is_slow=True) as landing:
        application = Application(running, landing, "Slow")
        yield application
        application.close()


@pytest.mark.stress
@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize("delay", DELAYS)
def test_a_double_click_sends_one_form(
    open_page: Open, her_session: Any, printer: Application, delay: int, scripts: bool
) -> None:
    """The page ignores the second click, with and without JavaScript."""
    page = open_page(storage_state=her_session, java_script_enabled=scripts)
    page.goto(printer.ask())
    sent = sent_forms(page)
    click_twice(page, "Approve", delay)
    page.wait_for_url(f"{printer.callback}?*oauth_verifier=*")
    assert len(sent) == 1
    printer.finish(page.url)
    assert printer.photo().status_code == 200


@pytest.mark.stress
@pytest.mark.parametrize("delay", DELAYS)
def test_a_double_click_on_deny(her_page: Page, printer: Application, delay: int) -> None:
    """The application learns of the denial."""
    her_page.goto(printer.ask())
    sent = sent_forms(her_page)
    click_twice(her_page, "Deny", delay)
    her_page.wait_for_url(f"{printer.callback}?*error=access_denied*")
    assert len(sent) == 1


@pytest.mark.stress
@pytest.mark.parametrize("delay", DELAYS)
def test_a_double_click_for_a_code(her_page: Page, printer: Application, delay: int) -> None:
    """The page with the code stays, and the code works."""
    her_page.goto(printer.ask(OUT_OF_BAND))
    click_twice(her_page, "Approve", delay)
    printer.finish_with_code(her_page.locator("output#oauth_verifier").inner_text())
    assert printer.photo().status_code == 200


@pytest.mark.stress
@pytest.mark.parametrize("delay", DELAYS)
def test_a_form_that_is_sent_twice(open_page: Open, slow_application: Application, delay: int) -> None:
    """Past the guard, and through two workers, the browser ends at the application, which gets its photo."""
    page = open_page()
    page.goto(slow_application.ask())
    sign_in(page)
    page.get_by_role("button", name="Approve").wait_for()
    sent = sent_forms(page)
    post_twice(page, delay)
    expect(page.get_by_role("heading")).to_have_text("Back in the application")
    assert page.url.startswith(f"{slow_application.callback}?")
    assert len(sent) == (2 if delay else 1)  # of two at once, the browser sends the last one
    slow_application.finish(page.url)
    assert slow_application.photo().status_code == 200


def test_two_enter_keys(her_page: Page, printer: Application) -> None:
    """The keyboard is not the mouse, and ends at the same place."""
    her_page.goto(printer.ask())
    her_page.get_by_role("button", name="Approve").focus()
    her_page.keyboard.press("Enter")
    her_page.keyboard.press("Enter")
    her_page.wait_for_url(f"{printer.callback}?*oauth_verifier=*")
    printer.finish(her_page.url)
    assert printer.photo().status_code == 200


def test_the_way_back(her_page: Page, printer: Application) -> None:
    """The consent page opens again, and leads to the same place."""
    her_page.goto(printer.ask())
    approve(her_page)
    her_page.wait_for_url(f"{printer.callback}?*")
    landed_on = her_page.url
    go_back(her_page)
    approve(her_page)
    her_page.wait_for_url(landed_on)
    go_back(her_page)
    her_page.reload()
    expect(her_page.get_by_role("main")).to_contain_text("You have approved this already.")
    expect(her_page.get_by_role("button", name="Deny")).to_have_count(0)
    approve(her_page)
    her_page.wait_for_url(landed_on)
    printer.finish(landed_on)
    assert printer.photo().status_code == 200


def test_reloading_the_page_with_the_code(her_page: Page, printer: Application) -> None:
    """The code stays the same, also on the way back and forth."""
    her_page.goto(printer.ask(OUT_OF_BAND))
    approve(her_page)
    code = her_page.locator("output#oauth_verifier")
    shown = code.inner_text()
    her_page.reload()
    expect(code).to_have_text(shown)
    go_back(her_page)
    her_page.reload()
    expect(her_page.get_by_role("main")).to_contain_text("Approve once more to see the code.")
    approve(her_page)
    expect(code).to_have_text(shown)
    printer.finish_with_code(f" {shown[:5]}-{shown[5:]} ".upper())
    assert printer.photo().status_code == 200


def test_a_click_after_a_while_counts(her_page: Page, printer: Application) -> None:
    """The guard ends, so a page that is still there can be used."""
    her_page.goto(printer.ask())
    her_page.locator(".choices").click(position={"x": 1, "y": 1})
    approve(her_page)
    her_page.wait_for_url(f"{printer.callback}?*oauth_verifier=*")


def test_denying_after_approving_is_refused(open_page: Open, her_session: Any, printer: Application) -> None:
    """A second window that still shows both buttons says that she has answered already."""
    first, second = (open_page(storage_state=her_session) for _ in range(2))
    question = printer.ask()
    for page in (first, second):
        page.goto(question)
    approve(first)
    first.wait_for_url(f"{printer.callback}?*")
    deny(second)
    expect(second.get_by_role("main")).to_contain_text("You have answered this request already.")
    printer.finish(first.url)
    assert printer.photo().status_code == 200
