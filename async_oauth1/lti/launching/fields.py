"""The fields of a launch: everything that was signed, by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType

from async_oauth1.errors import InvalidRequestError
from async_oauth1.lti.errors import LTILaunchError, named
from async_oauth1.policy import SizeLimits
from async_oauth1.protocol.encoding import Pair, join_pairs, split_pairs, unescape, unescape_strictly
from async_oauth1.protocol.request import OAuth1Request

__all__ = ["counted_once", "fields_of", "first_values"]


def fields_of(request: OAuth1Request) -> Mapping[str, str]:
    """The signed parameters of a verified launch.

    The same value twice is one value.

    Raises:
        LTILaunchError: parameters that have two values; all of them are named.
        InvalidRequestError: a parameter is not UTF-8. Replaced characters could make two users one.
    """
    values: dict[str, str] = {}
    contradictory: dict[str, None] = {}
    for form in request.canonical_forms:
        for name, value in split_pairs(form):
            if values.setdefault(name, value) != value:
                contradictory[unescape(name)] = None
    if contradictory:
        raise LTILaunchError(
            "lti_contradiction",
            f"Sent with two values: {named(contradictory)}. Send each parameter once.",
            contradictory,
        )
    values.pop("oauth_signature", None)
    return MappingProxyType({_decoded(name, name): _decoded(value, name) for name, value in values.items()})


def first_values(request: OAuth1Request) -> Mapping[str, str]:
    """The first value of each parameter of a launch. Verify the launch before you show any."""
    fields: dict[str, str] = {}
    for form in request.canonical_forms:
        for name, value in split_pairs(form):
            fields.setdefault(unescape(name), unescape(value))
    return fields


def counted_once(request: OAuth1Request, limits: SizeLimits) -> OAuth1Request | None:
    """The request without the parameters in its form that repeat its query; ``None`` if none does.

    Args:
        request: the request.
        limits: by which it was read.
    """
    _, query, body = request.canonical_forms
    left = Counter(split_pairs(query))
    kept: list[Pair] = []
    for pair in split_pairs(body):
        if left[pair] > 0:
            left[pair] -= 1
        else:
            kept.append(pair)
    form = join_pairs(kept)
    if form == body:
        return None
    once = OAuth1Request(
        request.method,
        scheme=request.scheme,
        host=request.host,
        raw_path=request.raw_path,
        raw_query=request.raw_query,
        headers=request.raw_headers,
        body=form.encode(),
        peer=request.peer,
        limits=limits,
    )
    once.client, once.deviations = request.client, request.deviations
    return once


def _decoded(text: str, name: str) -> str:
    try:
        return unescape_strictly(text)
    except UnicodeDecodeError:
        raise InvalidRequestError(f"The parameter {named([unescape(name)])} is not UTF-8.") from None
