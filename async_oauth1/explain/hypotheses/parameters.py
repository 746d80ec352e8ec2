"""Which parameters are signed (RFC 5849 section 3.4.1.3.1)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from ..bodies import body_readings
from ..changes import Change, Context, change, one_of, setting
from ..wire import Parameter

#: Names that browsers, trackers, rewrites and frameworks add.
_ADDED = frozenset({
    "q", "route", "_", "_url", "path", "ext_submit", "fbclid", "gclid", "msclkid", "utm_source", "utm_medium",
    "utm_campaign", "utm_term", "utm_content", "rest_route", "url", "callback", "nocache", "cachebuster", "_method",
    "submit", "commit", "format", "lang", "XDEBUG_SESSION_START", "__cf_chl_tk", "ts", "v",
})  # fmt: skip
#: Parameters beyond this number are not looked at one by one.
_ONE_BY_ONE = 64

Items = tuple[Parameter, ...]


def _items(rewrite: Callable[[Items], Items]) -> Callable[[Any], Any]:
    return lambda parameters: setting(items=rewrite(parameters.items))(parameters)


def _without(unwanted: Callable[[Parameter], bool]) -> Callable[[Any], Any]:
    return _items(lambda items: tuple(item for item in items if not unwanted(item)))


def _names(context: Context, place: str) -> list[str]:
    """The names in one place that are not the protocol's, each once."""
    found = (item.name for item in context.plan.parameters.items if item.place == place and not item.is_protocol)
    return list(dict.fromkeys(found))[:_ONE_BY_ONE]


def _shown(name: str) -> str:
    return repr(name.encode("latin-1").decode("utf-8", "replace")[:80])


def added(context: Context) -> Iterator[Change]:
    """Parameters with well-known names that were added after the client had signed."""
    names = [name for name in (*_names(context, "query"), *_names(context, "form")) if name in _ADDED]
    for name in names:
        text = f"The client did not sign {_shown(name)}, which was added after it had signed."
        parameters = _without(lambda item, name=name: item.name == name)
        yield change(0, "parameter_added", text, _ADDED_FIX, parameters=parameters)
        indexes = [i for i, item in enumerate(context.plan.parameters.items) if item.name == name]
        if len(indexes) > 1:
            for index in (indexes[0], indexes[-1]):
                one = _items(lambda items, index=index: items[:index] + items[index + 1 :])
                yield change(0, "parameter_added", text, _ADDED_FIX, parameters=one)
    if len(names) > 1:
        text = f"The client did not sign {', '.join(map(_shown, names))}, which were added after it had signed."
        yield change(0.5, "parameter_added", text, _ADDED_FIX, parameters=_without(lambda item: item.name in names))


def left_out(context: Context) -> Iterator[Change]:
    """Parameters of the query or the form that were not signed."""
    for place, code, what in (("query", "query_missing", "query"), ("form", "form_missing", "form")):
        names = _names(context, place)
        if not names:
            continue
        fix = f"Sign every parameter of the {what}, also those without a value."
        text = f"The client left the {what}'s parameters out of the base string."
        yield change(0, code, text, fix, parameters=_without(_in_place(place)))
        text = f"The client left the {what}'s parameters without a value out of the base string."
        empty = _without(lambda item, here=_in_place(place): here(item) and not item.value)
        yield change(0.5, code, text, fix, parameters=empty)
        yield from _one_by_one(place, code, what, names, fix)


def _in_place(place: str) -> Callable[[Parameter], bool]:
    return lambda item: item.place == place and not item.is_protocol


_ADDED_FIX = (
    "Take out what adds the parameter (a rewrite, a proxy, a browser), or let it add the parameter before signing."
)


def _one_by_one(place: str, code: str, what: str, names: list[str], fix: str) -> Iterator[Change]:
    for name in names:
        text = f"The client did not sign the {what}'s parameter {_shown(name)}."
        parameters = _without(lambda item, name=name: item.name == name and item.place == place)
        yield change(max(0.5, one_of(-0.5, len(names))), code, text, fix, parameters=parameters)
    if len(names) > 2:
        for name in names:
            text = f"The client signed only {_shown(name)} of the {what}."
            yield change(
                one_of(2, len(names)),
                code,
                text,
                fix,
                parameters=_without(
                    lambda item, name=name: item.place == place and item.name != name and not item.is_protocol
                ),
            )


def body_included(context: Context) -> Iterator[Change]:
    """A body that is no form, counted as parameters."""
    wire = context.wire
    if wire.has_form or not wire.body:
        return
    fix = "Sign no body but a form; send oauth_body_hash to protect any other."
    for cost, text, pairs in body_readings(wire.body, wire.header("Content-Type") or ""):
        more = tuple(Parameter(name, value, "form") for name, value in pairs)
        yield change(cost, "body_included", text, fix, parameters=_items(lambda items, more=more: (*items, *more)))


def repeated(context: Context) -> Iterator[Change]:
    """Parameters with the same name, counted otherwise."""
    items = context.plan.parameters.items
    counts = Counter(item.name for item in items if not item.is_protocol)
    fix = "Sign each parameter as often as it is sent, with each of its values."
    if any(count > 1 for count in counts.values()):
        yield change(
            0.5,
            "repeated",
            "The client signed only the last value of a repeated parameter.",
            fix,
            parameters=_items(_last),
        )
        yield change(
            0.5,
            "repeated",
            "The client signed only the first value of a repeated parameter.",
            fix,
            parameters=_items(_first),
        )
        text = "The client counted once what was sent twice with the same value."
        yield change(-0.5, "repeated", text, fix, parameters=_items(lambda items: tuple(_distinct(items))))
        for glue in (",", " ", ", ", ";", "|", ""):
            text = f"The client joined the values of a repeated parameter with {glue!r}."
            parameters = _items(lambda items, glue=glue: tuple(_joined(items, glue)))
            yield change(0.5 if glue == "," else 4, "repeated", text, fix, parameters=parameters)
    for place in ("query", "form", "header"):
        if _names(context, place):
            text = f"The client counted the {place}'s parameters twice."
            yield change(
                1,
                "repeated",
                text,
                fix,
                parameters=_items(
                    lambda items, place=place: (
                        *items,
                        *(item for item in items if item.place == place and not item.is_protocol),
                    )
                ),
            )
    text = "The client counted the protocol parameters twice."
    yield change(3, "repeated", text, fix, parameters=_items(lambda items: (*items, *filter(_is_protocol, items))))
    names = [item.name for item in items if not item.is_protocol][:_ONE_BY_ONE]
    for name in dict.fromkeys(names):
        text = f"The client counted {_shown(name)} twice."
        yield change(
            one_of(1, len(names)),
            "repeated",
            text,
            fix,
            parameters=_items(lambda items, name=name: (*items, *[item for item in items if item.name == name][:1])),
        )
    for name in ("oauth_callback", "oauth_verifier", "oauth_token", "oauth_version", "oauth_body_hash"):
        if any(item.name == name for item in items):
            text = f"The client counted {name} twice."
            yield change(
                4,
                "repeated",
                text,
                fix,
                parameters=_items(lambda items, name=name: (*items, *(i for i in items if i.name == name))),
            )


def _is_protocol(item: Parameter) -> bool:
    return item.is_protocol


def _last(items: Items) -> Items:
    kept = {item.name if not item.is_protocol else index: item for index, item in enumerate(items)}
    return tuple(kept.values())


def _first(items: Items) -> Items:
    return tuple(reversed(_last(items[::-1])))


def _distinct(items: Items) -> Iterator[Parameter]:
    seen: set[tuple[str, str]] = set()
    for item in items:
        if (item.name, item.value) not in seen:
            seen.add((item.name, item.value))
            yield item


def _joined(items: Items, glue: str) -> Iterator[Parameter]:
    values: dict[str, list[str]] = {}
    for item in items:
        values.setdefault(item.name, []).append(item.value)
    seen: set[str] = set()
    for item in items:
        if item.name not in seen:
            seen.add(item.name)
            yield replace(item, value=glue.join(values[item.name]))


def realm(context: Context) -> Iterator[Change]:
    """The header's realm among the parameters."""
    value = context.wire.realm
    if value is not None:
        text = "The client counted the header's realm as a parameter."
        item = Parameter("realm", value, "header")
        yield change(
            0,
            "realm_included",
            text,
            "Leave realm out of the base string.",
            parameters=_items(lambda items: (*items, item)),
        )


def empty_token(context: Context) -> Iterator[Change]:
    """An empty ``oauth_token`` that was signed and not sent, or the reverse."""
    sent = context.wire.protocol.get("oauth_token")
    fix = "Sign oauth_token if it is sent, also if it is empty, and leave it out of both otherwise."
    if sent is None:
        text = "The client signed an empty oauth_token and did not send it."
        yield change(
            0.5,
            "empty_token",
            text,
            fix,
            parameters=_items(lambda items: (*items, Parameter("oauth_token", "", "header"))),
        )
    elif not sent:
        text = "The client sent an empty oauth_token and did not sign it."
        yield change(0, "empty_token", text, fix, parameters=_without(lambda item: item.name == "oauth_token"))


#: Protocol parameters that clients forget to sign, or sign and do not send: name, usual values.
_OPTIONAL: tuple[tuple[str, tuple[tuple[float, str], ...]], ...] = (
    ("oauth_version", ((0, "1.0"), (2, ""), (3, "1.0a"))),
    ("oauth_callback", ((0.5, "oob"), (1, ""), (3, "about:blank"))),
    ("oauth_verifier", ((1, ""),)),
    ("oauth_body_hash", ((3, ""), (3, "2jmj7l5rSw0yVb/vlWAYkK/YBwk="))),
)


def oauth_parameter(context: Context) -> Iterator[Change]:
    """Protocol parameters that were sent and not signed, or signed and not sent."""
    sent = context.wire.protocol
    fix = "Sign exactly the protocol parameters that are sent, oauth_signature aside."
    usual = dict(_OPTIONAL)
    for name in sent:
        if name not in ("oauth_signature",) and not (name == "oauth_token" and not sent[name]):
            text = f"The client did not sign {name[:80]}, which it sent."
            cost = 0.5 if name in usual else 3
            yield change(
                cost, "oauth_parameter", text, fix, parameters=_without(lambda item, name=name: item.name == name)
            )
    for name, values in _OPTIONAL:
        if name in sent:
            continue
        for cost, value in values:
            text = f"The client signed {name}={value}, which it did not send."
            item = Parameter(name, value, "header")
            yield change(cost, "oauth_parameter", text, fix, parameters=_items(lambda items, item=item: (*items, item)))


#: Values that libraries write in several ways.
_SYNONYMS = (("true", "True", "1", "on", "yes"), ("false", "False", "0", "", "null", "None", "undefined"))


def value_changed(context: Context) -> Iterator[Change]:
    """Another text of a value: line ends, blanks, booleans and nothing."""
    items = [item for item in context.plan.parameters.items if not item.is_protocol]
    fix = "Sign the values exactly as they are sent."
    for text, cost, rewrite in _VALUE_REWRITES:
        if any(rewrite(item.value) != item.value for item in items):
            yield change(cost, "value_changed", text, fix, parameters=_values(rewrite))
    for index, item in enumerate(items[:_ONE_BY_ONE]):
        for synonyms in _SYNONYMS:
            if item.value in synonyms:
                for other in (value for value in synonyms if value != item.value):
                    text = f"The client signed {_shown(other)} for {_shown(item.name)}; {_shown(item.value)} arrived."
                    yield change(
                        one_of(4, len(items)),
                        "value_changed",
                        text,
                        fix,
                        parameters=_items(
                            lambda items, item=item, other=other: tuple(
                                replace(each, value=other) if each is item or each == item else each for each in items
                            )
                        ),
                    )
        if index and rewrite_one(item):
            text = f"The client signed {_shown(item.name)} without the blanks at its edges."
            yield change(
                one_of(2, len(items)),
                "value_changed",
                text,
                fix,
                parameters=_items(
                    lambda items, item=item: tuple(
                        replace(each, value=each.value.strip()) if each == item else each for each in items
                    )
                ),
            )


def rewrite_one(item: Parameter) -> bool:
    """Whether a value has blanks at its edges."""
    return item.value != item.value.strip()


def _synonym(old: str, new: str) -> Callable[[str], str]:
    return lambda value: new if value == old else value


_VALUE_REWRITES: tuple[tuple[str, float, Callable[[str], str]], ...] = (
    ("The client signed line feeds; a browser sent CR LF.", 0, lambda value: value.replace("\r\n", "\n")),
    ("The client signed CR LF; line feeds arrived.", 1, lambda value: value.replace("\r\n", "\n").replace("\n", "\r\n")),
    ("The client signed carriage returns; other line ends arrived.", 4, lambda value: value.replace("\r\n", "\r").replace("\n", "\r")),
    ("The client signed values without the line ends that arrived.", 4, lambda value: value.replace("\r", "").replace("\n", "")),
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
)  # fmt: skip


def _values(rewrite: Callable[[str], str]) -> Callable[[Any], Any]:
    return _items(
        lambda items: tuple(item if item.is_protocol else replace(item, value=rewrite(item.value)) for item in items)
    )


HYPOTHESES = (added, left_out, body_included, repeated, realm, empty_token, oauth_parameter, value_changed)
