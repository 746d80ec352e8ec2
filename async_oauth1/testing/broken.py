"""Requests with one mistake, for tests of an application's error pages and of `explain`."""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

from async_oauth1.explain.bodies import body_readings
from async_oauth1.probing.raw_signing import Pairs, base_string_anyhow
from async_oauth1.probing.signing import Message, place_parameters, protocol_parameters
from async_oauth1.protocol.encoding import escape_text
from async_oauth1.protocol.signature import SIGNATURE_METHODS, SigningKeys

from .signed_auth import SignedAuth

__all__ = ["BrokenAuth"]

#: The realm of a client that signs it.
REALM = "Photos"


@dataclass(slots=True)
class _Draft:
    """What is signed, and what is sent; a mistake changes one of them."""

    signed: Message
    sent: Message
    signed_pairs: Pairs
    sent_pairs: Pairs
    keys: SigningKeys
    algorithm: str
    rewrite: Callable[[str], str] = str
    between_secrets: str = "&"
    is_sorted: bool = True

    def signature(self) -> str:
        """The signature of what the client takes for the request."""
        text = self.rewrite(base_string_anyhow(self.signed, self.signed_pairs, is_sorted=self.is_sorted))
        kind, _, digest = self.algorithm.partition("-")
        if self.between_secrets != "&" and kind != "RSA":
            key = self.between_secrets.join(map(escape_text, (self.keys.client_secret or "", self.keys.token_secret)))
            return key if not digest else base64.b64encode(hmac.digest(key.encode(), text.encode(), digest)).decode()
        return SIGNATURE_METHODS[self.algorithm].sign(text, self.keys)

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


def _rewritten(rewrite: Callable[[str], str]) -> Callable[[_Draft], None]:
    """Sign another base string than that of the request."""

    def mistake(draft: _Draft) -> None:
        draft.rewrite = rewrite

    return mistake


def _lower_case_escapes(text: str) -> str:
    return re.sub(r"%[0-9A-F]{2}", lambda escape: escape.group().lower(), text)


def _parameters_encoded_once(text: str) -> str:
    """The base string of a client that encodes parameters once instead of twice."""
    method, uri, parameters = text.split("&")
    return f"{method}&{uri}&{unquote(parameters)}"


def _between_secrets(text: str) -> Callable[[_Draft], None]:
    """Join the secrets of the key by something else than ``&``."""

    def mistake(draft: _Draft) -> None:
        draft.between_secrets = text

    return mistake


def _unsorted(draft: _Draft) -> None:
    draft.is_sorted = False


def _body_counted(draft: _Draft) -> None:
    """Sign the members of a JSON body, or the fields or the text of another one, as parameters."""
    types = [value for name, value in draft.signed.headers if name.lower() == b"content-type"]
    readings = body_readings(draft.signed.body, types[0].decode("latin-1") if types else "")
    likely = min(readings, key=lambda reading: reading[0], default=None)
    if likely is not None:
        draft.signed_pairs += [(_text(name), _text(value)) for name, value in likely[2]]


def _text(octets: str) -> str:
    return octets.encode("latin-1").decode("utf-8", "replace")


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


def _plus(encoded: bytes) -> bytes:
    """A query or form in which each space has become a plus sign."""
    return encoded.replace(b"%20", b"+").replace(b"+", b"%2B")


def _toggled_slash(message: Message) -> bytes:
    return message.path[:-1] if message.path.endswith(b"/") and message.path != b"/" else message.path + b"/"


_BODY, _FORMER = "body_included", "former_secret"
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
    "path_escapes": _seen(path=lambda message: message.path.replace(b"%", b"%25")),
    "url_query": _seen(path=lambda message: message.path + b"?" + message.query),
    "repeated": _seen(query=lambda message: message.query + b"&" + message.query),
    "space_plus": _seen(query=lambda message: _plus(message.query), body=lambda message: _plus(message.body)),
    "double_encoded": _seen(query=lambda message: message.query.replace(b"%", b"%25")),
    "charset": _seen(query=lambda message: message.query.replace(b"%C3%BC", b"%FC")),
    "value_changed": _seen(query=lambda message: message.query.replace(b"=true", b"=True")),
    "realm_included": _pairs(lambda pairs: [*pairs, ("realm", REALM)]),
    "empty_token": _pairs(lambda pairs: [*pairs, ("oauth_token", "")]),
    "body_hash": _both("oauth_body_hash", lambda _: "2jmj7l5rSw0yVb/vlWAYkK/YBwk="),
    "escape_case": _rewritten(_lower_case_escapes),
    "not_encoded": _rewritten(_parameters_encoded_once),
    "ampersand_missing": _between_secrets(""),
    "secret_encoding": _between_secrets("%26"),
    "sorting": _unsorted,
    _BODY: _body_counted,
    _FORMER: lambda _: None,
    "key": _keys(lambda keys: keys._replace(client_secret=f"not {keys.client_secret}")),
    "malformed": _both("oauth_version", lambda _: "1.0A"),
}


class BrokenAuth(SignedAuth):
    """Signs each request with one mistake, named by a code of `explain`.

    It is used as `SignedAuth` is. The request must have what the mistake is in: a query for ``query_missing`` and
    ``repeated``, in it ``%C3%BC`` for ``charset``, ``=true`` for ``value_changed``, an escape for ``double_encoded``;
    a space in the query or form for ``space_plus``; an escape in the path for ``path_escapes``; a form for
    ``form_missing``, and a body that is no form, such as JSON, for ``body_included``; a shared secret for
    ``ampersand_missing``, ``secret_encoding`` and ``key``; no token for ``empty_token``, and one for
    ``secrets_swapped`` and ``token_secret_missing``.

    ``key`` is a wrong secret. No provider can name it, because nothing tells a wrong secret from an unknown mistake;
    ``explain --provider-said`` names it if the provider's base string is the client's.
    """

    #: The codes that there is a mistake for.
    codes = tuple(sorted(_MISTAKES))

    def __init__(self, code: str, *args: Any, former_secret: str | None = None, **options: Any) -> None:
        """Remember the mistake.

        Args:
            code: one of `codes`.
            args: positional arguments of `SignedAuth`.
            former_secret: the client's secret that has ended; for the code ``former_secret`` alone.
            options: keyword arguments of `SignedAuth`.

        Raises:
            ValueError: there is no mistake with this code, or ``former_secret`` is missing or not for this code.
        """
        if code not in _MISTAKES:
            raise ValueError(f"There is no request for {code!r}; the codes are {', '.join(self.codes)}.")
        if (code == _FORMER) != (former_secret is not None):
            raise ValueError('former_secret= is the secret that has ended, for the code "former_secret" alone.')
        super().__init__(*args, **options)
        self._code = code
        if former_secret is not None:
            keys = self._credentials.keys._replace(client_secret=former_secret)
            self._credentials = replace(self._credentials, keys=keys)

    def reads_body(self, media_type: bytes) -> bool:
        """Whether the signature, or the mistake, depends on a body of this media type."""
        return self._code == _BODY or super().reads_body(media_type)

    def sign(self, message: Message) -> Message:
        """Sign a request with the mistake.

        Args:
            message: as it would be sent without a signature.
        """
        named = protocol_parameters(self._credentials, self._method, timestamp=int(self._clock()))
        pairs = [*{**named, **self._parameters}.items()]
        draft = _Draft(message, message, list(pairs), list(pairs), self._credentials.keys, self._method)
        _MISTAKES[self._code](draft)
        signature = draft.signature()
        if self._code == "signature_encoding":
            signature = base64.b64decode(signature).hex()
        every = [*draft.sent_pairs, ("oauth_signature", signature)]
        realm = REALM if self._code == "realm_included" else self._realm
        return place_parameters(draft.sent, every, self._place, realm)
