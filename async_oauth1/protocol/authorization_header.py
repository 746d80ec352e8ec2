"""The ``Authorization`` header (RFC 5849 section 3.5.1) as a canonical form.

    credentials = "OAuth" 1*SP #( name "=" <"> value <"> )

Names and values are percent-encoded (section 3.6). Only ``realm`` is an ordinary quoted string (RFC 9110 section
11.5), and it is not signed. RFC 9110 also allows white space around commas, empty list elements and values without
quotes, and existing clients send all three.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from async_oauth1.errors import DuplicatedOAuthProtocolParameterError, InvalidRequestError

from .encoding import CANONICAL, UNRESERVED, Pair, canonical, join_pairs, split_pairs, unescape, unescape_strictly

# One parameter and the comma after it; or commas only; or, in the last group, everything else. The quantifiers are
# possessive, and the last group matches the rest of the header, so no part of it is scanned twice.
_ELEMENT = re.compile(
    r"""[ \t]*+
        (?: ([^\s"=,]++) [ \t]*+ = [ \t]*+ (?: "([^"\\]*+(?:\\.[^"\\]*+)*+)" | ([^\s",]*+) ) [ \t]*+ (?: , | \Z )
          | ,[ \t,]*+
          | \Z
          | (.++)
        )""",
    re.DOTALL | re.VERBOSE,
)
# The form of most headers: canonical parameters, mostly the protocol's, after an optional realm.
_PARAMETER = rf'(?:oauth_[a-z_]++|(?!(?i:realm=))[{UNRESERVED}]++)="{CANONICAL}"'
_is_plain = re.compile(rf'OAuth ++(?:realm="([^"\\]*+)", *+)?+({_PARAMETER}(?:, ?+{_PARAMETER})*+)').fullmatch
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)
# In a canonical form with "&" in front: the protocol's parameters, and the names of those that belong to nothing.
_PROTOCOL = re.compile(r"&(oauth_[^=]*+)=([^&]*+)")
_OTHER = re.compile(r"&(?!x?oauth_)([^=]*+)=")


def parse_authorization(octets: bytes, max_parameters: int) -> tuple[str, str | None] | None:
    """Read the value of an ``Authorization`` header.

    Args:
        octets: the value, of a length that the caller has limited.
        max_parameters: the maximum number of parameters.

    Returns:
        The parameters as a canonical form, in the order received, without the realm; and the realm, decoded, or
        ``None`` if there is none. ``None`` instead of both if the header is of another scheme.

    Raises:
        InvalidRequestError: the header is malformed, or has too many parameters.
        DuplicatedOAuthProtocolParameterError: the header has more than one realm.
    """
    text = octets.decode("latin-1")
    plain = _is_plain(text)
    if plain:
        realm, parameters = plain.groups()
        return parameters.replace('"', "").replace(", ", "&").replace(",", "&"), realm
    text = text.strip(" \t")
    if text[:5].lower() != "oauth" or (len(text) > 5 and text[5] not in " \t"):
        return None
    return _parse_elements(text[5:], max_parameters)


def protocol_parameters(form: str) -> tuple[dict[str, str], bool]:
    """Return the parameters whose names begin with ``oauth_``, decoded, and whether there are others.

    Args:
        form: a canonical form.

    Raises:
        DuplicatedOAuthProtocolParameterError: one of them is repeated (section 3.1).
        InvalidRequestError: a value is not UTF-8.
    """
    if not form:
        return {}, False
    number = form.count("&oauth_") + form.startswith("oauth_")
    others = number < form.count("=")
    if others:  # perhaps a thousand, which are not split
        parameters: dict[str, str] = dict(_PROTOCOL.findall(f"&{form}"))
    else:
        each = iter(form.replace("&", "=").split("="))
        parameters = dict(zip(each, each))  # noqa: B905 - a canonical form has a value for each name
    if len(parameters) < number:
        raise DuplicatedOAuthProtocolParameterError(f'"{_first_repeated(form)}" is repeated.')
    signature = parameters.get("oauth_signature", "")
    only_signature = signature.count("%") == form.count("%")  # usual: it is Base64, and nothing else is escaped
    for name, value in (("oauth_signature", signature),) if only_signature else parameters.items():
        if "%" in value:
            try:
                parameters[name] = unescape_strictly(value)
            except UnicodeDecodeError:
                raise InvalidRequestError(f'"{unescape(name)}" is not UTF-8.') from None
    return parameters, others


def _first_repeated(form: str) -> str:
    """A protocol parameter that stands more than once, escaped and cut for an error message."""
    seen: set[str] = set()
    for name, _ in split_pairs(form):
        if name in seen and name.startswith("oauth_"):
            return ascii(unescape(name)[:50])[1:-1]
        seen.add(name)
    return "oauth_"


def other_names(form: str) -> Iterator[str]:
    """Find the names that begin neither with ``oauth_`` nor with ``xoauth_``, decoded, one after the other."""
    return (unescape(found[1]) for found in _OTHER.finditer(f"&{form}"))


def _parse_elements(text: str, max_parameters: int) -> tuple[str, str | None]:
    pairs: list[Pair] = []
    realm: str | None = None
    for element in _ELEMENT.finditer(text):
        name, quoted, bare, other = element.groups("")
        if name:
            if len(pairs) >= max_parameters:  # checked before the parameter is processed
                raise InvalidRequestError(f"The request has more than {max_parameters} parameters.")
            if name.lower() != "realm":
                pairs.append((canonical(name), canonical(quoted or bare)))
            elif realm is None:
                realm = _QUOTED_PAIR.sub(r"\1", quoted or bare)
            else:
                raise DuplicatedOAuthProtocolParameterError('"realm" is repeated in the Authorization header.')
        elif other:
            raise InvalidRequestError(
                'Malformed Authorization header: write OAuth name="value", name="value" with percent-encoded values.'
            )
    return join_pairs(pairs), realm
