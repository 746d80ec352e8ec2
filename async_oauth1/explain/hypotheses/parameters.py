"""Which parameters are signed (RFC 5849 section 3.4.1.3.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from async_oauth1.protocol.raw_request import Place

from ..bodies import body_readings
from ..changes import Change, Context, Items, change, is_named, one_of, with_items, with_more, without
from ..texts import quoted
from ..wire import Parameter

#: Names that browsers, trackers, rewrites and frameworks add.
_ADDED = frozenset({
    "q", "route", "_", "_url", "path", "ext_submit", "fbclid", "gclid", "msclkid", "utm_source", "utm_medium",
    "utm_campaign", "utm_term", "utm_content", "rest_route", "url", "callback", "nocache", "cachebuster", "_method",
    "submit", "commit", "format", "lang", "XDEBUG_SESSION_START", "__cf_chl_tk", "ts", "v",
})  # fmt: skip
#: Parameters beyond this number are not looked at one by one.
ONE_BY_ONE = 64
_ADDED_FIX = "Remove what adds the parameter (a rewrite, a proxy, a browser), or let it do so before the client signs."


def names_in(context: Context, place: Place) -> list[str]:
    """The names in one place that are not the protocol's, each once."""
    found = (item.name for item in context.plan.parameters.items if item.place == place and not item.is_protocol)
    return list(dict.fromkeys(found))[:ONE_BY_ONE]


def is_in(place: Place) -> Callable[[Parameter], bool]:
    """Whether a parameter is in a place, and not the protocol's."""
    return lambda item: item.place == place and not item.is_protocol


def added(context: Context) -> Iterator[Change]:
    """Parameters with well-known names that were added after the client had signed."""
    names = [name for name in (*names_in(context, "query"), *names_in(context, "form")) if name in _ADDED]
    for name in names:
        text = f"The client did not sign {quoted(name)}, which was added after it had signed."
        yield change(0, "parameter_added", text, _ADDED_FIX, parameters=without(is_named(name)))
        yield from _added_to_others(context, name, text)
    if len(names) > 1:
        text = f"The client did not sign {', '.join(map(quoted, names))}, which were added after it had signed."
        yield change(0.5, "parameter_added", text, _ADDED_FIX, parameters=without(lambda item: item.name in names))


def _added_to_others(context: Context, name: str, text: str) -> Iterator[Change]:
    """The first or the last of several parameters of one name."""
    indexes = [index for index, item in enumerate(context.plan.parameters.items) if item.name == name]
    if len(indexes) > 1:
        for index in (indexes[0], indexes[-1]):
            yield change(0, "parameter_added", text, _ADDED_FIX, parameters=with_items(_without_index(index)))


def _without_index(index: int) -> Callable[[Items], Items]:
    return lambda items: items[:index] + items[index + 1 :]


def query_left_out(context: Context) -> Iterator[Change]:
    """Parameters of the query that were not signed."""
    yield from _left_out(context, "query", "query_missing")


def form_left_out(context: Context) -> Iterator[Change]:
    """Fields of the form that were not signed."""
    yield from _left_out(context, "form", "form_missing")


def _left_out(context: Context, place: Place, code: str) -> Iterator[Change]:
    names, is_here = names_in(context, place), is_in(place)
    if not names:
        return
    fix = f"Sign every parameter of the {place}, also those without a value."
    text = f"The client left the {place}'s parameters out of the base string."
    yield change(0, code, text, fix, parameters=without(is_here))
    text = f"The client left the {place}'s parameters without a value out of the base string."
    yield change(0.5, code, text, fix, parameters=without(lambda item: is_here(item) and not item.value))
    for name in names:
        text = f"The client did not sign the {place}'s parameter {quoted(name)}."
        cost = max(0.5, one_of(-0.5, len(names)))
        yield change(cost, code, text, fix, parameters=without(_is_at(name, is_here)))
        text = f"The client signed only {quoted(name)} of the {place}."
        yield change(one_of(2, len(names)), code, text, fix, parameters=without(_is_other(name, is_here)))


def _is_at(name: str, is_here: Callable[[Parameter], bool]) -> Callable[[Parameter], bool]:
    return lambda item: item.name == name and is_here(item)


def _is_other(name: str, is_here: Callable[[Parameter], bool]) -> Callable[[Parameter], bool]:
    return lambda item: item.name != name and is_here(item)


def body_included(context: Context) -> Iterator[Change]:
    """A body that is no form, counted as parameters."""
    wire = context.wire
    if wire.has_form or not wire.body:
        return
    fix = "Sign no body but a form; send oauth_body_hash to protect any other."
    for cost, text, pairs in body_readings(wire.body, wire.header("Content-Type") or ""):
        more = with_more(*(Parameter(name, value, "form") for name, value in pairs))
        yield change(cost, "body_included", text, fix, parameters=more)


def realm(context: Context) -> Iterator[Change]:
    """The header's realm among the parameters."""
    value = context.wire.realm
    if value is not None:
        text = "The client counted the header's realm as a parameter."
        more = with_more(Parameter("realm", value, "header"))
        yield change(0, "realm_included", text, "Leave realm out of the base string.", parameters=more)


def empty_token(context: Context) -> Iterator[Change]:
    """An empty ``oauth_token`` that was signed and not sent, or the reverse."""
    sent = context.wire.protocol.get("oauth_token")
    fix = "Sign oauth_token if it is sent, also if it is empty, and leave it out of both otherwise."
    if sent is None:
        text = "The client signed an empty oauth_token and did not send it."
        yield change(0.5, "empty_token", text, fix, parameters=with_more(Parameter("oauth_token", "", "header")))
    elif not sent:
        text = "The client sent an empty oauth_token and did not sign it."
        yield change(0, "empty_token", text, fix, parameters=without(is_named("oauth_token")))


#: Protocol parameters that clients sign and do not send, with their usual values.
_NOT_SENT: tuple[tuple[float, str, str], ...] = (
    (0, "oauth_version", "1.0"),
    (0.5, "oauth_callback", "oob"),
    (1, "oauth_callback", ""),
    (1, "oauth_verifier", ""),
    (2, "oauth_version", ""),
    (3, "oauth_version", "1.0a"),
    (3, "oauth_callback", "about:blank"),
    (3, "oauth_body_hash", ""),
    (3, "oauth_body_hash", "2jmj7l5rSw0yVb/vlWAYkK/YBwk="),  # of the empty body
)
_EXACTLY = "Sign exactly the protocol parameters that are sent, oauth_signature aside."
_FORGOTTEN = ("oauth_version", "oauth_callback", "oauth_verifier", "oauth_body_hash")


def not_signed(context: Context) -> Iterator[Change]:
    """Protocol parameters that were sent and not signed."""
    for name, value in context.wire.protocol.items():
        if name != "oauth_signature" and (value or name != "oauth_token"):
            text = f"The client did not sign {name[:80]}, which it sent."
            cost = 0.5 if name in _FORGOTTEN else 3
            yield change(cost, "oauth_parameter", text, _EXACTLY, parameters=without(is_named(name)))


def not_sent(context: Context) -> Iterator[Change]:
    """Protocol parameters that were signed and not sent."""
    for cost, name, value in _NOT_SENT:
        if name not in context.wire.protocol:
            text = f"The client signed {name}={value}, which it did not send."
            more = with_more(Parameter(name, value, "header"))
            yield change(cost, "oauth_parameter", text, _EXACTLY, parameters=more)


HYPOTHESES = (added, query_left_out, form_left_out, body_included, realm, empty_token, not_signed, not_sent)
