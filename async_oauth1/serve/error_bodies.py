"""Refusals in the words of the provider that a preset imitates."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from async_oauth1.provider.responses import form_response

from .presets import ErrorStyle

__all__ = ["Refusal", "render"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is known of a refused request.

    Attributes:
        status: HTTP status.
        code: our error code.
        text: our description, without secrets.
        base_string: as this provider builds it, without secrets; empty if the request cannot be read.
        method: the signature method that the request names.
    """

    status: int
    code: str
    text: str
    base_string: str = ""
    method: str = ""


def render(refusal: Refusal, style: ErrorStyle) -> tuple[int, str, str]:
    """The status, the Content-Type and the body of a refusal."""
    problem = style.problems.get(refusal.code, style.other)
    status = problem.status or refusal.status
    if refusal.status >= 500:  # not the client's fault, whatever the style says
        status = refusal.status
    shows_base_string = refusal.code == "invalid_signature"
    values = {
        "code": problem.code,
        "text": problem.text.replace("{text}", refusal.text),
        "status": status,
        "base_string": refusal.base_string if shows_base_string else "",
        "method": refusal.method if shows_base_string else "",
    }
    return status, style.media_type, _body(style, values)


def _body(style: ErrorStyle, values: Mapping[str, object]) -> str:
    filled = {name: _filled(value, values) for name, value in style.body.items()}
    if style.media_type == "application/json":
        return json.dumps(filled)
    pairs = [(name, str(value)) for name, value in filled.items() if value]
    if style.media_type.startswith("text/plain"):
        return "".join(text for _, text in pairs)
    return form_response(pairs).body


def _filled(template: object, values: Mapping[str, object]) -> object:
    """A template with its placeholders replaced; what is inserted is not looked at again."""
    if isinstance(template, Mapping):
        members = cast("Mapping[str, object]", template)
        return {name: _filled(value, values) for name, value in members.items()}
    if isinstance(template, list):
        return [_filled(value, values) for value in cast("list[object]", template)]
    if isinstance(template, str) and template[:1] == "{" and template[-1:] == "}":
        return values[template[1:-1]]
    return template
