"""The contrast of texts and controls on a page, as defined by WCAG 2.2."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from playwright.sync_api import Locator, Page

Color = tuple[float, float, float, float]

#: The minimum for text of any size by WCAG 1.4.3 (level AA), and for the edges of controls by 1.4.11.
TEXT, EDGE = 4.5, 3.0

_ELEMENTS = """() => {
    const style = (element) => getComputedStyle(element);
    const behind = (element) => element ? [style(element).backgroundColor, ...behind(element.parentElement)] : [];
    const ownText = (element) => [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE)
        .map((node) => node.data.trim()).join(" ").trim();
    return [...document.body.querySelectorAll("*")].filter((element) => element.checkVisibility()).map((element) => ({
        text: ownText(element) || element.value || "",
        color: style(element).color,
        backgrounds: behind(element),
        edge: element.matches("button, input:not([type=hidden])") ? style(element).borderTopColor : null,
        surroundings: behind(element.parentElement),
    }));
}"""
_OUTLINE = """(element) => {
    const style = (element) => getComputedStyle(element);
    const behind = (element) => element ? [style(element).backgroundColor, ...behind(element.parentElement)] : [];
    return [style(element).outlineColor, behind(element.parentElement)];
}"""


@dataclass(frozen=True)
class Weak:
    """A text or an edge with too little contrast."""

    what: str
    ratio: float


def weak_elements(page: Page) -> Iterator[Weak]:
    """Every text and every edge of a control with less contrast than level AA requires."""
    elements = page.evaluate(_ELEMENTS)
    assert any(element["text"] for element in elements)
    for element in elements:
        background = flattened(element["backgrounds"])
        if element["text"]:
            ratio = contrast(over(parsed(element["color"]), background), background)
            if ratio < TEXT:
                yield Weak(element["text"], ratio)
        if element["edge"]:
            surroundings = flattened(element["surroundings"])
            ratio = contrast(over(parsed(element["edge"]), surroundings), surroundings)
            if ratio < EDGE:
                yield Weak(f"edge of {element['text'] or 'a field'}", ratio)


def outline_contrast(focused: Locator) -> float:
    """The contrast of the focus outline with its surroundings."""
    color, surroundings = focused.evaluate(_OUTLINE)
    background = flattened(surroundings)
    return contrast(over(parsed(color), background), background)


def parsed(color: str) -> Color:
    """Parse a computed color: ``rgb(1, 2, 3)`` or ``rgba(1, 2, 3, 0.4)``."""
    assert color.startswith("rgb"), color
    red, green, blue, *alpha = map(float, re.findall(r"[0-9.]+", color))
    return red, green, blue, alpha[0] if alpha else 1.0


def flattened(backgrounds: list[str]) -> Color:
    """Blend backgrounds, from the innermost to the outermost, over white."""
    seen: Color = (255.0, 255.0, 255.0, 1.0)
    for color in reversed(backgrounds):
        seen = over(parsed(color), seen)
    return seen


def over(color: Color, background: Color) -> Color:
    """Blend a color over an opaque one."""
    alpha = color[3]
    red, green, blue = (
        alpha * front + (1 - alpha) * back for front, back in zip(color[:3], background[:3], strict=True)
    )
    return red, green, blue, 1.0


def contrast(one: Color, other: Color) -> float:
    """The contrast of two colors, from 1 (the same) to 21 (black on white)."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(color: Color) -> float:
    """WCAG's relative luminance."""

    def linear(channel: float) -> float:
        share = channel / 255
        return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4

    red, green, blue = map(linear, color[:3])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
