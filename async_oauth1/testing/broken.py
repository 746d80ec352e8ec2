"""Requests with one mistake, for tests of an application's error pages and of `explain`."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from async_oauth1.probing.raw_signing import Pairs, signature_anyhow
from async_oauth1.probing.signing import Message, place_parameters, protocol_parameters
from async_oauth1.protocol.signature import SigningKeys

from .signed_auth import SignedAuth

__all__ = ["BrokenAuth"]


@dataclass(slots=True)
class _Draft:
    """What is signed, and what is sent; a mistake changes one of them."""

    signed: Message
    sent: Message
    signed_pairs: Pairs
    sent_pairs: Pairs
    keys: SigningKeys
    algorithm: str

    def set(self, name: str, value: str) -> None:
        """Sign and send another value."""
        for pairs in (self.signed_pairs, self.sent_pairs):
            pairs[:] = [*(pair for pair in pairs if pair[0] != name), (name, value)]


def _seen(**changes: Callable[[Message], Any]) -> Callable[[_Draft], None]:
    """Sign another message than the one that is sent."""

    def mistake(draft: _Draft) -> None:
        draft.signed = replace(draft.signed, **{name: make(draft.signed) for name, make in changes.items()})

    return mistake


def _pairs(change: Callable[[Pairs], Pairs]) -> Callable[[_Draft], None]:
    """Sign other protocol parameters than those that are sent."""

    def mistake(draft: _Draft) -> None:
        draft.signed_pairs = change(draft.signed_pairs)

    return mistake


def _keys(change: Callable[[SigningKeys], SigningKeys]) -> Callable[[_Draft], None]:
    """Sign with other secrets."""

    def mistake(draft: _Draft) -> None:
        draft.keys = change(draft.keys)

    return mistake


def _both(name: str, change: Callable[[str], str]) -> Callable[[_Draft], None]:
    """Sign and send another value."""
    return lambda draft: draft.set(name, change(dict(draft.sent_pairs).get(name, "")))


def _parameter_added(draft: _Draft) -> None:
    query = draft.sent.query
    draft.sent = replace(draft.sent, query=query + b"&_=1700000000000" if query else b"_=1700000000000")


def _other_method(draft: _Draft) -> None:
    draft.algorithm = "HMAC-SHA256" if draft.algorithm != "HMAC-SHA256" else "HMAC-SHA1"


def _duplicate(draft: _Draft) -> None:
    for pairs in (draft.signed_pairs, draft.sent_pairs):
        pairs.append(("oauth_nonce", "another"))


def _other_scheme(message: Message) -> str:
    return "http" if message.scheme == "https" else "https"


def _shown_port(message: Message) -> str:
    name, colon, _ = message.host.rpartition(":")
    return name if colon else f"{message.host}:{443 if message.scheme == 'https' else 80}"


def _toggled_slash(message: Message) -> bytes:
    return message.path[:-1] if message.path.endswith(b"/") and message.path != b"/" else message.path + b"/"


_MISTAKES: dict[str, Callable[[_Draft], None]] = {
    "scheme": _seen(scheme=_other_scheme),
    "host": _seen(host=lambda message: f"www.{message.host}"),
    "port": _seen(host=_shown_port),
    "path_prefix": _seen(path=lambda message: b"/api" + message.path),
    "path_trailing_slash": _seen(path=_toggled_slash),
    "query_missing": _seen(query=lambda _: b""),
    "form_missing": _seen(body=lambda _: b""),
    "parameter_added": _parameter_added,
    "http_method": _seen(method=lambda message: "POST" if message.method == "GET" else "GET"),
    "oauth_parameter": _pairs(lambda pairs: [pair for pair in pairs if pair[0] != "oauth_version"]),
    "secrets_swapped": _keys(lambda keys: SigningKeys(keys.token_secret, keys.client_secret)),
    "secret_whitespace": _keys(lambda keys: keys._replace(client_secret=f"{keys.client_secret} ")),
    "token_secret_missing": _keys(lambda keys: keys._replace(token_secret="")),
    "signature_method": _other_method,
    "signature_encoding": lambda _: None,
    "credentials": _both("oauth_consumer_key", lambda _: "unknown-client"),
    "timestamp_clock": _both("oauth_timestamp", lambda now: str(int(now) - 7200)),
    "timestamp_milliseconds": _both("oauth_timestamp", lambda now: f"{now}000"),
    "duplicate_parameter": _duplicate,
    "malformed": _both("oauth_version", lambda _: "1.0A"),
}


class BrokenAuth(SignedAuth):
    """Signs each request with one mistake, named by a code of `explain`.

    It is used as `SignedAuth` is. A mistake in the query or in a form needs a request that has one, and one of the
    token's secret needs a token.
    """

    #: The codes that there is a mistake for.
    codes = tuple(sorted(_MISTAKES))

    def __init__(self, code: str, *args: Any, **options: Any) -> None:
        """Remember the mistake.

        Args:
            code: one of `codes`.
            args: positional arguments of `SignedAuth`.
            options: keyword arguments of `SignedAuth`.

        Raises:
            ValueError: there is no mistake with this code.
        """
        if code not in _MISTAKES:
            raise ValueError(f"There is no request for {code!r}; the codes are {', '.join(self.codes)}.")
        super().__init__(*args, **options)
        self._code = code

    def sign(self, message: Message) -> Message:
        """Sign a request with the mistake.

        Args:
            message: as it would be sent without a signature.
        """
        named = protocol_parameters(self._credentials, self._method, timestamp=int(self._clock()))
        pairs = [*{**named, **self._parameters}.items()]
        draft = _Draft(message, message, list(pairs), list(pairs), self._credentials.keys, self._method)
        _MISTAKES[self._code](draft)
        signature = signature_anyhow(draft.signed, draft.signed_pairs, draft.keys, algorithm=draft.algorithm)
        if self._code == "signature_encoding":
            signature = base64.b64decode(signature).hex()
        return place_parameters(
            draft.sent, [*draft.sent_pairs, ("oauth_signature", signature)], self._place, self._realm
        )
