"""Bodies that are no forms, read as clients count them that sign them all the same."""

from __future__ import annotations

import email.parser
import email.policy
import json
from collections.abc import Callable, Iterator
from typing import cast
from urllib.parse import parse_qsl

__all__ = ["body_readings"]

#: Octets. Larger bodies are not read as parameters: each reading would cost several times as many.
MAX_BODY = 64 * 1024
#: Brackets in JSON; `json` would recurse once for each level.
MAX_NESTING = 64
#: Names that are read from one body.
MAX_NAMES = 1_000

Pairs = list[tuple[str, str]]


def body_readings(body: bytes, content_type: str) -> Iterator[tuple[float, str, Pairs]]:
    """Read a body in every way that clients do.

    Args:
        body: the octets.
        content_type: of the body; its parameters are needed for multipart.

    Yields:
        How unlikely it is, what the client did, and the pairs; text as UTF-8 octets in Latin-1.
    """
    if len(body) > MAX_BODY:
        return
    text = body.decode("latin-1")
    document = _members(_load(text))
    if document:
        for cost, how, nested in _NESTED:
            pairs = [pair for name, value in document.items() for pair in nested(str(name), value)][:MAX_NAMES]
            yield cost, f"The client signed the members of the JSON body{how}.", _as_octets(pairs)
    yield 0.5, "The client signed the whole body as the name of a parameter.", [(text, "")]
    yield 0.5, "The client signed the body as if it were a form.", _form(text)
    for name in ("body", "data", "json", "payload"):
        yield 4, f'The client signed the body as the parameter "{name}".', [(name, text)]
    yield 2, "The client signed the body as a value without a name.", [("", text)]
    if content_type.lower().startswith("multipart/"):
        fields = _multipart(body, content_type)
        yield 0, "The client signed the fields of the multipart body.", [field[:2] for field in fields if not field[2]]
        yield 1.5, "The client signed the fields and files of the multipart body.", [field[:2] for field in fields]


def _form(text: str) -> Pairs:
    return parse_qsl(text, keep_blank_values=True, encoding="latin-1", max_num_fields=None)[:MAX_NAMES]


def _members(value: object) -> dict[str, object]:
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}


def _is(value: object, kind: type) -> bool:
    return isinstance(value, kind)


def _elements(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []


def _load(text: str) -> object:
    if not text.lstrip().startswith("{") or _nesting(text) > MAX_NESTING:
        return None
    try:
        return json.loads(text.encode("latin-1"))
    except (ValueError, RecursionError):  # also for octets that are not UTF-8
        return None


def _nesting(text: str) -> int:
    """The number of opening brackets that follow each other without a closing one, at most; strings count, too."""
    deepest = depth = 0
    for character in text:
        if character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


def _as_octets(pairs: Pairs) -> Pairs:
    return [
        (name.encode("utf-8", "replace").decode("latin-1"), value.encode("utf-8", "replace").decode("latin-1"))
        for name, value in pairs
    ]


def _scalar(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _as_json(name: str, value: object) -> Pairs:
    return [(name, _scalar(value))]


def _as_spaced_json(name: str, value: object) -> Pairs:
    return [(name, value if isinstance(value, str) else json.dumps(value))]


def _as_python(name: str, value: object) -> Pairs:
    return [(name, str(value))]


def _as_repeated(name: str, value: object) -> Pairs:
    return [(name, _scalar(each)) for each in _elements(value)] if _is(value, list) else _as_json(name, value)


def _as_object_text(name: str, value: object) -> Pairs:
    if _is(value, list):
        texts = ["[object Object]" if isinstance(each, dict) else _scalar(each) for each in _elements(value)]
        return [(name, ",".join(texts))]
    return [(name, "[object Object]")] if _is(value, dict) else _as_json(name, value)


def _bracketed(*, numbered: bool) -> Callable[[str, object], Pairs]:
    def pairs(name: str, value: object) -> Pairs:
        if _is(value, dict):
            return [pair for key, each in _members(value).items() for pair in pairs(f"{name}[{key}]", each)]
        if _is(value, list):
            keys = [str(index) if numbered else "" for index in range(len(_elements(value)))]
            each_key = zip(keys, _elements(value), strict=True)
            return [pair for key, each in each_key for pair in pairs(f"{name}[{key}]", each)]
        return _as_json(name, value)

    return pairs


def _dotted(name: str, value: object) -> Pairs:
    if _is(value, dict):
        return [pair for key, each in _members(value).items() for pair in _dotted(f"{name}.{key}", each)]
    return _as_repeated(name, value)


_NESTED: tuple[tuple[float, str, Callable[[str, object], Pairs]], ...] = (
    (0, "", _as_json),
    (0.5, ", nested ones as name[member]", _bracketed(numbered=True)),
    (1.5, ", lists as name[]", _bracketed(numbered=False)),
    (0.5, ", nested ones as [object Object]", _as_object_text),
    (0.5, ", lists as repeated parameters", _as_repeated),
    (2, ", nested ones as JSON with blanks", _as_spaced_json),
    (3, ", values as Python prints them", _as_python),
    (4, ", nested ones as name.member", _dotted),
)


def _multipart(body: bytes, content_type: str) -> list[tuple[str, str, bool]]:
    """Name, value and whether it is a file, of each part."""
    head = f"Content-Type: {content_type}\r\nMIME-Version: 1.0\r\n\r\n".encode("latin-1", "replace")
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
    fields: list[tuple[str, str, bool]] = []
    for part in message.walk():
        name = part.get_param("name", header="content-disposition")
        if isinstance(name, str) and not part.is_multipart():
            payload = part.get_payload(decode=True)
            value = payload.decode("latin-1") if isinstance(payload, bytes) else ""
            fields.append((_as_octets([(name, "")])[0][0], value, part.get_filename() is not None))
    return fields[:MAX_NAMES]
