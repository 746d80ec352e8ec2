"""Boxes for scopes on the consent page."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from .applications import Application
from .jane import approve

ASKED = "photos.read+photos.write"


@pytest.mark.parametrize(("cleared", "status"), [("add photos to your albums", 200), ("see your albums", 403)])
def test_a_box_that_is_cleared_is_not_granted(her_page: Page, printer: Application, cleared: str, status: int) -> None:
    """Both boxes are ticked at first; each box that stays ticked is granted."""
    her_page.goto(printer.ask(scope=ASKED))
    expect(her_page.get_by_role("checkbox", checked=True)).to_have_count(2)
    her_page.get_by_label(cleared).uncheck()
    approve(her_page)
    her_page.wait_for_url(f"{printer.callback}?*")
    printer.finish(her_page.url)
    assert printer.albums() == status
    assert printer.photo().status_code == 200


@pytest.mark.parametrize("width", [320, 1280])
def test_boxes_fit_a_phone_and_a_desktop(her_page: Page, printer: Application, width: int) -> None:
    """The page does not scroll sideways, and each label is high enough to be tapped."""
    her_page.set_viewport_size({"width": width, "height": 700})
    her_page.goto(printer.ask(scope=ASKED))
    assert her_page.evaluate("document.documentElement.scrollWidth") <= width
    for label in her_page.locator(".scopes label").all():
        box = label.bounding_box()
        assert box is not None
        assert box["height"] >= 44
