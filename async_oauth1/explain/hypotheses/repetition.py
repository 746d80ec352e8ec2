"""Parameters with the same name, counted otherwise (RFC 5849 section 3.4.1.3.2)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from async_oauth1.protocol.raw_request import Place

from ..changes import Change, Context, Items, Rewrite, change, is_protocol, one_of, with_items
from ..texts import quoted
from ..wire import Parameter
from .parameters import ONE_BY_ONE, is_in, names_in

_FIX = "Sign each parameter as often as it is sent, with each of its values."
_PLACES: tuple[Place, ...] = ("query", "form", "header")
_GLUES = ((0.5, ","), (4, " "), (4, ", "), (4, ";"), (4, "|"), (4, ""))


def repeated(context: Context) -> Iterator[Change]:
    """Only some values of a repeated parameter, or all of them in one."""
    counts = Counter(item.name for item in context.plan.parameters.items if not item.is_protocol)
    if all(count == 1 for count in counts.values()):
        return
    for text, cost, rewrite in (
        ("The client counted once what was sent twice with the same value.", -0.5, _distinct),
        ("The client signed only the last value of a repeated parameter.", 0.5, _last),
        ("The client signed only the first value of a repeated parameter.", 0.5, _first),
    ):
        yield change(cost, "repeated", text, _FIX, parameters=with_items(rewrite))
    for cost, glue in _GLUES:
        text = f"The client joined the values of a repeated parameter with {glue!r}."
        yield change(cost, "repeated", text, _FIX, parameters=with_items(_joined(glue)))


def counted_twice(context: Context) -> Iterator[Change]:
    """Parameters that were sent once."""
    for place in _PLACES:
        if names_in(context, place):
            text = f"The client counted the {place}'s parameters twice."
            yield change(1, "repeated", text, _FIX, parameters=with_items(_twice(place)))
    text = "The client counted the protocol parameters twice."
    yield change(3, "repeated", text, _FIX, parameters=with_items(lambda items: (*items, *filter(is_protocol, items))))
    items = context.plan.parameters.items
    names = dict.fromkeys(item.name for item in items if not item.is_protocol)
    for name in [*names][:ONE_BY_ONE]:
        yield _one_twice(one_of(1, len(names)), name)
    for name in ("oauth_callback", "oauth_verifier", "oauth_token", "oauth_version", "oauth_body_hash"):
        if name in context.wire.protocol:
            yield _one_twice(4, name)


def _one_twice(cost: float, name: str) -> Change:
    def rewrite(items: Items) -> Items:
        return (*items, *[item for item in items if item.name == name][:1])

    text = f"The client counted {quoted(name)} twice."
    return change(cost, "repeated", text, _FIX, parameters=with_items(rewrite))


def _twice(place: Place) -> Rewrite[Items]:
    is_here = is_in(place)
    return lambda items: (*items, *[item for item in items if is_here(item)])


def _last(items: Items) -> Items:
    kept = {item.name if not item.is_protocol else index: item for index, item in enumerate(items)}
    return tuple(kept.values())


def _first(items: Items) -> Items:
    return tuple(reversed(_last(items[::-1])))


def _distinct(items: Items) -> Items:
    return tuple({(item.name, item.value): item for item in reversed(items)}.values())[::-1]


def _joined(glue: str) -> Rewrite[Items]:
    def rewrite(items: Items) -> Items:
        values: dict[str, list[str]] = {}
        kept: dict[str, Parameter] = {}
        for item in items:
            values.setdefault(item.name, []).append(item.value)
            kept.setdefault(item.name, item)
        return tuple([replace(item, value=glue.join(values[name])) for name, item in kept.items()])

    return rewrite


HYPOTHESES = (repeated, counted_twice)
