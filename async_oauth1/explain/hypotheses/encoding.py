"""How parameters are encoded and sorted (RFC 5849 sections 3.4.1.3.2 and 3.6)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from ..changes import Change, Context, change, one_of, setting
from ..plan import UNRESERVED, Encoding, Sorting
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
        yield change(cost, "sorting", text, _SORT_FIX, parameters=setting(sorting=kind))


def _encodings(**attributes: Any) -> Iterator[tuple[float, str, Callable[[Any], Any]]]:
    """A departure from the encoding in the first, in the second, and in both encodings."""

    def rewrite(names: tuple[str, ...]) -> Callable[[Any], Any]:
        return lambda part: setting(**{name: replace(getattr(part, name), **attributes) for name in names})(part)

    yield 0, "names and values", rewrite(("names", "values"))
    yield 1.5, "the base string", rewrite(("whole",))
    yield 1, "both encodings", rewrite(("names", "values", "whole"))


_CHARACTERS_FIX = "Encode every character but A to Z, a to z, 0 to 9, - . _ and ~."
#: Characters that encoders of other purposes leave alone.
_BARE_SETS = (("!*'()", 0.5), ("/", 0.5), ("[]", 0.5), (",:@$", 1), ("!*'();:@&=+$,/?#[]", 1.5), ("*", 1.5), (":/", 2),
              ("+", 2.5), ("!$'()*,;:@/?", 2), (";", 2.5), ("@:", 2.5), ("|", 2.5), (",", 1.5), (":", 2))  # fmt: skip


def not_encoded(context: Context) -> Iterator[Change]:
    """Encoded once too few, some characters left bare, or ``~`` escaped."""
    present = {character for item in context.plan.parameters.items for character in item.name + item.value}
    reserved = present - UNRESERVED - set("%")
    usual: dict[str, float] = {}
    for bare, cost in _BARE_SETS:
        usual.setdefault("".join(sorted(c for c in bare if c in reserved)), cost)
    single = sorted(c for c in reserved if c.isascii() and c.isprintable() and c != " ")
    for bare in dict.fromkeys((*usual, *single)):
        if bare:
            for more, where, rewrite in _encodings(bare=bare):
                cost = usual.get(bare, 3.5) + more
                text = f"The client left {bare} unescaped in {where}."
                yield change(cost, "not_encoded", text, _CHARACTERS_FIX, parameters=rewrite)
    if "~" in present:
        for more, where, rewrite in _encodings(escapes_tilde=True):
            text = f"The client escaped ~ in {where}."
            yield change(0.5 + more, "not_encoded", text, _CHARACTERS_FIX, parameters=rewrite)
    fix = "Encode each name and value, and the joined parameters once more."
    yield change(0, "not_encoded", "The client did not encode names and values.", fix, parameters=_both(times=0))
    yield change(2, "not_encoded", "The client did not encode names.", fix, parameters=_one("names", times=0))
    yield change(
        1, "not_encoded", "The client did not encode values, only names.", fix, parameters=_one("values", times=0)
    )
    text = "The client did not encode the joined parameters once more."
    yield change(1, "not_encoded", text, fix, parameters=_one("whole", times=0))
    text = "The client did not encode the parts of the base string."
    bare_uri = lambda uri: setting(encoding=Encoding(times=0))(uri)  # noqa: E731 - a part's rewriting
    yield change(1.5, "not_encoded", text, fix, parameters=_one("whole", times=0), uri=bare_uri)
    yield change(3, "not_encoded", "The client did not encode the base string URI.", fix, uri=bare_uri)
    text = "The client encoded nothing."
    nothing = lambda part: _one("whole", times=0)(_both(times=0)(part))  # noqa: E731
    yield change(3, "not_encoded", text, fix, parameters=nothing, uri=bare_uri)
    yield from _one_by_one(context, 0, "not_encoded", "did not encode", fix)


def _both(**attributes: Any) -> Callable[[Any], Any]:
    return lambda part: setting(names=replace(part.names, **attributes), values=replace(part.values, **attributes))(
        part
    )


def _one(name: str, **attributes: Any) -> Callable[[Any], Any]:
    return lambda part: setting(**{name: replace(getattr(part, name), **attributes)})(part)


def _one_by_one(context: Context, times: int, code: str, did: str, fix: str) -> Iterator[Change]:
    likely = ("oauth_callback", "oauth_body_hash")
    items = [item for item in context.plan.parameters.items if item.name != "oauth_signature"]
    reserved = [item for item in items if not UNRESERVED.issuperset(item.value)]
    for name in dict.fromkeys(item.name for item in reserved[:64]):
        text = f"The client {did} the value of {name[:80]!r}."
        cost = 0 if name in likely else one_of(1.5, len(reserved))
        yield change(cost, code, text, fix, parameters=_item(name, lambda item: replace(item, encodings=times)))


def _item(name: str, rewrite: Callable[[Parameter], Parameter]) -> Callable[[Any], Any]:
    return lambda part: setting(items=tuple(rewrite(item) if item.name == name else item for item in part.items))(part)


def double_encoded(context: Context) -> Iterator[Change]:
    """Encoded once too often."""
    fix = "Encode names and values once, and the joined parameters once more."
    yield change(0, "double_encoded", "The client encoded names and values twice.", fix, parameters=_both(times=2))
    yield change(0.5, "double_encoded", "The client encoded values twice.", fix, parameters=_one("values", times=2))
    yield change(1, "double_encoded", "The client encoded names twice.", fix, parameters=_one("names", times=2))
    text = "The client encoded the joined parameters twice."
    yield change(1, "double_encoded", text, fix, parameters=_one("whole", times=2))
    text = "The client encoded the base string URI twice."
    yield change(3, "double_encoded", text, fix, uri=lambda uri: setting(encoding=Encoding(times=2))(uri))
    for place in ("query", "form"):
        text = f"The client took what stands escaped in the {place} for the text, and encoded it again."
        fix = f"Decode the {place} before encoding its names and values for the base string."
        yield change(1, "double_encoded", text, fix, parameters=_raw(place))
    yield from _one_by_one(context, 2, "double_encoded", "encoded twice", fix)


def _raw(place: str) -> Callable[[Any], Any]:
    return lambda part: setting(
        items=tuple(
            replace(item, name=item.raw_name, value=item.raw_value) if item.place == place else item
            for item in part.items
        )
    )(part)


def space_plus(context: Context) -> Iterator[Change]:
    """Spaces and plus signs taken for each other."""
    fix = "Write a space as %20 in the base string, and a plus sign as %2B."
    items = context.plan.parameters.items
    if any(" " in item.name + item.value for item in items):
        for more, where, rewrite in _encodings(plus=True):
            yield change(0 + more, "space_plus", f"The client left spaces as + in {where}.", fix, parameters=rewrite)
        text = "The client took spaces for plus signs."
        yield change(0.5, "space_plus", text, fix, parameters=_replaced(" ", "+"))
        text = "The client wrote spaces as + and left these bare in both encodings."
        bare = lambda part: _one("whole", bare="+")(_both(plus=True)(part))  # noqa: E731
        yield change(2, "space_plus", text, fix, parameters=bare)
    if any("+" in item.name + item.value for item in items if item.name != "oauth_signature"):
        text = "The client took plus signs for spaces."
        yield change(0.5, "space_plus", text, fix, parameters=_replaced("+", " "))
    if any("+" in item.raw_value for item in items if item.place != "header"):
        text = "The client signed a plus sign that was sent as + and means a space."
        yield change(
            0.5,
            "space_plus",
            text,
            fix,
            parameters=lambda part: setting(items=tuple(map(_plus_kept, part.items)))(part),
        )


def _plus_kept(item: Parameter) -> Parameter:
    if item.place == "header" or "+" not in item.raw_value:
        return item
    from urllib.parse import unquote_to_bytes

    return replace(item, value=unquote_to_bytes(item.raw_value.encode("latin-1")).decode("latin-1"))


def _replaced(old: str, new: str) -> Callable[[Any], Any]:
    return lambda part: setting(
        items=tuple(
            item
            if item.is_protocol
            else replace(item, name=item.name.replace(old, new), value=item.value.replace(old, new))
            for item in part.items
        )
    )(part)


def escape_case(context: Context) -> Iterator[Change]:
    """Escapes in lower case."""
    del context
    fix = "Write escapes in upper case: %2F, not %2f."
    for more, where, rewrite in _encodings(lower=True):
        text = f"The client wrote escapes in lower case in {where}."
        yield change((0.5, 2)[more > 0], "escape_case", text, fix, parameters=rewrite)
    lower_uri = lambda uri: setting(encoding=replace(uri.encoding, lower=True))(uri)  # noqa: E731
    text = "The client wrote all escapes of the base string in lower case."
    everything = lambda part: _one("whole", lower=True)(_both(lower=True)(part))  # noqa: E731
    yield change(0, "escape_case", text, fix, parameters=everything, uri=lower_uri)
    text = "The client wrote the escapes of the second encoding in lower case."
    yield change(0.5, "escape_case", text, fix, parameters=_one("whole", lower=True), uri=lower_uri)
    yield change(3, "escape_case", "The client wrote the URI's escapes in lower case.", fix, uri=lower_uri)


def charset(context: Context) -> Iterator[Change]:
    """Text in another character set."""
    if all((item.name + item.value).isascii() for item in context.plan.parameters.items):
        return
    fix = "Encode text as UTF-8, in the request and in the base string."
    for cost, name, source, target in (
        (0, "Latin-1 instead of UTF-8", "utf-8", "latin-1"),
        (0.5, "UTF-8 where Latin-1 arrived", "latin-1", "utf-8"),
        (2, "Windows-1252 instead of UTF-8", "utf-8", "cp1252"),
        (2, "UTF-8 where Windows-1252 arrived", "cp1252", "utf-8"),
        (3, "question marks for what ASCII lacks", "utf-8", "ascii"),
    ):
        yield change(cost, "charset", f"The client signed {name}.", fix, parameters=_recoded(source, target))


def _is_utf8(octets: bytes) -> bool:
    try:
        octets.decode()
    except UnicodeDecodeError:
        return False
    return True


def _recoded(source: str, target: str) -> Callable[[Any], Any]:
    def recode(text: str) -> str:
        if text.isascii():
            return text
        try:
            octets = text.encode("latin-1")
            if target == "utf-8" and _is_utf8(octets):
                return text
            return octets.decode(source).encode(target, "replace").decode("latin-1")
        except UnicodeError:
            return text

    return lambda part: setting(
        items=tuple(replace(item, name=recode(item.name), value=recode(item.value)) for item in part.items)
    )(part)


HYPOTHESES = (sorting, not_encoded, double_encoded, space_plus, escape_case, charset)
