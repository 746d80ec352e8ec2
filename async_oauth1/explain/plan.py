"""A plan: how one client may have made its signature, in parts that are rendered once and combined freely."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any, Literal

from .wire import Parameter, WireRequest

__all__ = ["Encoding", "Key", "Parameters", "Plan", "Sorting", "Uri", "plan_of"]

UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_RESERVED = "%" + "".join(chr(code) for code in range(128) if chr(code) not in UNRESERVED and code != ord("%"))
_BEYOND_ASCII = re.compile("[^\x00-\x7f]")
#: Characters of a text whose encoding is kept for the next plan.
_LONGEST_KEPT = 512
DEFAULT_PORTS = {"http": "80", "https": "443"}

Sorting = Literal[
    "encoded", "decoded", "joined", "case", "name", "bracket", "received", "form first",
    "protocol sorted first", "protocol first", "protocol last",
]  # fmt: skip
_ORDER = {"received": ("header", "query", "form"), "form first": ("form", "query", "header")}


@dataclass(frozen=True, slots=True)
class Encoding:
    """A way of percent-encoding; the defaults are those of RFC 5849 section 3.6.

    Attributes:
        bare: characters that it leaves alone besides the unreserved ones.
        escapes_tilde: it escapes ``~`` as well.
        plus: it writes a space as ``+``.
        lower: it writes escapes in lower case.
        times: how often it is applied.
    """

    bare: str = ""
    escapes_tilde: bool = False
    plus: bool = False
    lower: bool = False
    times: int = 1

    def encode(self, text: str) -> str:
        """Encode octets, given as Latin-1 text."""
        for _ in range(self.times):
            text = self._encode_once(text)
        return text

    def _encode_once(self, text: str) -> str:
        for character in self._escaped:
            if character not in text:
                continue
            text = text.replace(character, self._escape(character))
        if not text.isascii():
            text = _BEYOND_ASCII.sub(lambda match: self._escape(match[0]), text)
        return text.replace(" ", "+") if self.plus else text

    def _escape(self, character: str) -> str:
        escape = f"%{ord(character):02X}"
        return escape.lower() if self.lower else escape

    @property
    def _escaped(self) -> str:
        return _escaped(self.bare + (" " if self.plus else ""), tilde=self.escapes_tilde)


@cache
def _escaped(bare: str, *, tilde: bool) -> str:
    """The ASCII characters that are escaped, the percent sign first: the others bring more of them."""
    return "".join(c for c in _RESERVED if c not in bare) + ("~" if tilde else "")


class _Encoded(dict[str, str]):
    """Texts in one encoding, each of which is encoded once."""

    def __init__(self, encoding: Encoding) -> None:
        super().__init__()
        self._encoding = encoding

    def __missing__(self, text: str) -> str:
        encoded = self._encoding.encode(text)
        if len(text) <= _LONGEST_KEPT:
            self[text] = encoded
        return encoded


@dataclass(eq=False)
class Uri:
    """The base string URI.

    Attributes:
        scheme: ``http`` or ``https``.
        host: without port.
        port: as shown; empty if none was.
        path: octets as Latin-1 text.
        suffix: what follows the path, such as a query.
        show_port: ``None`` to drop the scheme's default port, as the RFC has it; else always or never show it.
        encoding: how the whole is encoded.
    """

    scheme: str
    host: str
    port: str
    path: str
    suffix: str = ""
    show_port: bool | None = None
    encoding: Encoding = Encoding()

    @cached_property
    def text(self) -> str:
        """The URI as it is signed, before it is encoded; with the port, if that is shown."""
        shown = self.port and self.port != DEFAULT_PORTS.get(self.scheme)
        if self.show_port is not None:
            shown = self.show_port
        port = self.port or DEFAULT_PORTS.get(self.scheme, "")
        return f"{self.scheme}://{self.host}{f':{port}' if shown and port else ''}{self.path}{self.suffix}"

    @cached_property
    def rendered(self) -> str:
        """The URI as it stands in the base string."""
        return self.encoding.encode(self.text)


@dataclass(eq=False)
class Parameters:
    """The parameters that are signed.

    Attributes:
        items: in the order of header, query and form.
        names: how names are encoded.
        values: how values are encoded.
        whole: how the joined text is encoded once more.
        sorting: by what they are sorted.
        memo: what has been encoded; all plans of one search share it.
    """

    items: tuple[Parameter, ...]
    names: Encoding = Encoding()
    values: Encoding = Encoding()
    whole: Encoding = Encoding()
    sorting: Sorting = "encoded"
    memo: dict[Encoding, _Encoded] = field(default_factory=dict[Encoding, _Encoded], repr=False)

    @cached_property
    def rendered(self) -> str:
        """The parameters as they stand in the base string."""
        names, values = self._encoded(self.names), self._encoded(self.values)
        items = self.items if self.sorting in _KEYS else _ordered(self.items, self.sorting)
        pairs = [
            (names[item.name], (values if item.encodings == 1 else self._encoded_otherwise(item))[item.value])
            for item in items
        ]
        if self.sorting in _KEYS:
            pairs.sort(key=_KEYS[self.sorting])
        return self.whole.encode("&".join([f"{name}={value}" for name, value in pairs]))

    def _encoded(self, encoding: Encoding) -> _Encoded:
        known = self.memo.get(encoding)
        if known is None:
            known = self.memo[encoding] = _Encoded(encoding)
        return known

    def _encoded_otherwise(self, item: Parameter) -> _Encoded:
        return self._encoded(replace(self.values, times=item.encodings))


_KEYS: dict[str, Callable[[tuple[str, str]], Any] | None] = {
    "encoded": None,
    "joined": lambda pair: f"{pair[0]}={pair[1]}",
    "case": lambda pair: (pair[0].lower(), pair[1].lower()),
}


def _ordered(items: tuple[Parameter, ...], sorting: Sorting) -> Iterable[Parameter]:
    if sorting == "decoded":
        return sorted(items, key=lambda item: (item.name, item.value))
    if sorting == "name":
        return sorted(items, key=lambda item: item.name)
    if sorting == "bracket":
        return sorted(items, key=lambda item: item.name.partition("[")[0])
    if sorting.startswith("protocol"):
        protocol = [item for item in items if item.is_protocol]
        others = [item for item in items if not item.is_protocol]
        if sorting == "protocol sorted first":
            protocol.sort(key=lambda item: item.name)
        return [*others, *protocol] if sorting == "protocol last" else [*protocol, *others]
    places = _ORDER[sorting]
    return [item for place in places for item in items if item.place == place]


@dataclass(eq=False)
class Key:
    """The key of an HMAC, or the signature of PLAINTEXT.

    Attributes:
        client_secret: UTF-8 octets as Latin-1 text.
        token_secret: likewise; empty if there is none.
        encodings: how often each is percent-encoded.
        template: how the two are joined.
    """

    client_secret: str
    token_secret: str = ""
    encodings: int = 1
    template: str = "{}&{}"

    @cached_property
    def rendered(self) -> str:
        """The key, as Latin-1 text."""
        encoding = Encoding(times=self.encodings)
        return self.template.format(encoding.encode(self.client_secret), encoding.encode(self.token_secret))

    def __repr__(self) -> str:
        """No secret belongs in a log."""
        return "<Key>"


@dataclass(frozen=True, eq=False)
class Plan:
    """How a signature may have been made. Parts are shared between plans, so each is rendered once.

    Attributes:
        method: what stands for the HTTP method.
        uri: the base string URI.
        parameters: what is signed besides.
        key: the secrets.
        algorithm: name of the signature method.
    """

    method: str
    uri: Uri
    parameters: Parameters
    key: Key = field(repr=False)
    algorithm: str

    PARTS = ("method", "uri", "parameters", "key", "algorithm")

    @property
    def base_string(self) -> str:
        """The signature base string; octets as Latin-1 text."""
        return f"{self.method}&{self.uri.rendered}&{self.parameters.rendered}"

    def changed_parts(self, other: Plan) -> frozenset[str]:
        """The parts in which two plans differ."""
        return frozenset(part for part in self.PARTS if getattr(self, part) is not getattr(other, part))


def plan_of(wire: WireRequest, key: Key) -> Plan:
    """What RFC 5849 says that the client signs, by what the provider sees."""
    host, port = split_host(wire.host.lower())
    return Plan(
        method=wire.method.upper(),
        uri=Uri(wire.scheme, host, port, wire.path.decode("latin-1")),
        parameters=Parameters(tuple(item for item in wire.parameters if item.name != "oauth_signature")),
        key=key,
        algorithm=wire.protocol.get("oauth_signature_method", ""),
    )


def split_host(host: str) -> tuple[str, str]:
    """Host and port; brackets stay with the host."""
    name, colon, port = host.rpartition(":")
    if not colon or port.endswith("]"):
        return host, ""
    return name, port
