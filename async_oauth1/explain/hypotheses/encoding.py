"""How parameters are encoded and sorted (RFC 5849 sections 3.4.1.3.2 and 3.6)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import unquote_to_bytes

from async_oauth1.protocol.raw_request import Place

from ..changes import (
    Change,
    Context,
    Rewrite,
    change,
    is_named,
    is_protocol,
    one_of,
    parameters_with,
    uri_with,
    with_each,
)
from ..plan import UNRESERVED, Encoding, Parameters, Sorting, Uri
from ..texts import quoted
from ..wire import Parameter

_SORT_FIX = "Encode names and values first, then sort by name, and by value for equal names, octet by octet."
_SORTINGS: tuple[tuple[float, Sorting, str], ...] = (
    (0.5, "received", "The client did not sort the parameters."),
    (0.5, "joined", 'The client sorted "name=value" as one text.'),
    (0.5, "decoded", "The client sorted the parameters before it encoded them."),
    (0.5, "bracket", "The client sorted by names up to their bracket."),
    (0.5, "name", "The client sorted by name alone, and left values of one name as they were."),
    (0.5, "case", "The client sorted without regard to case."),
    (3, "protocol sorted first", "The client sorted the protocol parameters and appended the others."),
    (3, "protocol first", "The client did not sort the parameters, and put the protocol's first."),
    (3, "protocol last", "The client did not sort the parameters, and put the protocol's last."),
    (3, "form first", "The client did not sort the parameters, and put those of the form first."),
)


def sorting(context: Context) -> Iterator[Change]:
    """Another order of the parameters."""
    del context
    for cost, kind, text in _SORTINGS:
        yield change(cost, "sorting", text, _SORT_FIX, parameters=parameters_with(sorting=kind))


def _values(**attributes: Any) -> Rewrite[Parameters]:
    return lambda part: replace(part, values=replace(part.values, **attributes))


def _names(**attributes: Any) -> Rewrite[Parameters]:
    return lambda part: replace(part, names=replace(part.names, **attributes))


def _both(**attributes: Any) -> Rewrite[Parameters]:
    return _in_turn(_names(**attributes), _values(**attributes))


def _whole(**attributes: Any) -> Rewrite[Parameters]:
    return lambda part: replace(part, whole=replace(part.whole, **attributes))


def _everywhere(**attributes: Any) -> Rewrite[Parameters]:
    return _in_turn(_both(**attributes), _whole(**attributes))


def _in_turn(first: Rewrite[Parameters], second: Rewrite[Parameters]) -> Rewrite[Parameters]:
    return lambda part: second(first(part))


def _in_each_encoding(**attributes: Any) -> Iterator[tuple[float, str, Rewrite[Parameters]]]:
    """A departure from the encoding in the first, in the second, and in both encodings."""
    yield 0, "names and values", _both(**attributes)
    yield 1, "both encodings", _everywhere(**attributes)
    yield 1.5, "the base string", _whole(**attributes)


_CHARACTERS_FIX = "Encode every character but A to Z, a to z, 0 to 9, - . _ and ~."
#: Characters that encoders of other purposes leave alone.
_BARE_SETS = (("!*'()", 0.5), ("/", 0.5), ("[]", 0.5), (",:@$", 1), ("!*'();:@&=+$,/?#[]", 1.5), ("*", 1.5), (":/", 2),
              ("+", 2.5), ("!$'()*,;:@/?", 2), (";", 2.5), ("@:", 2.5), ("|", 2.5), (",", 1.5), (":", 2))  # fmt: skip


def bare_characters(context: Context) -> Iterator[Change]:
    """Some characters left bare."""
    present = {character for item in context.plan.parameters.items for character in item.name + item.value}
    reserved = {c for c in present - UNRESERVED - set("% ") if c.isascii() and c.isprintable()}
    costs: dict[str, float] = {}
    for bare, cost in (*_BARE_SETS, *((character, 3.5) for character in sorted(reserved))):
        costs.setdefault("".join(sorted(reserved.intersection(bare))), cost)
    costs.pop("", None)
    for bare, cost in costs.items():
        for more, where, rewrite in _in_each_encoding(bare=bare):
            text = f"The client left {bare} unescaped in {where}."
            yield change(cost + more, "not_encoded", text, _CHARACTERS_FIX, parameters=rewrite)


def escaped_tilde(context: Context) -> Iterator[Change]:
    """A tilde that was escaped."""
    if any("~" in item.name + item.value for item in context.plan.parameters.items):
        for more, where, rewrite in _in_each_encoding(escapes_tilde=True):
            text = f"The client escaped ~ in {where}."
            yield change(0.5 + more, "not_encoded", text, _CHARACTERS_FIX, parameters=rewrite)


def _bare_uri(uri: Uri) -> Uri:
    return replace(uri, encoding=Encoding(times=0))


_ENCODE_FIX = "Encode each name and value once, and the joined parameters once more."


def not_encoded(context: Context) -> Iterator[Change]:
    """Encoded once too few."""
    for cost, what, rewrite in (
        (0.0, "names and values", _both(times=0)),
        (1.0, "values, only names", _values(times=0)),
        (1.0, "the joined parameters once more", _whole(times=0)),
        (2.0, "names", _names(times=0)),
    ):
        yield change(cost, "not_encoded", f"The client did not encode {what}.", _ENCODE_FIX, parameters=rewrite)
    text = "The client did not encode the parts of the base string."
    yield change(1.5, "not_encoded", text, _ENCODE_FIX, parameters=_whole(times=0), uri=_bare_uri)
    yield change(3, "not_encoded", "The client did not encode the base string URI.", _ENCODE_FIX, uri=_bare_uri)
    text = "The client encoded nothing."
    yield change(3, "not_encoded", text, _ENCODE_FIX, parameters=_everywhere(times=0), uri=_bare_uri)
    yield from _one_by_one(context, 0, "not_encoded", "did not encode")


def double_encoded(context: Context) -> Iterator[Change]:
    """Encoded once too often."""
    for cost, what, rewrite in (
        (0.0, "names and values", _both(times=2)),
        (0.5, "values", _values(times=2)),
        (1.0, "names", _names(times=2)),
        (1.0, "the joined parameters", _whole(times=2)),
    ):
        yield change(cost, "double_encoded", f"The client encoded {what} twice.", _ENCODE_FIX, parameters=rewrite)
    text = "The client encoded the base string URI twice."
    yield change(3, "double_encoded", text, _ENCODE_FIX, uri=uri_with(encoding=Encoding(times=2)))
    yield from _one_by_one(context, 2, "double_encoded", "encoded twice")


def escapes_taken_for_text(context: Context) -> Iterator[Change]:
    """A query or form of which the escapes were encoded again."""
    places: tuple[Place, ...] = ("query", "form")
    for place in places:
        if any(item.place == place for item in context.plan.parameters.items):
            text = f"The client took what stands escaped in the {place} for the text, and encoded it again."
            fix = f"Decode the {place} before encoding its names and values for the base string."
            yield change(1, "double_encoded", text, fix, parameters=with_each(_as_sent(place)))


def _as_sent(place: Place) -> Rewrite[Parameter]:
    return lambda item: replace(item, name=item.raw_name, value=item.raw_value) if item.place == place else item


def _one_by_one(context: Context, times: int, code: str, did: str) -> Iterator[Change]:
    likely = ("oauth_callback", "oauth_body_hash")
    reserved = [item for item in context.plan.parameters.items if not UNRESERVED.issuperset(item.value)]
    for name in dict.fromkeys(item.name for item in reserved[:64]):
        text = f"The client {did} the value of {quoted(name)}."
        cost = 0 if name in likely else one_of(1.5, len(reserved))
        yield change(cost, code, text, _ENCODE_FIX, parameters=with_each(_encoded(name, times)))


def _encoded(name: str, times: int) -> Rewrite[Parameter]:
    has_name = is_named(name)
    return lambda item: replace(item, encodings=times) if has_name(item) else item


_SPACE_FIX = "Write a space as %20 in the base string, and a plus sign as %2B."


def spaces(context: Context) -> Iterator[Change]:
    """A space as a plus sign."""
    if not any(" " in item.name + item.value for item in context.plan.parameters.items):
        return
    for more, where, rewrite in _in_each_encoding(plus=True):
        text = f"The client left spaces as + in {where}."
        yield change(0 + more, "space_plus", text, _SPACE_FIX, parameters=rewrite)
    text = "The client took spaces for plus signs."
    yield change(0.5, "space_plus", text, _SPACE_FIX, parameters=_replaced(" ", "+"))
    text = "The client wrote spaces as + and left these bare in both encodings."
    bare = _in_turn(_both(plus=True), _whole(bare="+"))
    yield change(2, "space_plus", text, _SPACE_FIX, parameters=bare)


def plus_signs(context: Context) -> Iterator[Change]:
    """A plus sign as a space, or one that was sent for a space as itself."""
    items = context.plan.parameters.items
    if any("+" in item.name + item.value for item in items):
        text = "The client took plus signs for spaces."
        yield change(0.5, "space_plus", text, _SPACE_FIX, parameters=_replaced("+", " "))
    if any("+" in item.raw_value for item in items if item.place != "header"):
        text = "The client signed a plus sign that was sent as + and means a space."
        yield change(0.5, "space_plus", text, _SPACE_FIX, parameters=with_each(_plus_kept))


def _plus_kept(item: Parameter) -> Parameter:
    if item.place == "header" or "+" not in item.raw_value:
        return item
    return replace(item, value=unquote_to_bytes(item.raw_value.encode("latin-1")).decode("latin-1"))


def _replaced(old: str, new: str) -> Rewrite[Parameters]:
    def rewrite(item: Parameter) -> Parameter:
        return replace(item, name=item.name.replace(old, new), value=item.value.replace(old, new))

    return with_each(rewrite, unless=is_protocol)


def _lower_uri(uri: Uri) -> Uri:
    return replace(uri, encoding=replace(uri.encoding, lower=True))


def escape_case(context: Context) -> Iterator[Change]:
    """Escapes in lower case."""
    del context
    fix = "Write escapes in upper case: %2F, not %2f."
    for cost, where, parameters, uri in (
        (0.0, "the whole base string", _everywhere(lower=True), _lower_uri),
        (0.5, "the first encoding", _both(lower=True), None),
        (0.5, "the second encoding", _whole(lower=True), _lower_uri),
        (2.0, "the parameters", _everywhere(lower=True), None),
        (2.0, "the second encoding of the parameters", _whole(lower=True), None),
        (3.0, "the URI", None, _lower_uri),
    ):
        text = f"The client wrote escapes in lower case in {where}."
        yield change(cost, "escape_case", text, fix, parameters=parameters, uri=uri)


HYPOTHESES = (
    sorting,
    bare_characters,
    escaped_tilde,
    not_encoded,
    double_encoded,
    escapes_taken_for_text,
    spaces,
    plus_signs,
    escape_case,
)
