"""The log of refused requests: one record at INFO for each, and at DEBUG the base string as the server built it.

Every server, middleware and facade passes its errors through `log_refusal`. An error that was logged is marked, so a
request that passes through several of them has one line.

Nothing in a line is a secret: no signature, token, verifier, body or query. Nothing in it can forge another line: text
from the request is escaped and cut. Nothing can fill the log: of many refusals, a sample is logged, see
`RefusalSampler`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

from async_oauth1.errors import InvalidSignatureError, OAuth1Error
from async_oauth1.protocol.base_string import base_string
from async_oauth1.protocol.encoding import split_pairs
from async_oauth1.protocol.request import OAuth1Request

from .hints import hints, length_hint
from .records.fields import (
    Fields,
    client_name,
    correlation,
    printable,
    record_fields,
    request_fields,
)
from .records.sampling import RefusalSampler, kind_of

log = logging.getLogger("async_oauth1")

E = TypeVar("E", bound=OAuth1Error)

_LOGGED, _PLACE = "_async_oauth1_logged", "_async_oauth1_place"
_LONGEST_NAME = 100
_LONGEST_BASE_STRING = 8_000
#: Parameters with one of these in their names are masked in the base string.
_PRIVATE = ("token", "verifier", "secret", "passw", "x_auth_")


# For refusals outside of any server.
_sampler = RefusalSampler()
_LOGGED_PER_MINUTE = 60


class _Place(NamedTuple):
    what: str
    peer: str | None
    client: str | None
    fields: Fields


def with_scope(error: E, scope: Mapping[str, Any]) -> E:
    """Note where an error occurred that left no request to log: the request could not be read.

    Args:
        error: the error.
        scope: ASGI scope.
    """
    if _PLACE in error.__dict__:
        return error
    client, method, path = scope.get("client"), scope.get("method", scope["type"]), str(scope.get("path", ""))
    fields: Fields = {"http.request.method": printable(str(method), _LONGEST_NAME), "url.path": printable(path)}
    if client and client[0]:
        fields["client.address"] = printable(str(client[0]), _LONGEST_NAME)
    fields |= correlation(scope.get("headers", ()))
    error.__dict__[_PLACE] = _Place(printable(f"{method} {path}"), client[0] if client else None, None, fields)
    return error


def with_reason(error: E, reason: str) -> E:
    """Add a reason to an error that the log shows, and the answer does not.

    Args:
        error: the error.
        reason: a sentence without secrets.
    """
    error.add_note(reason)
    return error


def explained(error: E, sentences: str) -> E:
    """Add sentences to what an error tells the client.

    Args:
        error: the error.
        sentences: from `hints`; may be empty.
    """
    if sentences:
        error.description = f"{error.description} {sentences}" if error.description else sentences
    return error


def log_refusal(
    error: OAuth1Error,
    request: OAuth1Request | None = None,
    sampler: RefusalSampler | None = None,
    per_minute: int | None = _LOGGED_PER_MINUTE,
) -> bool:
    """Log that a request is refused, unless this error has been logged before.

    Args:
        error: the error, with its causes: the line has the code of the first one.
        request: the request, if it could be read.
        sampler: counts the refusals of the server that refuses.
        per_minute: refusals of one kind from one client that are logged in a minute; ``None`` for all.

    Returns:
        Whether it is the first time for this error.
    """
    if _LOGGED in error.__dict__:
        return False
    error.__dict__[_LOGGED] = True
    if log.isEnabledFor(logging.INFO):
        peer = request.peer if request is not None else _place_of(error, None).peer
        kind = kind_of(_code_of(root_of(error)), request, peer)
        if (sampler or _sampler).admits(kind, per_minute):
            _log(error, request, _place_of(error, request))
    return True


def log_explanation(request: OAuth1Request, texts: Iterable[str]) -> None:
    """Log why a request was refused, at INFO: one line for each cause, in the order of likelihood.

    Args:
        request: the refused request.
        texts: sentences without secrets.
    """
    fields = record_fields("request.explained", request)
    for text in texts:
        log.info("Explained: %s of client %a from %a: %s", printable(repr(request)), client_name(request),
                 request.peer, printable(text), extra=fields)  # fmt: skip


def root_of(error: OAuth1Error) -> OAuth1Error:
    """The error that was replaced by one that tells less, or else the error itself."""
    return _chain(error)[-1]


def _log(error: OAuth1Error, request: OAuth1Request | None, place: _Place) -> None:
    chain = _chain(error)
    reason, answer = _code_of(chain[-1]), _code_of(error)
    code = reason if reason == answer else f"{reason}, answered as {answer}"
    text = printable(_explanation(chain, request))
    fields = record_fields("request.refused", error__type=reason, http__response__status_code=error.status_code,
                           oauth1__answered_as=answer) | place.fields  # fmt: skip
    log.info("Refused %s of client %a from %a: %s (%d): %s", place.what, place.client, place.peer, code,
             error.status_code, text, extra=fields)  # fmt: skip
    if request is not None and request.protocol_parameters and log.isEnabledFor(logging.DEBUG):
        log.debug("The base string of the refused request, with masked values: %s", masked_base_string(request),
                  extra=record_fields("request.base_string", request))  # fmt: skip


def _place_of(error: OAuth1Error, request: OAuth1Request | None) -> _Place:
    if request is None:
        place: _Place = error.__dict__.get(_PLACE) or _Place("a request", None, None, {})
        return place
    what = repr(request)
    if request.websocket_scheme is not None:
        what = f"websocket {request.raw_path.decode('latin-1')}"
    return _Place(printable(what), request.peer, client_name(request), request_fields(request))


def _code_of(error: OAuth1Error) -> str:
    return printable(error.error or "", _LONGEST_NAME)


def masked_base_string(request: OAuth1Request) -> str:
    """The base string (RFC 5849 section 3.4.1.1) as this server built it, with ``***`` for values that are private.

    These are the values of a form's fields, and of every parameter with a name such as ``oauth_token``.
    """
    header, query, body = request.canonical_forms
    signed = [(name, value, _is_private(name)) for form in (header, query) for name, value in split_pairs(form)]
    signed += [(name, value, not name.startswith("oauth_") or _is_private(name)) for name, value in split_pairs(body)]
    signed.sort()
    beginning = base_string(request.method, request.scheme, request.host, request.raw_path.decode("latin-1"), "")
    text = beginning + "%26".join(
        _encoded(name) + "%3D" + ("***" if is_private else _encoded(value))
        for name, value, is_private in signed
        if name != "oauth_signature"
    )
    return text if len(text) <= _LONGEST_BASE_STRING else f"{text[:_LONGEST_BASE_STRING]}..."


def _is_private(name: str) -> bool:
    lower = name.lower()
    return any(part in lower for part in _PRIVATE)


def _encoded(canonical: str) -> str:
    return canonical.replace("%", "%25")


def _chain(error: OAuth1Error) -> list[OAuth1Error]:
    """The error and the errors that it replaced, for an answer that tells less."""
    chain = [error]
    while isinstance(cause := chain[-1].__cause__, OAuth1Error) and cause not in chain:
        chain.append(cause)
    return chain


def _explanation(chain: list[OAuth1Error], request: OAuth1Request | None) -> str:
    sentences = [str(chain[-1].description or "")]
    for error in chain:
        sentences += getattr(error, "__notes__", ())
    if request is not None:
        seen = hints(request)
        if seen not in sentences[0]:
            sentences.append(seen)
        if isinstance(chain[-1], InvalidSignatureError):
            sentences.append(length_hint(request))
    return " ".join(sentence for sentence in sentences if sentence)
