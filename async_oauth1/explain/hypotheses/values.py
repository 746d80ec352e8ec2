"""Another text of a value: line ends, blanks, booleans, nothing, and another character set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..changes import Change, Context, Rewrite, change, is_protocol, one_of, with_each
from ..plan import Parameters
from ..texts import quoted
from ..wire import Parameter
from .parameters import ONE_BY_ONE

_FIX = "Sign the values exactly as they are sent."
#: Values that libraries write in several ways.
_SYNONYMS = (("true", "True", "1", "on", "yes"), ("false", "False", "0", "", "null", "None", "undefined"))


def value_changed(context: Context) -> Iterator[Change]:
    """Every value, rewritten in one way."""
    items = [item for item in context.plan.parameters.items if not item.is_protocol]
    for text, cost, rewrite in _REWRITES:
        if any(rewrite(item.value) != item.value for item in items):
            parameters = with_each(_with_value(rewrite), unless=is_protocol)
            yield change(cost, "value_changed", text, _FIX, parameters=parameters)


def one_value_changed(context: Context) -> Iterator[Change]:
    """The value of one parameter alone."""
    items = [item for item in context.plan.parameters.items if not item.is_protocol][:ONE_BY_ONE]
    for item in items:
        others = [other for known in _SYNONYMS if item.value in known for other in known if other != item.value]
        for other in others:
            text = f"The client signed {quoted(other)} for {quoted(item.name)}; {quoted(item.value)} arrived."
            yield change(one_of(4, len(items)), "value_changed", text, _FIX, parameters=_set(item, other))
        if item.value != item.value.strip() and len(items) > 1:
            text = f"The client signed {quoted(item.name)} without the blanks at its edges."
            yield change(one_of(2, len(items)), "value_changed", text, _FIX, parameters=_set(item, item.value.strip()))


def _set(item: Parameter, value: str) -> Rewrite[Parameters]:
    return with_each(lambda each: replace(each, value=value) if each == item else each)


def _with_value(rewrite: Rewrite[str]) -> Rewrite[Parameter]:
    return lambda item: replace(item, value=rewrite(item.value))


def _synonym(old: str, new: str) -> Rewrite[str]:
    return lambda value: new if value == old else value


def _with_line_feeds(value: str) -> str:
    return value.replace("\r\n", "\n")


_REWRITES: tuple[tuple[str, float, Rewrite[str]], ...] = (
    ("The client signed line feeds; a browser sent CR LF.", 0, _with_line_feeds),
    ("The client signed CR LF; line feeds arrived.", 1, lambda value: _with_line_feeds(value).replace("\n", "\r\n")),
    ("The client signed carriage returns.", 4, lambda value: _with_line_feeds(value).replace("\n", "\r")),
    ("The client signed values without their line ends.", 4, lambda value: value.replace("\r", "").replace("\n", "")),
    ("The client signed values without the blanks at their edges.", 0.5, str.strip),
    ("The client signed values without a blank at their end.", 1.5, str.rstrip),
    ("The client signed values without a blank at their start.", 2, str.lstrip),
    ("The client signed True; true arrived.", 0.5, _synonym("true", "True")),
    ("The client signed 1; true arrived.", 0.5, _synonym("true", "1")),
    ("The client signed true; 1 arrived.", 3, _synonym("1", "true")),
    ("The client signed True; 1 arrived.", 3, _synonym("1", "True")),
    ("The client signed true; True arrived.", 1, _synonym("True", "true")),
    ("The client signed an empty value; false arrived.", 0.5, _synonym("false", "")),
    ("The client signed False; false arrived.", 1, _synonym("false", "False")),
    ("The client signed 0; false arrived.", 3, _synonym("false", "0")),
    ("The client signed false; an empty value arrived.", 3, _synonym("", "false")),
    ("The client signed null; an empty value arrived.", 0.5, _synonym("", "null")),
    ("The client signed None; an empty value arrived.", 3, _synonym("", "None")),
    ("The client signed undefined; an empty value arrived.", 4, _synonym("", "undefined")),
    ("The client signed an empty value; null arrived.", 2, _synonym("null", "")),
    ("The client signed an empty value; None arrived.", 3, _synonym("None", "")),
)


#: What was signed, how unlikely it is, and both character sets.
_CHARSETS = (
    ("Latin-1 instead of UTF-8", 0, "utf-8", "latin-1"),
    ("UTF-8 where Latin-1 arrived", 0.5, "latin-1", "utf-8"),
    ("Windows-1252 instead of UTF-8", 2, "utf-8", "cp1252"),
    ("UTF-8 where Windows-1252 arrived", 2, "cp1252", "utf-8"),
    ("question marks for what ASCII lacks", 3, "utf-8", "ascii"),
)


def charset(context: Context) -> Iterator[Change]:
    """Text in another character set."""
    if all((item.name + item.value).isascii() for item in context.plan.parameters.items):
        return
    fix = "Encode text as UTF-8, in the request and in the base string."
    for what, cost, source, target in _CHARSETS:
        parameters = with_each(_recoding(source, target))
        yield change(cost, "charset", f"The client signed {what}.", fix, parameters=parameters)


def _recoding(source: str, target: str) -> Rewrite[Parameter]:
    def recode(text: str) -> str:
        octets = text.encode("latin-1")
        if text.isascii() or (target == "utf-8" and _is_utf8(octets)):
            return text
        try:
            return octets.decode(source).encode(target, "replace").decode("latin-1")
        except UnicodeError:
            return text

    return lambda item: replace(item, name=recode(item.name), value=recode(item.value))


def _is_utf8(octets: bytes) -> bool:
    try:
        octets.decode()
    except UnicodeDecodeError:
        return False
    return True


HYPOTHESES = (value_changed, one_value_changed, charset)
